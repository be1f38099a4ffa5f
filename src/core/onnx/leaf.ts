import type { FieldSpan, Span } from './model';
import { type WireField, type WireReader, WireType } from './wire';

/** A leaf message (names, scalars, a declared type) is never near this large; a claim that it is, is refused. */
const MAX_LEAF_BYTES = 64 * 1024 * 1024;

/** Collects the fields of one message that onnx-proto shall decode. Neighbours are read as one range. */
export class Leaf {
  private readonly ranges: Span[] = [];
  private length = 0;

  constructor(private readonly reader: WireReader) {}

  add(field: WireField): void {
    this.addRange(field.start, field.end);
  }

  addRange(start: number, end: number): void {
    this.length += end - start;
    if (this.length > MAX_LEAF_BYTES) {
      throw this.reader.error(
        'malformed',
        start,
        `names and scalars of one message fill more than ${MAX_LEAF_BYTES >> 20} MB`,
      );
    }
    const last = this.ranges.at(-1);
    if (last && last.end === start) this.ranges[this.ranges.length - 1] = { start: last.start, end };
    else this.ranges.push({ start, end });
  }

  /** Hands the collected bytes to `decoder`; what protobufjs throws becomes a sentence with the offset. */
  decode<T>(offset: number, decoder: (bytes: Uint8Array) => T): T {
    const bytes = new Uint8Array(this.length);
    let at = 0;
    for (const { start, end } of this.ranges) {
      bytes.set(this.reader.bytes(start, end), at);
      at += end - start;
    }
    try {
      return decoder(bytes);
    } catch (error) {
      throw this.reader.error('malformed', offset, `a message does not decode (${(error as Error).message})`);
    }
  }
}

/** Refuses a field that should hold a message or bytes, and holds a number. */
export function expectBytes(reader: WireReader, field: WireField, what: string): void {
  if (field.wireType !== WireType.bytes) {
    throw reader.error(
      'malformed',
      field.start,
      `a ${what} was expected, but the field holds a plain number`,
    );
  }
}

/** Where a field stands, as a value of its own: the reader reuses the field. */
export function spanOf(field: WireField): FieldSpan {
  return { start: field.start, payload: field.payload, end: field.end };
}
