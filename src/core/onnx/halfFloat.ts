/**
 * IEEE 754 binary16 and bfloat16 as 16-bit patterns, to and from single precision.
 * Both round to nearest, ties to even; overflow becomes infinity, NaN stays NaN.
 */
const floatView = new Float32Array(1);
const bitsView = new Uint32Array(floatView.buffer);

function floatOf(bits: number): number {
  bitsView[0] = bits;
  return floatView[0]!;
}

function bitsOf(value: number): number {
  floatView[0] = value;
  return bitsView[0]!;
}

/** The value of a binary16 bit pattern. */
export function fromFloat16(half: number): number {
  const sign = (half & 0x8000) << 16;
  const exponent = (half >> 10) & 31;
  const fraction = half & 0x3ff;
  if (exponent === 31) return floatOf((sign | 0x7f800000 | (fraction << 13)) >>> 0);
  // Subnormal halves are multiples of 2^-24.
  if (exponent === 0) return (half & 0x8000 ? -1 : 1) * fraction * 2 ** -24;
  return floatOf((sign | ((exponent + 112) << 23) | (fraction << 13)) >>> 0);
}

/** The nearest binary16 bit pattern. */
export function toFloat16(value: number): number {
  const bits = bitsOf(value);
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00;
  // 65520 and above round to infinity.
  if (magnitude >= 0x477ff000) return sign | 0x7c00;
  if (magnitude < 0x38800000) {
    // Below 2^-14 the result is a subnormal half: count in units of 2^-24, rounding ties to even.
    const units = Math.abs(floatOf(magnitude)) * 2 ** 24;
    const floor = Math.floor(units);
    const rest = units - floor;
    const up = rest > 0.5 || (rest === 0.5 && floor % 2 === 1);
    return sign | (floor + (up ? 1 : 0));
  }
  const rounded = magnitude + 0xfff + ((magnitude >>> 13) & 1);
  return sign | ((rounded - 0x38000000) >>> 13);
}

/** The value of a bfloat16 bit pattern. */
export function fromBfloat16(bits: number): number {
  return floatOf((bits << 16) >>> 0);
}

/** The nearest bfloat16 bit pattern. */
export function toBfloat16(value: number): number {
  const bits = bitsOf(value);
  if ((bits & 0x7fffffff) > 0x7f800000) return (bits >>> 16) | 0x40;
  return (bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16;
}
