import type { Constant } from '../core/onnx/constants';
import { isFactorableType } from '../core/onnx/elements';
import { decodeFloats, type TensorLocation } from '../core/onnx/tensorData';
import { locateStored, readConstant } from './constantValues';
import type { OpenModel } from './openModel';

/** Bytes that are compared at a time; a multiple of every element's size. */
const CHUNK = 4 * 1024 * 1024;

/** How two constants of the same shape differ. */
export interface WeightChange {
  readonly isSame: boolean;
  /** ‖W − Ŵ‖ / ‖W‖ (Frobenius); null where the elements are no floating-point numbers, or W is zero. */
  readonly relative: number | null;
}

/**
 * Compares two constants of the same dimensions and element type. Stored the same way they are compared in pieces, byte by
 * byte first: nothing is decoded until a byte differs. Throws ModelErrors.
 */
export function weightChange(
  before: { readonly open: OpenModel; readonly constant: Constant },
  after: { readonly open: OpenModel; readonly constant: Constant },
): WeightChange {
  const a = locateStored(before.open, before.constant);
  const b = locateStored(after.open, after.constant);
  const [first, second] = [before.constant, after.constant];
  const type = first.source.tensor?.type ?? first.type;
  const storedAlike =
    first.source.kind === second.source.kind &&
    type === (second.source.tensor?.type ?? second.type) &&
    JSON.stringify(first.steps) === JSON.stringify(second.steps);
  if (a && b && a.length === b.length && storedAlike) {
    if (sameBytes(a, b)) return { isSame: true, relative: 0 };
    return { isSame: false, relative: isFactorableType(type) ? relativeInPieces(type, a, b) : null };
  }
  if (!isFactorableType(type) || !isFactorableType(first.type)) return { isSame: false, relative: null };
  const sums = newSums();
  addDifference(sums, readConstant(before.open, first), readConstant(after.open, second));
  return { isSame: sums.difference === 0, relative: relativeOf(sums) };
}

function sameBytes(a: TensorLocation, b: TensorLocation): boolean {
  for (let at = 0; at < a.length; at += CHUNK) {
    const length = Math.min(CHUNK, a.length - at);
    const left = a.source.read(a.offset + at, length);
    const right = b.source.read(b.offset + at, length);
    for (let i = 0; i < length; i++) if (left[i] !== right[i]) return false;
  }
  return true;
}

interface Sums {
  difference: number;
  norm: number;
}

const newSums = (): Sums => ({ difference: 0, norm: 0 });

function relativeInPieces(type: number, a: TensorLocation, b: TensorLocation): number | null {
  const sums = newSums();
  for (let at = 0; at < a.length; at += CHUNK) {
    const length = Math.min(CHUNK, a.length - at);
    const read = ({ source, offset }: TensorLocation) => decodeFloats(type, source.read(offset + at, length));
    addDifference(sums, read(a), read(b));
  }
  return relativeOf(sums);
}

function addDifference(sums: Sums, a: Float32Array | Float64Array, b: Float32Array | Float64Array): void {
  for (let i = 0; i < a.length; i++) {
    sums.difference += (a[i]! - b[i]!) ** 2;
    sums.norm += a[i]! ** 2;
  }
}

function relativeOf({ difference, norm }: Sums): number | null {
  const relative = Math.sqrt(difference / norm);
  return Number.isFinite(relative) ? relative : null;
}
