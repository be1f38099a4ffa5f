import { counted } from '../counted';
import type { ByteSource } from '../onnx/byteSource';
import { ModelError } from '../onnx/modelError';
import { shorten } from './json';
import { findDirectory, uint64 } from './zipDirectory';

/** A file in a zip archive, as the archive's directory states it. */
export interface ZipEntry {
  readonly name: string;
  /** Bytes in the archive. */
  readonly size: number;
  /** Bytes once unpacked: the same, unless it is compressed. As the archive claims. */
  readonly unpackedSize: number;
  /** CRC-32 of the unpacked content, as the archive claims. */
  readonly checksum: number;
  /** Of the local header in front of the content. */
  readonly headerOffset: number;
  /** Nothing of this entry can stand here or behind. */
  readonly limit: number;
  /** {@link ZipMethod}: only what is stored can be read in place. */
  readonly method: number;
  readonly flags: number;
}

/** The directory of a zip archive. */
export interface ZipArchive {
  readonly source: ByteSource;
  readonly entries: ReadonlyMap<string, ZipEntry>;
}

/** How the content of an entry is kept, where this code can read it. */
export const ZipMethod = { stored: 0, deflated: 8 } as const;

const ENTRY_BYTES = 46;
const LOCAL_BYTES = 30;
const ENCRYPTED = 0x1 | 0x40 | 0x2000;
const SIZES_FOLLOW = 0x8;
const NAME_IS_UTF8 = 0x800;
const utf8 = new TextDecoder('utf-8');
const latin1 = new TextDecoder('latin1');

/**
 * Reads the directory of a zip archive (APPNOTE.TXT 6.3.10, sections 4.3 and 4.5.3), zip64 included, and
 * nothing else of the file. Throws {@link ModelError} where records contradict each other or the file.
 */
export function readZip(source: ByteSource): ZipArchive {
  const directory = findDirectory(source);
  const bytes = source.read(directory.offset, directory.length);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const found: ZipEntry[] = [];
  let at = 0;
  for (let i = 0; i < directory.count; i++) {
    const place = `at byte ${directory.offset + at}`;
    if (at + ENTRY_BYTES > bytes.length || view.getUint32(at, true) !== 0x02014b50) {
      throw zipError(source, `${place}, entry ${i + 1} of ${directory.count} of the directory was expected`);
    }
    const nameLength = view.getUint16(at + 28, true);
    const extraLength = view.getUint16(at + 30, true);
    const end = at + ENTRY_BYTES + nameLength + extraLength + view.getUint16(at + 32, true);
    if (end > bytes.length) throw zipError(source, `${place}, an entry reaches beyond the directory`);
    const flags = view.getUint16(at + 8, true);
    const nameBytes = bytes.subarray(at + ENTRY_BYTES, at + ENTRY_BYTES + nameLength);
    const name = decodeName(nameBytes, flags);
    const wide = zip64Fields(view, at + ENTRY_BYTES + nameLength, extraLength, [
      view.getUint32(at + 24, true),
      view.getUint32(at + 20, true),
      view.getUint32(at + 42, true),
    ]);
    if (!wide) throw zipError(source, `${place}, ${quote(name)} has no usable 64-bit sizes`);
    const [size, stored, headerOffset] = wide as [number, number, number];
    const method = view.getUint16(at + 10, true);
    if (method === ZipMethod.stored && size !== stored) {
      throw zipError(source, `${place}, ${quote(name)} is stored as it is, but its two sizes differ`);
    }
    if (headerOffset + LOCAL_BYTES + nameLength + stored > directory.offset) {
      throw zipError(source, `${place}, ${quote(name)} reaches into the directory or beyond`);
    }
    found.push({
      name,
      size: stored,
      unpackedSize: size,
      checksum: view.getUint32(at + 16, true),
      headerOffset,
      limit: directory.offset,
      method,
      flags,
    });
    at = end;
  }
  if (at !== bytes.length) {
    throw zipError(source, `its directory has ${counted(bytes.length - at, 'byte')} behind its last entry`);
  }
  return { source, entries: separate(source, found) };
}

/** The entries by name, none twice, each with the start of its neighbour as its limit. */
function separate(source: ByteSource, found: readonly ZipEntry[]): ReadonlyMap<string, ZipEntry> {
  const order = [...found].sort((a, b) => a.headerOffset - b.headerOffset);
  const limits = new Map<ZipEntry, number>();
  order.forEach((entry, i) => {
    const next = order[i + 1];
    if (!next) return;
    if (entry.headerOffset + LOCAL_BYTES + entry.size > next.headerOffset) {
      throw zipError(source, `${quote(entry.name)} and ${quote(next.name)} overlap`);
    }
    limits.set(entry, next.headerOffset);
  });
  const entries = new Map<string, ZipEntry>();
  for (const entry of found) {
    if (entries.has(entry.name)) throw zipError(source, `it holds ${quote(entry.name)} twice`);
    entries.set(entry.name, { ...entry, limit: limits.get(entry) ?? entry.limit });
  }
  return entries;
}

/**
 * Where the content of an entry stands, having held its local header against the directory. Throws
 * {@link ModelError} for encrypted entries, for compressed ones (unless `mayDeflate`), and where the two disagree.
 */
export function locateEntry(
  { source }: ZipArchive,
  entry: ZipEntry,
  mayDeflate = false,
): { readonly offset: number; readonly length: number } {
  const { headerOffset } = entry;
  const label = `at byte ${headerOffset}, the entry ${quote(entry.name)}`;
  if (entry.flags & ENCRYPTED) throw zipError(source, `${label} is encrypted`, 'unsupported-format');
  if (entry.method !== ZipMethod.stored && !(mayDeflate && entry.method === ZipMethod.deflated)) {
    const usual = mayDeflate ? '' : ', which PyTorch never does';
    throw zipError(
      source,
      `${label} is compressed (method ${entry.method})${usual}; unpacking the archive and packing it again without compression helps`,
      'unsupported-format',
    );
  }
  const header = source.read(headerOffset, LOCAL_BYTES);
  const view = new DataView(header.buffer, header.byteOffset, LOCAL_BYTES);
  if (view.getUint32(0, true) !== 0x04034b50) throw zipError(source, `${label} does not begin with a header`);
  const nameLength = view.getUint16(26, true);
  const extraLength = view.getUint16(28, true);
  const offset = headerOffset + LOCAL_BYTES + nameLength + extraLength;
  if (offset + entry.size > entry.limit) throw zipError(source, `${label} overlaps what stands behind it`);
  const rest = source.read(headerOffset + LOCAL_BYTES, nameLength + extraLength);
  const flags = view.getUint16(6, true);
  if (
    decodeName(rest.subarray(0, nameLength), flags) !== entry.name ||
    view.getUint16(8, true) !== entry.method
  ) {
    throw zipError(source, `${label} has another name or method in its own header`);
  }
  if (flags & ENCRYPTED) throw zipError(source, `${label} is encrypted`, 'unsupported-format');
  const sizes = zip64Fields(
    new DataView(rest.buffer, rest.byteOffset, rest.byteLength),
    nameLength,
    extraLength,
    [view.getUint32(22, true), view.getUint32(18, true)],
  );
  // A writer that streams leaves the sizes 0 here and repeats them behind the content.
  const streamed = (flags & SIZES_FOLLOW) !== 0 && sizes?.every((size) => size === 0);
  if (!streamed && !(sizes?.[0] === entry.unpackedSize && sizes[1] === entry.size)) {
    throw zipError(source, `${label} has another size in its own header`);
  }
  return { offset, length: entry.size };
}

/**
 * 32-bit fields, those that are all ones replaced by the 64-bit values of the zip64 extra field, which holds
 * them in the same order. undefined where it holds too few, or extra fields do not fit their space.
 */
function zip64Fields(
  view: DataView,
  start: number,
  length: number,
  fields: readonly number[],
): readonly number[] | undefined {
  if (!fields.includes(0xffffffff)) return fields;
  const end = start + length;
  for (let at = start; at + 4 <= end; ) {
    const id = view.getUint16(at, true);
    const fieldEnd = at + 4 + view.getUint16(at + 2, true);
    if (fieldEnd > end) return undefined;
    if (id === 1) {
      let value = at + 4;
      const wide = fields.map((field) => {
        if (field !== 0xffffffff) return field;
        value += 8;
        return value <= fieldEnd ? uint64(view, value - 8) : undefined;
      });
      return wide.every((field) => field !== undefined) ? wide : undefined;
    }
    at = fieldEnd;
  }
  return undefined;
}

function decodeName(bytes: Uint8Array, flags: number): string {
  return (flags & NAME_IS_UTF8 ? utf8 : latin1).decode(bytes);
}

function quote(name: string): string {
  return JSON.stringify(shorten(name));
}

function zipError(
  source: ByteSource,
  what: string,
  code: 'malformed' | 'unsupported-format' = 'malformed',
): ModelError {
  return new ModelError(code, `${source.name} is not a readable zip archive: ${what}.`);
}
