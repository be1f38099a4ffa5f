import { readModel } from '../../src/core/onnx/read';
import { splice } from '../../src/core/onnx/splice';
import { openFile } from '../../src/worker/fileSource';

/** Pieces of this size are compared at a time. */
const CHUNK = 1 << 24;

/** Whether a model file, written without an edit, is byte for byte what it was. Throws a ModelError for no models. */
export function comesOutTheSame(path: string): boolean {
  const source = openFile(path);
  const again = openFile(path);
  try {
    let at = 0;
    for (const segment of splice(readModel(source), [])) {
      const length = segment.kind === 'bytes' ? segment.bytes.length : segment.end - segment.start;
      for (let done = 0; done < length; done += CHUNK) {
        const part = Math.min(CHUNK, length - done);
        if (at + part > source.size) return false;
        const written =
          segment.kind === 'bytes'
            ? segment.bytes.subarray(done, done + part)
            : segment.source.read(segment.start + done, part);
        if (Buffer.compare(written, again.read(at, part)) !== 0) return false;
        at += part;
      }
    }
    return at === source.size;
  } finally {
    source.close();
    again.close();
  }
}
