import { temporaryName } from '../core/compress/temporaryName';
import type { ByteSource } from '../core/onnx/byteSource';
import { ModelError } from '../core/onnx/modelError';
import { type CopySegment, type Segment, segmentsLength } from '../core/onnx/splice';
import { type FileSource, openFile } from './fileSource';
import {
  appendFileSync,
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from './platform/files';
import { FileWanted } from './platform/fileWanted';
import { basename, dirname, join } from './platform/paths';
import { pause } from './platform/pause';

/** What is written at once, and gathered in memory for it. */
const BLOCK = 1024 * 1024;

/** A file to be written: a name in the target's folder, and what goes into it. */
export interface OutputFile {
  readonly name: string;
  readonly segments: readonly Segment[];
}

/** A temporary folder beside a target, in which its files are made until they have proven themselves. */
export interface OutputFolder {
  /** Sets bytes aside on the disk, so that they need not be held in memory until they are written. */
  spill(bytes: Uint8Array): CopySegment;
  /** Writes files, the model first, and flushes them to the disk; files of an earlier call go. Returns the path of the first. */
  write(
    files: readonly OutputFile[],
    signal?: AbortSignal,
    onProgress?: (done: number) => void,
  ): Promise<string>;
  /** Moves what was written to where it belongs, data files before the model that needs them. */
  commit(): void;
  /** Removes the folder and all in it. Call it however things end. */
  discard(): void;
}

/**
 * Opens the folder in which `target` is made. Nothing appears beside it before `commit`, and after `discard` nothing
 * is left. Throws ModelErrors that name the target and the cause.
 */
export function openOutputFolder(target: string): OutputFolder {
  const unique = crypto.randomUUID().slice(0, 8);
  const folder = join(dirname(target), temporaryName(basename(target), unique));
  const attempt = <T>(action: () => T): T => {
    try {
      return action();
    } catch (error) {
      throw writeError(target, error);
    }
  };
  attempt(() => mkdirSync(folder));
  let spilled: FileSource | undefined;
  let spilledBytes = 0;
  let written: readonly OutputFile[] = [];
  return {
    spill(bytes) {
      const path = join(folder, 'factors');
      const start = spilledBytes;
      attempt(() => appendFileSync(path, bytes));
      spilledBytes += bytes.length;
      // Opened anew, as a source knows the size the file had when it was opened.
      const source = lazySource(() => {
        if (!spilled || spilled.size < spilledBytes) {
          spilled?.close();
          spilled = openFile(path);
        }
        return spilled;
      }, path);
      return { kind: 'copy', source, start, end: spilledBytes };
    },
    async write(files, signal, onProgress = () => {}) {
      // What was written before has not proven itself.
      for (const { name } of written) rmSync(join(folder, name), { force: true });
      written = files;
      const total = files.reduce((sum, { segments }) => sum + segmentsLength(segments), 0) || 1;
      let done = 0;
      try {
        for (const { name, segments } of files) {
          await writeFile(join(folder, name), segments, signal, (bytes) => {
            done += bytes;
            onProgress(done / total);
          });
        }
      } catch (error) {
        throw signal?.aborted ? signal.reason : writeError(target, error);
      }
      return join(folder, files[0]!.name);
    },
    commit() {
      attempt(() => {
        for (const { name } of [...written].reverse())
          renameSync(join(folder, name), join(dirname(target), name));
      });
    },
    discard() {
      spilled?.close();
      spilled = undefined;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** A source that is opened when it is first read. */
function lazySource(open: () => FileSource, name: string): ByteSource {
  return {
    name,
    get size() {
      return open().size;
    },
    read: (offset, length, space) => open().read(offset, length, space),
  };
}

async function writeFile(
  path: string,
  segments: readonly Segment[],
  signal: AbortSignal | undefined,
  onBytes: (bytes: number) => void,
): Promise<void> {
  const fd = openSync(path, 'wx');
  try {
    for (const block of blocks(segments)) {
      signal?.throwIfAborted();
      for (let at = 0; at < block.length; ) at += writeSync(fd, block, at, block.length - at);
      onBytes(block.length);
      // Lets a cancel get through between blocks.
      await pause();
    }
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** The bytes of segments, in blocks that are good until the next one is asked for: they share their memory. */
function* blocks(segments: readonly Segment[]): Generator<Uint8Array> {
  const block = new Uint8Array(BLOCK);
  let filled = 0;
  for (const segment of segments) {
    const [start, end] = segment.kind === 'bytes' ? [0, segment.bytes.length] : [segment.start, segment.end];
    for (let at = start; at < end; ) {
      const length = Math.min(BLOCK - filled, end - at);
      const space = block.subarray(filled, filled + length);
      if (segment.kind === 'bytes') space.set(segment.bytes.subarray(at, at + length));
      else {
        const bytes = segment.source.read(at, length, space);
        // A source that had them in memory already did not copy them.
        if (bytes !== space) space.set(bytes);
      }
      at += length;
      filled += length;
      if (filled === BLOCK) {
        yield block;
        filled = 0;
      }
    }
  }
  if (filled > 0) yield block.subarray(0, filled);
}

const REASONS: Record<string, string> = {
  ENOSPC: 'the disk is full',
  EDQUOT: 'the disk quota is used up',
  EACCES: 'writing there is not permitted',
  EPERM: 'writing there is not permitted',
  EROFS: 'the file system is read-only',
  ENOENT: 'the folder does not exist',
  ENOTDIR: 'its folder is not a folder',
  EISDIR: 'a folder of that name is in the way',
  ENOTEMPTY: 'a folder of that name is in the way',
};

function writeError(target: string, error: unknown): unknown {
  if (error instanceof ModelError || error instanceof FileWanted) return error;
  const { code, message } = error as NodeJS.ErrnoException;
  return new ModelError(
    'write-failed',
    `${target} can't be written: ${REASONS[code ?? ''] ?? message}. Nothing was left behind.`,
  );
}

/** Refuses a target that must not be written: a file the model needs, or an existing one that was not to be replaced. */
export function checkTarget(sources: readonly string[], target: string, overwrite: boolean): void {
  if (!existsSync(dirname(target))) {
    throw new ModelError('target-folder', `${target} can't be written: the folder does not exist.`);
  }
  const existing = statSync(target, { throwIfNoEntry: false });
  if (!existing) return;
  for (const source of sources) {
    const original = statSync(source, { throwIfNoEntry: false });
    if (existing.ino !== original?.ino || existing.dev !== original.dev) continue;
    const what = source === sources[0] ? 'the model itself' : 'a data file of the model';
    throw new ModelError(
      'target-is-source',
      `${target} is ${what}, which is never overwritten. Choose another name.`,
    );
  }
  if (existing.isDirectory())
    throw new ModelError('write-failed', `${target} can't be written: it is a folder.`);
  if (!overwrite) throw new ModelError('target-exists', `${target} exists already.`);
}
