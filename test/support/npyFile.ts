import { crc32, deflateRawSync } from 'node:zlib';
import { concat, latin1, zipFile } from './checkpointFiles';

/** How an .npy file is written. */
export interface NpyOptions {
  readonly fortran?: boolean;
  readonly version?: 1 | 2 | 3;
}

const WRITERS: Record<string, (view: DataView, at: number, value: number, little: boolean) => void> = {
  b1: (v, at, x) => v.setUint8(at, x),
  u1: (v, at, x) => v.setUint8(at, x),
  i1: (v, at, x) => v.setInt8(at, x),
  u2: (v, at, x, le) => v.setUint16(at, x, le),
  i2: (v, at, x, le) => v.setInt16(at, x, le),
  u4: (v, at, x, le) => v.setUint32(at, x, le),
  i4: (v, at, x, le) => v.setInt32(at, x, le),
  u8: (v, at, x, le) => v.setBigUint64(at, BigInt(x), le),
  i8: (v, at, x, le) => v.setBigInt64(at, BigInt(x), le),
  f4: (v, at, x, le) => v.setFloat32(at, x, le),
  f8: (v, at, x, le) => v.setFloat64(at, x, le),
  // As bit patterns.
  f2: (v, at, x, le) => v.setUint16(at, x, le),
};

/** An .npy file of values given in C order; `descr` as NumPy spells it: "<f4", "|u1", ">i2". */
export function npyFile(
  descr: string,
  shape: readonly number[],
  values: ArrayLike<number>,
  { fortran = false, version = 1 }: NpyOptions = {},
): Uint8Array {
  const code = descr.slice(1);
  const size = Number(code.slice(1));
  const data = new Uint8Array(values.length * size);
  const view = new DataView(data.buffer);
  const place = shape.map(() => 0);
  for (let c = 0; c < values.length; c++) {
    // From the place of an element to its index with the first axis running fastest.
    const f = place.reduceRight((index, p, axis) => index * shape[axis]! + p, 0);
    WRITERS[code]!(view, (fortran ? f : c) * size, values[c]!, descr[0] !== '>');
    for (let axis = shape.length - 1; axis >= 0 && ++place[axis]! === shape[axis]; axis--) place[axis] = 0;
  }
  const dims = shape.length === 1 ? `${shape[0]},` : shape.join(', ');
  return npyBytes(
    `{'descr': '${descr}', 'fortran_order': ${fortran ? 'True' : 'False'}, 'shape': (${dims}), }`,
    data,
    version,
  );
}

/** An .npy file with any text as its header. */
export function npyBytes(header: string, data: Uint8Array, version = 1): Uint8Array {
  const text = latin1(`${header.padEnd(117)}\n`);
  const length =
    version === 1
      ? [text.length & 255, text.length >> 8]
      : [text.length & 255, text.length >> 8, text.length >> 16, 0];
  return concat([0x93], latin1('NUMPY'), [version, 0], length, text, data);
}

/** An .npz archive, as numpy.savez or numpy.savez_compressed writes it. */
export function npzFile(
  arrays: Readonly<Record<string, Uint8Array>>,
  { compressed = false, zip64 = false } = {},
): Uint8Array {
  const entries = Object.entries(arrays).map(([name, bytes]) => ({
    name: `${name}.npy`,
    bytes,
    packed: compressed ? deflateRawSync(bytes) : bytes,
  }));
  return zipFile(
    entries.map(({ name, packed }) => [name, packed]),
    {
      zip64,
      edit({ name }) {
        const { bytes } = entries.find((entry) => entry.name === name)!;
        return { method: compressed ? 8 : 0, size: bytes.length, checksum: crc32(bytes) };
      },
    },
  );
}
