import { counted } from '../counted';
import { ModelError, type ModelErrorCode } from '../onnx/modelError';

const LARGEST_INTEGER_BYTES = 1024;
const strictText = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const byteText = new TextDecoder('latin1');

/** A position in the bytes of a pickle, and the arguments of its opcodes. Reading beyond the end is refused. */
export class PickleBytes {
  /** Of the next byte. */
  at = 0;
  private readonly view: DataView;

  constructor(
    private readonly bytes: Uint8Array,
    /** For messages: the file, and the entry of it. */
    private readonly label: string,
  ) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get length(): number {
    return this.bytes.length;
  }

  /** Steps over `count` bytes and returns where they begin. */
  private step(count: number): number {
    const start = this.at;
    if (count > this.bytes.length - start)
      throw this.error('truncated', `it should go on for ${counted(count, 'byte')}`);
    this.at = start + count;
    return start;
  }

  uint8(): number {
    return this.bytes[this.step(1)]!;
  }

  uint16(): number {
    return this.view.getUint16(this.step(2), true);
  }

  int32(): number {
    return this.view.getInt32(this.step(4), true);
  }

  uint32(): number {
    return this.view.getUint32(this.step(4), true);
  }

  /** Exact to 2^53; beyond that it is longer than any pickle, which is all that matters. */
  uint64(): number {
    const start = this.step(8);
    return this.view.getUint32(start, true) + this.view.getUint32(start + 4, true) * 2 ** 32;
  }

  /** The one big-endian number there is. */
  float64(): number {
    return this.view.getFloat64(this.step(8), false);
  }

  /** A copy of the next `count` bytes. */
  copy(count: number): Uint8Array {
    const start = this.step(count);
    return this.bytes.slice(start, start + count);
  }

  /** The next `count` bytes as text: UTF-8, or one character a byte where they are not that. */
  text(count: number): string {
    const start = this.step(count);
    return decode(this.bytes.subarray(start, start + count));
  }

  /** Text up to the end of the line, which is stepped over. */
  line(): string {
    const end = this.bytes.indexOf(10, this.at);
    if (end < 0) throw this.error('truncated', 'a line has no end');
    const text = this.text(end - this.at);
    this.at = end + 1;
    return text;
  }

  /** A little-endian two's-complement integer of `count` bytes; null where it is absurdly long. */
  integer(count: number): number | bigint | null {
    const start = this.step(count);
    if (count > LARGEST_INTEGER_BYTES) return null;
    let value = 0n;
    for (let i = start + count - 1; i >= start; i--) value = (value << 8n) | BigInt(this.bytes[i]!);
    return exact(BigInt.asIntN(8 * count, value));
  }

  /** A {@link ModelError} that names the file and the offset. */
  error(code: ModelErrorCode, what: string, offset = this.at): ModelError {
    const hint = code === 'truncated' ? ' The file looks cut off.' : '';
    return new ModelError(code, `${this.label} is not a readable pickle: at byte ${offset}, ${what}.${hint}`);
  }
}

/** The decimal integer of a text opcode, or undefined. */
export function parseInteger(text: string): number | bigint | undefined {
  return /^[+-]?\d{1,400}$/.test(text) ? exact(BigInt(text.replace('+', ''))) : undefined;
}

function exact(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

function decode(bytes: Uint8Array): string {
  try {
    return strictText.decode(bytes);
  } catch {
    return byteText.decode(bytes);
  }
}
