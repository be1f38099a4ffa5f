import type { ElementType } from '../onnx/model';

/** How an 8-bit floating-point format spends its bits, and which patterns are no numbers. */
interface Float8Format {
  readonly exponentBits: number;
  readonly bias: number;
  /** "ieee": the largest exponent means infinity or NaN; "one": all ones is NaN; "zero": −0 is NaN. */
  readonly nan: 'ieee' | 'one' | 'zero';
}

/**
 * By ONNX's number of the type. "Float stored in 8 bits" (onnx.ai/onnx/technical/float8.html); e4m3fn and e5m2
 * are those of Micikevicius et al., "FP8 Formats for Deep Learning" (2022), section 3.
 */
const FORMATS: ReadonlyMap<ElementType, Float8Format> = new Map([
  [17, { exponentBits: 4, bias: 7, nan: 'one' }],
  [18, { exponentBits: 4, bias: 8, nan: 'zero' }],
  [19, { exponentBits: 5, bias: 15, nan: 'ieee' }],
  [20, { exponentBits: 5, bias: 16, nan: 'zero' }],
]);

/** float8e8m0: a power of two, without sign or zero. */
const E8M0: ElementType = 24;

const tables = new Map<ElementType, Float32Array>();

/** The values of all 256 patterns of an 8-bit floating-point type; undefined for other types. */
export function float8Values(type: ElementType): Float32Array | undefined {
  const known = tables.get(type);
  if (known) return known;
  const format = FORMATS.get(type);
  if (!format && type !== E8M0) return undefined;
  const table = Float32Array.from({ length: 256 }, (_, bits) =>
    format ? decodeBits(format, bits) : bits === 255 ? Number.NaN : 2 ** (bits - 127),
  );
  tables.set(type, table);
  return table;
}

function decodeBits({ exponentBits, bias, nan }: Float8Format, bits: number): number {
  const fractionBits = 7 - exponentBits;
  const sign = bits & 0x80 ? -1 : 1;
  const exponent = (bits & 0x7f) >> fractionBits;
  const fraction = bits & ((1 << fractionBits) - 1);
  if (nan === 'zero' && bits === 0x80) return Number.NaN;
  if (nan === 'one' && (bits & 0x7f) === 0x7f) return Number.NaN;
  if (nan === 'ieee' && exponent === (1 << exponentBits) - 1) {
    return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  }
  const unit = 2 ** -fractionBits;
  // Without the implicit one below the smallest exponent.
  return exponent === 0
    ? sign * fraction * unit * 2 ** (1 - bias)
    : sign * (1 + fraction * unit) * 2 ** (exponent - bias);
}
