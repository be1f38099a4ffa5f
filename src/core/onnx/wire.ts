import { counted } from '../counted';
import type { ByteSource } from './byteSource';
import { ModelError, type ModelErrorCode } from './modelError';

/** Protocol-buffer wire types that ONNX uses; groups (3, 4) are refused. */
export const WireType = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 } as const;

/** One field of a message, as {@link WireReader.walk} meets it. The object is reused: copy what you keep. */
export interface WireField {
  /** Field number, ≥ 1. */
  number: number;
  wireType: number;
  /** Offset of the tag. */
  start: number;
  /** Offset of the value: behind the tag, and behind the length where there is one. */
  payload: number;
  /** Offset behind the value. */
  end: number;
  /** Of a varint field: the value, exact to 2^53. */
  value: number;
}

const FIRST_WINDOW = 4 * 1024;
const LARGEST_WINDOW = 64 * 1024;

/**
 * A strict walker over protocol-buffer bytes (Protocol Buffers encoding guide) that reads through a small
 * window, so that walking past a payload costs nothing. Every length is held against the end of the message
 * it stands in; what does not fit is a {@link ModelError} naming the file and the offset.
 */
export class WireReader {
  private window: Uint8Array = new Uint8Array(0);
  private low = 0;
  private high = 0;
  private varintValue = 0;

  /** `what` the file should be, for messages. */
  constructor(
    readonly source: ByteSource,
    private readonly what = 'ONNX model',
  ) {}

  /** Calls `visit` for each field of the message in `[start, end)`. */
  walk(start: number, end: number, visit: (field: WireField) => void): void {
    const field: WireField = { number: 0, wireType: 0, start: 0, payload: 0, end: 0, value: 0 };
    let position = start;
    while (position < end) {
      field.start = position;
      position = this.varint(position, end);
      const tag = this.varintValue;
      field.number = Math.floor(tag / 8);
      field.wireType = tag % 8;
      field.value = 0;
      if (field.number === 0 || field.number > 0x1fffffff) {
        throw this.error('malformed', field.start, `a field has the impossible number ${field.number}`);
      }
      field.payload = position;
      switch (field.wireType) {
        case WireType.varint:
          field.end = this.varint(position, end);
          field.value = this.varintValue;
          break;
        case WireType.fixed64:
          field.end = position + 8;
          break;
        case WireType.fixed32:
          field.end = position + 4;
          break;
        case WireType.bytes: {
          field.payload = this.varint(position, end);
          field.end = field.payload + this.varintValue;
          break;
        }
        default:
          throw this.error(
            'malformed',
            field.start,
            `a field has wire type ${field.wireType}, which ONNX does not use`,
          );
      }
      if (field.end > end) {
        const code = field.end > this.source.size ? 'truncated' : 'malformed';
        throw this.error(
          code,
          field.start,
          `a field of ${counted(field.end - field.payload, 'byte')} ends ${counted(field.end - end, 'byte')} behind the message it stands in`,
        );
      }
      position = field.end;
      visit(field);
    }
  }

  /** A copy of the bytes in `[start, end)`. */
  bytes(start: number, end: number): Uint8Array {
    if (start >= this.low && end <= this.high) {
      return this.window.slice(start - this.low, end - this.low);
    }
    return this.source.read(start, end - start).slice();
  }

  /** A {@link ModelError} that names the file and the offset. */
  error(code: ModelErrorCode, offset: number, what: string): ModelError {
    const hint = code === 'truncated' ? ' The file looks cut off.' : '';
    return new ModelError(
      code,
      `${this.source.name} is not a readable ${this.what}: at byte ${offset}, ${what}.${hint}`,
    );
  }

  /** Decodes the varint at `position` into `varintValue`; returns the offset behind it. */
  private varint(position: number, end: number): number {
    let value = 0;
    let scale = 1;
    for (let i = 0; i < 10; i++) {
      const at = position + i;
      if (at >= end) {
        throw this.error(at >= this.source.size ? 'truncated' : 'malformed', position, 'a number is cut off');
      }
      const byte = at >= this.low && at < this.high ? this.window[at - this.low]! : this.load(at);
      value += (byte & 127) * scale;
      if (byte < 128) {
        this.varintValue = value;
        return at + 1;
      }
      scale *= 128;
    }
    throw this.error('malformed', position, 'a number is longer than ten bytes');
  }

  /** Moves the window to `position` and returns the byte there. Reading on doubles the window, jumping shrinks it. */
  private load(position: number): number {
    const readsOn = position === this.high;
    const wanted = readsOn
      ? Math.min(LARGEST_WINDOW, Math.max(FIRST_WINDOW, 2 * this.window.length))
      : FIRST_WINDOW;
    const length = Math.min(wanted, this.source.size - position);
    this.window = this.source.read(position, length);
    this.low = position;
    this.high = position + length;
    return this.window[0]!;
  }
}

/** The varint bytes of a non-negative integer below 2^53. */
export function encodeVarint(value: number): Uint8Array {
  const out: number[] = [];
  while (value >= 128) {
    out.push((value % 128) | 128);
    value = Math.floor(value / 128);
  }
  out.push(value);
  return Uint8Array.from(out);
}

/** Tag and length of a length-delimited field. */
export function fieldHeader(number: number, length: number): Uint8Array {
  const tag = encodeVarint(number * 8 + WireType.bytes);
  const size = encodeVarint(length);
  const out = new Uint8Array(tag.length + size.length);
  out.set(tag);
  out.set(size, tag.length);
  return out;
}
