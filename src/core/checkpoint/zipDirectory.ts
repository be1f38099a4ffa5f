import { counted } from '../counted';
import type { ByteSource } from '../onnx/byteSource';
import { ModelError } from '../onnx/modelError';

/** Where the directory of a zip archive stands, and how many entries it has. */
export interface ZipDirectory {
  readonly offset: number;
  readonly length: number;
  readonly count: number;
}

const END_BYTES = 22;
const END64_BYTES = 56;
const LOCATOR_BYTES = 20;
const LARGEST_COMMENT = 0xffff;
/** Some 200,000 entries; the largest real checkpoints have tens of thousands. */
const LARGEST_DIRECTORY = 16 * 1024 * 1024;

/**
 * Finds the directory of a zip archive from the records at its end (APPNOTE.TXT 6.3.10, sections 4.3.14 to
 * 4.3.16). It must end where those records begin. Throws {@link ModelError} where there is none.
 */
export function findDirectory(source: ByteSource): ZipDirectory {
  // Without a comment, which is how PyTorch writes, the last 22 bytes are all of it.
  const found = findEnd(source, END_BYTES) ?? findEnd(source, END_BYTES + LARGEST_COMMENT);
  if (!found) {
    throw fail(
      source,
      'truncated',
      'its directory, which stands at the end, is missing. The file looks cut off',
    );
  }
  const { view, at, offset } = found;
  const narrow: ZipDirectory = {
    count: view.getUint16(at + 10, true),
    length: view.getUint32(at + 12, true),
    offset: view.getUint32(at + 16, true),
  };
  if (view.getUint16(at + 4, true) !== view.getUint16(at + 6, true)) {
    throw fail(source, 'unsupported-format', 'it is one volume of several');
  }
  const wide = zip64Directory(source, offset);
  const needsWide = narrow.count === 0xffff || narrow.length === 0xffffffff || narrow.offset === 0xffffffff;
  if (needsWide && !wide) throw fail(source, 'malformed', 'its 64-bit directory record is missing');
  const { end, ...directory } = wide ?? { ...narrow, end: offset };
  if (!wide && view.getUint16(at + 8, true) !== narrow.count) {
    throw fail(source, 'unsupported-format', 'it is one volume of several');
  }
  if (directory.offset + directory.length !== end) {
    throw fail(
      source,
      'malformed',
      `its directory of ${counted(directory.length, 'byte')} at byte ${directory.offset} does not end at byte ${end}, where the last record begins`,
    );
  }
  if (directory.length > LARGEST_DIRECTORY) {
    throw fail(
      source,
      'too-large',
      `its directory has ${counted(directory.length, 'byte')}, more than are read here`,
    );
  }
  return directory;
}

/** What the zip64 record in front of the end record says, if there is one, and where it stands. */
function zip64Directory(source: ByteSource, endOffset: number): (ZipDirectory & { end: number }) | undefined {
  const locatorOffset = endOffset - LOCATOR_BYTES;
  if (locatorOffset < 0) return undefined;
  const locator = viewOf(source.read(locatorOffset, LOCATOR_BYTES));
  if (locator.getUint32(0, true) !== 0x07064b50) return undefined;
  const offset = uint64(locator, 8);
  if (offset + END64_BYTES > locatorOffset) {
    throw fail(source, 'malformed', `its 64-bit directory record should stand at byte ${offset}`);
  }
  const record = viewOf(source.read(offset, END64_BYTES));
  if (record.getUint32(0, true) !== 0x06064b50 || offset + 12 + uint64(record, 4) !== locatorOffset) {
    throw fail(source, 'malformed', `its 64-bit directory record is not at byte ${offset}`);
  }
  if (uint64(record, 24) !== uint64(record, 32)) {
    throw fail(source, 'unsupported-format', 'it is one volume of several');
  }
  return { count: uint64(record, 32), length: uint64(record, 40), offset: uint64(record, 48), end: offset };
}

/** The record whose comment ends with the file, within the last `length` bytes; a comment may look like one. */
function findEnd(
  source: ByteSource,
  length: number,
): { readonly view: DataView; readonly at: number; readonly offset: number } | undefined {
  const tailLength = Math.min(source.size, length);
  const tailStart = source.size - tailLength;
  const view = viewOf(source.read(tailStart, tailLength));
  for (let at = tailLength - END_BYTES; at >= 0; at--) {
    const commentEnd = at + END_BYTES + view.getUint16(at + 20, true);
    if (view.getUint32(at, true) === 0x06054b50 && commentEnd === tailLength) {
      return { view, at, offset: tailStart + at };
    }
  }
  return undefined;
}

/** A 64-bit number, exact to 2^53; beyond that it is larger than any file, which is all that matters. */
export function uint64(view: DataView, at: number): number {
  return view.getUint32(at, true) + view.getUint32(at + 4, true) * 2 ** 32;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function fail(
  source: ByteSource,
  code: 'truncated' | 'malformed' | 'unsupported-format' | 'too-large',
  what: string,
): ModelError {
  return new ModelError(code, `${source.name} is not a readable zip archive: ${what}.`);
}
