import { counted } from '../core/counted';
import type { ByteSource } from '../core/onnx/byteSource';
import { ModelError } from '../core/onnx/modelError';
import { closeSync, fstatSync, openSync, readSync } from './platform/files';
import { FileWanted } from './platform/fileWanted';

/** One positioned read must ask for less than 2 GiB. */
const LARGEST_READ = 1 << 30;

/** A {@link ByteSource} on an open file descriptor. Close it. */
export interface FileSource extends ByteSource {
  close(): void;
}

/** Opens a file for reading in ranges. What the system refuses becomes a {@link ModelError} naming the path. */
export function openFile(path: string): FileSource {
  const fd = attempt(path, () => openSync(path, 'r'));
  const stat = fstatSync(fd);
  if (!stat.isFile()) {
    closeSync(fd);
    throw new ModelError('unreadable', `${path} is not a regular file.`);
  }
  return {
    name: path,
    size: stat.size,
    read(offset, length, space) {
      if (offset < 0 || offset + length > stat.size) {
        throw new ModelError(
          'truncated',
          `${path} ends at byte ${stat.size}, but should go on for ${counted(length, 'byte')} from byte ${offset}.`,
        );
      }
      const bytes = space ?? new Uint8Array(length);
      let done = 0;
      while (done < length) {
        const wanted = Math.min(LARGEST_READ, length - done);
        const got = attempt(path, () => readSync(fd, bytes, done, wanted, offset + done));
        if (got === 0) {
          throw new ModelError('truncated', `${path} became shorter while it was being read.`);
        }
        done += got;
      }
      return bytes;
    },
    close: () => closeSync(fd),
  };
}

/** The system's error codes in words; others keep the system's own sentence. */
const REASONS: Record<string, string> = {
  ENOENT: 'there is no such file',
  EACCES: 'reading it is not permitted',
  EPERM: 'reading it is not permitted',
  EISDIR: 'it is a folder',
  EMFILE: 'too many files are open',
};

function attempt<T>(path: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    if (error instanceof FileWanted) throw error;
    const { code, message } = error as NodeJS.ErrnoException;
    throw new ModelError('unreadable', `${path} cannot be read: ${REASONS[code ?? ''] ?? message}.`);
  }
}
