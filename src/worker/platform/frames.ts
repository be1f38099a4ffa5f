import { deserialize, serialize } from 'node:v8';

/** An array whose elements travel as they lie in memory. */
type Elements = ArrayBufferView & { readonly length: number };

/** Stands for an array in a header. */
interface Place {
  readonly frameArray: number;
}

interface Header {
  readonly message: unknown;
  readonly arrays: readonly { readonly kind: string; readonly length: number }[];
}

/**
 * A message as bytes for a pipe: four bytes of length, a header, then the elements of its typed arrays, which are not
 * copied here. Messages are made of what structured cloning takes: plain objects, arrays, maps.
 */
export function framesOf(message: unknown): readonly Uint8Array[] {
  const arrays: Elements[] = [];
  const stripped = mapped(message, (value) => {
    if (!isElements(value)) return undefined;
    arrays.push(value);
    return { frameArray: arrays.length - 1 } satisfies Place;
  });
  const header = serialize({
    message: stripped,
    arrays: arrays.map((array) => ({ kind: array.constructor.name, length: array.length })),
  } satisfies Header);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(header.length);
  return [
    length,
    header,
    ...arrays.map(({ buffer, byteOffset, byteLength }) => new Uint8Array(buffer, byteOffset, byteLength)),
  ];
}

/** Puts messages together again from what comes out of a pipe, in pieces of any size. Arrays get memory of their own. */
export function createFrameReader(onMessage: (message: unknown) => void): (piece: Uint8Array) => void {
  let header: Header | undefined;
  let arrays: Elements[] = [];
  /** What is being filled, and how far. */
  let target = new Uint8Array(4);
  let filled = 0;
  let stage: 'length' | 'header' | 'arrays' = 'length';
  let next = 0;

  const expect = (bytes: Uint8Array) => {
    target = bytes as Uint8Array<ArrayBuffer>;
    filled = 0;
  };
  /** What has come is whole: on to the next part of the message that has any bytes. */
  const advance = () => {
    if (stage === 'length') {
      stage = 'header';
      expect(new Uint8Array(new DataView(target.buffer).getUint32(0, true)));
      return;
    }
    if (stage === 'header') {
      header = deserialize(target) as Header;
      arrays = header.arrays.map(({ kind, length }) => newArray(kind, length));
      stage = 'arrays';
      next = 0;
    }
    while (next < arrays.length) {
      const { buffer, byteOffset, byteLength } = arrays[next++]!;
      if (byteLength === 0) continue;
      expect(new Uint8Array(buffer, byteOffset, byteLength));
      return;
    }
    const own = arrays;
    const message = mapped(header!.message, (value) => (isPlace(value) ? own[value.frameArray] : undefined));
    stage = 'length';
    arrays = [];
    header = undefined;
    expect(new Uint8Array(4));
    onMessage(message);
  };

  return (piece) => {
    for (let at = 0; at < piece.length; ) {
      const some = Math.min(piece.length - at, target.length - filled);
      target.set(piece.subarray(at, at + some), filled);
      at += some;
      filled += some;
      if (filled === target.length) advance();
    }
  };
}

function isElements(value: unknown): value is Elements {
  return ArrayBuffer.isView(value) && !(value instanceof DataView);
}

function isPlace(value: unknown): value is Place {
  return typeof value === 'object' && value !== null && 'frameArray' in value;
}

function newArray(kind: string, length: number): Elements {
  // Buffers are views of memory that others share.
  const name = kind === 'Buffer' ? 'Uint8Array' : kind;
  const Kind = (globalThis as unknown as Record<string, new (length: number) => Elements>)[name]!;
  return new Kind(length);
}

/** A copy of a message in which some values have others in their place. */
function mapped(value: unknown, replace: (value: unknown) => unknown): unknown {
  const other = replace(value);
  if (other !== undefined) return other;
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((each) => mapped(each, replace));
  if (value instanceof Map) return new Map([...value].map(([key, each]) => [key, mapped(each, replace)]));
  if (Object.getPrototypeOf(value) !== Object.prototype) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, mapped(each, replace)]));
}
