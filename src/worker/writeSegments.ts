import { randomUUID } from 'node:crypto';
import { closeSync, existsSync, fsyncSync, openSync, renameSync, rmSync, statSync, writeSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { temporaryName } from '../core/compress/temporaryName';
import { ModelError } from '../core/onnx/modelError';
import { type Segment, segmentsLength } from '../core/onnx/splice';

const BLOCK = 4 * 1024 * 1024;
/** A protocol-buffer message, and so a model without external data, ends here. */
const LARGEST_MODEL = 2 ** 31 - 1;

/** A file that exists under a temporary name beside its target until it has proven itself. */
export interface PendingFile {
  readonly temporary: string;
  /** Takes the target's name. */
  commit(): void;
  /** Removes the temporary file; harmless after {@link commit}. */
  discard(): void;
}

/**
 * Writes segments to a temporary file in the folder of `target` and flushes it to the disk. The target itself
 * appears with `commit`. Whatever goes wrong, no file is left. Throws ModelErrors that name folder and cause.
 */
export async function writeSegments(
  segments: readonly Segment[],
  target: string,
  signal?: AbortSignal,
  onProgress: (done: number) => void = () => {},
): Promise<PendingFile> {
  const total = segmentsLength(segments);
  if (total > LARGEST_MODEL) {
    throw new ModelError(
      'too-large',
      `${target} would be ${total} bytes long; without external data a model ends at 2 GiB.`,
    );
  }
  const unique = randomUUID().slice(0, 8);
  const temporary = join(dirname(target), temporaryName(basename(target), unique));
  const discard = () => rmSync(temporary, { force: true });
  let fd: number | undefined;
  try {
    fd = openSync(temporary, 'wx');
    let written = 0;
    for (const block of blocks(segments)) {
      signal?.throwIfAborted();
      for (let at = 0; at < block.length; ) at += writeSync(fd, block, at, block.length - at);
      written += block.length;
      onProgress(written / total);
      // Lets a cancel get through between blocks.
      await new Promise((resolve) => setImmediate(resolve));
    }
    fsyncSync(fd);
  } catch (error) {
    if (fd !== undefined) closeSync(fd);
    discard();
    throw signal?.aborted ? signal.reason : writeError(target, error);
  }
  closeSync(fd);
  return {
    temporary,
    discard,
    commit() {
      try {
        renameSync(temporary, target);
      } catch (error) {
        discard();
        throw writeError(target, error);
      }
    },
  };
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

/** Refuses a target that must not be written: the source itself, or an existing file that was not to be replaced. */
export function checkTarget(source: string, target: string, overwrite: boolean): void {
  const existing = statSync(target, { throwIfNoEntry: false });
  if (!existsSync(dirname(target))) {
    throw new ModelError('target-folder', `${target} can't be written: the folder does not exist.`);
  }
  if (!existing) return;
  const original = statSync(source);
  if (existing.ino === original.ino && existing.dev === original.dev) {
    throw new ModelError(
      'target-is-source',
      `${target} is the model itself, which is never overwritten. Choose another name.`,
    );
  }
  if (!overwrite) throw new ModelError('target-exists', `${target} exists already.`);
}
