import { sumOfSquares } from '../../tensor/tensorScale';

/**
 * Scales the channels between two factors, in place, so that both are of the same size for each of them: neither leaves
 * the range of half precision then. Each factor holds one block of equal length per channel.
 */
export function balance(first: Float64Array, second: Float64Array, channels: number): void {
  const [one, other] = [first.length / channels, second.length / channels];
  for (let channel = 0; channel < channels; channel++) {
    const a = first.subarray(channel * one, (channel + 1) * one);
    const b = second.subarray(channel * other, (channel + 1) * other);
    const scale = Math.sqrt(Math.sqrt(sumOfSquares(b) / sumOfSquares(a)));
    // A channel that one of them leaves at zero stays as it is.
    if (!(scale > 0 && scale < Infinity)) continue;
    for (let i = 0; i < a.length; i++) a[i] = a[i]! * scale;
    for (let i = 0; i < b.length; i++) b[i] = b[i]! / scale;
  }
}
