import { randomUUID } from 'node:crypto';
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { temporaryName } from '../core/compress/temporaryName';
import { ModelError } from '../core/onnx/modelError';
import { type Segment, segmentsLength } from '../core/onnx/splice';

const BLOCK = 4 * 1024 * 1024;

/** A file to be written: a name in the target's folder, and what goes into it. */
export interface OutputFile {
  readonly name: string;
  readonly segments: readonly Segment[];
}

/** Files that exist in a temporary folder beside their target until they have proven themselves. */
export interface PendingFiles {
  /** The first file, where it is now. */
  readonly path: string;
  /** Moves all of them to where they belong. */
  commit(): void;
  /** Removes them and the temporary folder; harmless after {@link commit}. */
  discard(): void;
}

/**
 * Writes files, the model first, into a temporary folder beside `target` and flushes them to the disk. They appear
 * beside the target with `commit`: data files before the model that needs them. Whatever goes wrong, no file is
 * left. Throws ModelErrors that name the target and the cause.
 */
export async function writeFiles(
  files: readonly OutputFile[],
  target: string,
  signal?: AbortSignal,
  onProgress: (done: number) => void = () => {},
): Promise<PendingFiles> {
  const unique = randomUUID().slice(0, 8);
  const folder = join(dirname(target), temporaryName(basename(target), unique));
  const discard = () => rmSync(folder, { recursive: true, force: true });
  const total = files.reduce((sum, { segments }) => sum + segmentsLength(segments), 0) || 1;
  let written = 0;
  try {
    mkdirSync(folder);
    for (const { name, segments } of files) {
      await writeFile(join(folder, name), segments, signal, (bytes) => {
        written += bytes;
        onProgress(written / total);
      });
    }
  } catch (error) {
    discard();
    throw signal?.aborted ? signal.reason : writeError(target, error);
  }
  return {
    path: join(folder, files[0]!.name),
    discard,
    commit() {
      try {
        for (const { name } of [...files].reverse())
          renameSync(join(folder, name), join(dirname(target), name));
      } catch (error) {
        throw writeError(target, error);
      } finally {
        discard();
      }
    },
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
      await new Promise((resolve) => setImmediate(resolve));
    }
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

function* blocks(segments: readonly Segment[]): Generator<Uint8Array> {
  let small: Uint8Array[] = [];
  let smallLength = 0;
  for (const segment of segments) {
    if (segment.kind === 'bytes' && smallLength + segment.bytes.length < BLOCK) {
      small.push(segment.bytes);
      smallLength += segment.bytes.length;
      continue;
    }
    if (smallLength > 0) yield Buffer.concat(small, smallLength);
    small = [];
    smallLength = 0;
    if (segment.kind === 'bytes') yield segment.bytes;
    else
      for (let at = segment.start; at < segment.end; at += BLOCK) {
        yield segment.source.read(at, Math.min(BLOCK, segment.end - at));
      }
  }
  if (smallLength > 0) yield Buffer.concat(small, smallLength);
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
  if (error instanceof ModelError) return error;
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
