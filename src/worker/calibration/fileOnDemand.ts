import type { ByteSource } from '../../core/onnx/byteSource';
import { openFile } from '../fileSource';

/** A {@link ByteSource} on a file that is open only while it is read: for sets of more files than can be open at once. */
export function fileOnDemand(path: string): ByteSource {
  const first = openFile(path);
  const { size } = first;
  first.close();
  return {
    name: path,
    size,
    read(offset, length) {
      const file = openFile(path);
      try {
        return file.read(offset, length);
      } finally {
        file.close();
      }
    },
  };
}
