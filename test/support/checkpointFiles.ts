import { type ByteSource, memorySource } from '../../src/core/onnx/byteSource';

/** Bytes one after the other. */
export function concat(...parts: readonly (Uint8Array | readonly number[])[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** The bytes of text, one a character. */
export function latin1(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

/** Little-endian bytes of a number. */
export function little(value: number | bigint, bytes: number): Uint8Array {
  const wide = BigInt(value);
  return Uint8Array.from({ length: bytes }, (_, i) => Number((wide >> BigInt(8 * i)) & 255n));
}

/** A safetensors file from the text of its header. `length` overrides the length it claims. */
export function safetensorsFile(
  header: string,
  data: Uint8Array = new Uint8Array(0),
  length?: bigint,
): Uint8Array {
  const text = new TextEncoder().encode(header);
  return concat(little(length ?? text.length, 8), text, data);
}

export interface ZipOptions {
  /** All sizes and offsets in 64-bit records. */
  readonly zip64?: boolean;
  readonly comment?: string;
  /** Changes the fields of an entry's headers before they are written. */
  readonly edit?: (fields: ZipFields, where: 'local' | 'central') => Partial<ZipFields>;
}

export interface ZipFields {
  readonly name: string;
  readonly flags: number;
  readonly method: number;
  readonly stored: number;
  readonly size: number;
  readonly checksum: number;
  /** Of the local header; in the directory only. */
  readonly offset: number;
  /** In front of the zip64 field, as padding is. */
  readonly extra: Uint8Array;
}

/** A zip archive, not compressed but by `edit`. Checksums are 0 likewise: of stored content nobody reads them. */
export function zipFile(
  entries: readonly (readonly [string, Uint8Array])[],
  { zip64 = false, comment = '', edit = () => ({}) }: ZipOptions = {},
): Uint8Array {
  const parts: Uint8Array[] = [];
  const directory: Uint8Array[] = [];
  let position = 0;
  for (const [name, content] of entries) {
    const { length } = content;
    const base = { name, flags: 0, method: 0, stored: length, size: length, checksum: 0, offset: position };
    const padding = concat(latin1('FB'), little(3, 2), [0, 0, 0]);
    const local = header('local', { ...base, extra: padding }, zip64, edit);
    directory.push(header('central', { ...base, extra: new Uint8Array(0) }, zip64, edit));
    parts.push(local, content);
    position += local.length + length;
  }
  const central = concat(...directory);
  const count = entries.length;
  const end = zip64
    ? concat(
        concat(latin1('PK\x06\x06'), little(44, 8), little(45, 2), little(45, 2), little(0, 8)),
        concat(little(count, 8), little(count, 8), little(central.length, 8), little(position, 8)),
        concat(latin1('PK\x06\x07'), little(0, 4), little(position + central.length, 8), little(1, 4)),
        concat(latin1('PK\x05\x06'), little(0, 4), little(0xffff, 2), little(0xffff, 2)),
        concat(little(0xffffffff, 4), little(0xffffffff, 4)),
      )
    : concat(
        concat(latin1('PK\x05\x06'), little(0, 4), little(count, 2), little(count, 2)),
        concat(little(central.length, 4), little(position, 4)),
      );
  return concat(...parts, central, end, little(comment.length, 2), latin1(comment));
}

function header(
  where: 'local' | 'central',
  fields: ZipFields,
  zip64: boolean,
  edit: NonNullable<ZipOptions['edit']>,
): Uint8Array {
  const { name, flags, method, stored, size, checksum, offset, extra } = {
    ...fields,
    ...edit(fields, where),
  };
  const isCentral = where === 'central';
  const wide = concat(little(size, 8), little(stored, 8), isCentral ? little(offset, 8) : []);
  const extras = concat(extra, zip64 ? concat(little(1, 2), little(wide.length, 2), wide) : []);
  const narrow = (value: number) => little(zip64 ? 0xffffffff : value, 4);
  return concat(
    latin1(isCentral ? 'PK\x01\x02' : 'PK\x03\x04'),
    isCentral ? little(45, 2) : [],
    concat(little(45, 2), little(flags, 2), little(method, 2), little(0, 4), little(checksum, 4)),
    concat(narrow(stored), narrow(size), little(name.length, 2), little(extras.length, 2)),
    isCentral ? concat(little(0, 2), little(0, 2), little(0, 2), little(0, 4), narrow(offset)) : [],
    latin1(name),
    extras,
  );
}

/** What {@link pickleOf} writes: plain values, calls, persistent ids. Objects are dicts, arrays lists. */
export type Pickled =
  | null
  | boolean
  | number
  | string
  | readonly Pickled[]
  | { readonly tuple: readonly Pickled[] }
  | { readonly dict: readonly (readonly [Pickled, Pickled])[] }
  | { readonly global: string }
  | { readonly call: string; readonly args: readonly Pickled[] }
  | { readonly persistent: Pickled }
  /** Opcodes as they are; they must leave one value. */
  | { readonly raw: Uint8Array };

/** A pickle of protocol 2 without a memo. */
export function pickleOf(value: Pickled): Uint8Array {
  return concat([0x80, 2], pickled(value), latin1('.'));
}

function pickled(value: Pickled): Uint8Array {
  if (value === null) return latin1('N');
  if (typeof value === 'boolean') return Uint8Array.of(value ? 0x88 : 0x89);
  if (typeof value === 'string') {
    const text = new TextEncoder().encode(value);
    return concat(latin1('X'), little(text.length, 4), text);
  }
  if (typeof value === 'number') {
    return Number.isInteger(value) ? concat([0x8a, 8], little(value, 8)) : latin1(`F${value}\n`);
  }
  if ('raw' in value) return value.raw;
  if ('tuple' in value) return concat(latin1('('), ...value.tuple.map(pickled), latin1('t'));
  if ('dict' in value) return concat(latin1('}('), ...value.dict.flat().map(pickled), latin1('u'));
  if ('persistent' in value) return concat(pickled(value.persistent), latin1('Q'));
  if ('global' in value) {
    const at = value.global.lastIndexOf('.');
    return latin1(`c${value.global.slice(0, at)}\n${value.global.slice(at + 1)}\n`);
  }
  if ('call' in value)
    return concat(pickled({ global: value.call }), pickled({ tuple: value.args }), latin1('R'));
  return concat(latin1(']('), ...value.map(pickled), latin1('e'));
}

/** A tensor as torch pickles it. */
export interface TorchTensor {
  readonly key: string;
  readonly storage: string;
  /** Elements of the storage. */
  readonly count: Pickled;
  readonly offset?: Pickled;
  readonly dims: readonly Pickled[];
  readonly strides: readonly Pickled[];
  readonly device?: string;
  /** Rebuilt from untyped bytes. */
  readonly dtype?: string;
}

export function torchTensor(tensor: TorchTensor): Pickled {
  const { key, storage, count, offset = 0, dims, strides, device = 'cpu', dtype } = tensor;
  return {
    call: `torch._utils._rebuild_tensor_v${dtype ? 3 : 2}`,
    args: [
      { persistent: { tuple: ['storage', { global: storage }, key, device, count] } },
      offset,
      { tuple: dims },
      { tuple: strides },
      false,
      { call: 'collections.OrderedDict', args: [] },
      ...(dtype ? [{ global: dtype }] : []),
    ],
  };
}

/** A float tensor of these dims, row by row, in a storage of its own. */
export function floatTensor(key: string, ...dims: readonly number[]): Pickled {
  const strides = dims.map((_, d) => dims.slice(d + 1).reduce((product, n) => product * n, 1));
  const count = dims.reduce((product, n) => product * n, 1);
  return torchTensor({ key, storage: 'torch.FloatStorage', count, dims, strides });
}

/** A PyTorch checkpoint: what it holds, and the bytes of its storages. */
export function torchFile(
  root: Pickled,
  storages: Readonly<Record<string, Uint8Array>> = {},
  options?: ZipOptions,
): Uint8Array {
  return zipFile(
    [
      ['m/data.pkl', pickleOf(root)],
      ['m/byteorder', latin1('little')],
      ...Object.entries(storages).map(([key, bytes]) => [`m/data/${key}`, bytes] as const),
      ['m/version', latin1('3\n')],
    ],
    options,
  );
}

/** A source that counts the bytes read from it. */
export function countingSource(source: ByteSource): ByteSource & { bytesRead: number; reads: number } {
  const counting = {
    name: source.name,
    size: source.size,
    bytesRead: 0,
    reads: 0,
    read(offset: number, length: number) {
      counting.bytesRead += length;
      counting.reads++;
      return source.read(offset, length);
    },
  };
  return counting;
}

/** A file of `size` bytes of which only some ranges are there; reading anything else throws. */
export function sparseSource(
  name: string,
  size: number,
  parts: readonly (readonly [number, Uint8Array])[],
): ByteSource {
  return {
    name,
    size,
    read(offset, length) {
      const part = parts.find(([start, bytes]) => offset >= start && offset + length <= start + bytes.length);
      if (!part) throw new Error(`bytes ${offset} to ${offset + length} were not to be read`);
      return part[1].subarray(offset - part[0], offset - part[0] + length);
    },
  };
}

/** Bytes as a file. */
export function fileOf(bytes: Uint8Array, name = 'test.pt'): ByteSource {
  return memorySource(name, bytes);
}

/** Deterministic numbers in [0, 1) (mulberry32). */
export function random(seed: number): () => number {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
