import { counted } from '../../core/counted';
import { formatNumber } from '../../core/format';
import type { ByteSource } from '../../core/onnx/byteSource';
import { type FileSource, openFile } from '../fileSource';
import { closeSync, mkdtempSync, openSync, rmSync, tmpdir, writeSync } from '../platform/files';
import { crc32, DamagedDeflate, inflateRaw } from '../platform/inflate';
import { join } from '../platform/paths';
import { dataError } from './dataError';

const BLOCK = 1024 * 1024;
/** Deflate can't do better (RFC 1951: 258 bytes by two bits). */
const LARGEST_RATIO = 1032;

/** A compressed range of a file, and what the archive claims about its content. */
export interface DeflatedRange {
  readonly source: ByteSource;
  readonly offset: number;
  readonly length: number;
  readonly unpackedSize: number;
  readonly checksum: number;
}

/**
 * Unpacks a deflated entry of a zip archive into a temporary file, so that its parts can be read in any order; the
 * file goes when it is closed. Memory: a few blocks. Throws {@link ModelError} ('bad-data') where the content is
 * not what the archive says; more than that is never written.
 */
export async function inflateEntry(
  { source, offset, length, unpackedSize, checksum }: DeflatedRange,
  label: string,
  signal?: AbortSignal,
): Promise<FileSource> {
  if (unpackedSize > LARGEST_RATIO * length + BLOCK) {
    throw dataError(
      label,
      `${counted(length, 'byte')} can't be unpacked to ${formatNumber(unpackedSize)}, as its archive claims`,
    );
  }
  const folder = mkdtempSync(join(tmpdir(), 'ranksmith-'));
  const remove = () => rmSync(folder, { recursive: true, force: true });
  try {
    const path = join(folder, 'unpacked');
    const fd = openSync(path, 'wx');
    let written = 0;
    let sum = 0;
    try {
      const onChunk = (chunk: Uint8Array) => {
        written += chunk.length;
        if (written > unpackedSize)
          throw dataError(label, `it unpacks to more than ${counted(unpackedSize, 'byte')}`);
        sum = crc32(chunk, sum);
        for (let at = 0; at < chunk.length; ) at += writeSync(fd, chunk, at);
      };
      await inflateRaw(blocksOf(source, offset, length), onChunk, signal);
    } catch (error) {
      if (error instanceof DamagedDeflate) throw dataError(label, `it does not unpack (${error.message})`);
      throw error;
    } finally {
      closeSync(fd);
    }
    if (written !== unpackedSize) {
      throw dataError(
        label,
        `it unpacks to ${counted(written, 'byte')} instead of ${formatNumber(unpackedSize)}`,
      );
    }
    if (sum !== checksum) throw dataError(label, 'its checksum does not fit its content');
    const file = openFile(path);
    return {
      ...file,
      close() {
        file.close();
        remove();
      },
    };
  } catch (error) {
    remove();
    throw error;
  }
}

function* blocksOf(source: ByteSource, offset: number, length: number): Generator<Uint8Array> {
  for (let done = 0; done < length; done += BLOCK) {
    yield source.read(offset + done, Math.min(BLOCK, length - done));
  }
}
