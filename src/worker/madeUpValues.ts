import { holdsOneNumber } from '../core/onnx/bindings';
import { isFloatType } from '../core/onnx/elements';
import type { ModelInput } from './calibration/modelInput';

/** Sizes for an input that nobody gave a value: symbols by `sizeOf`, else a guess that is handed to `assume`. */
export function madeUpShape(
  { shape }: ModelInput,
  sizeOf: (symbol: string) => number | undefined,
  assume: (symbol: string, size: number) => void,
): readonly number[] {
  return (shape ?? []).map((dim, axis) => {
    if (typeof dim === 'number') return dim;
    const known = sizeOf(dim!);
    if (known !== undefined) return known;
    const guess = guessDim(axis, shape!.length);
    assume(dim!, guess);
    return guess;
  });
}

/** 1 for the first axis, 3 channels and 224 × 224 pixels for pictures, 16 otherwise. */
function guessDim(axis: number, order: number): number {
  if (axis === 0) return 1;
  if (order === 4) return axis === 1 ? 3 : 224;
  return 16;
}

/** Values for an input that nobody gave one: its number from `bind` where it is one whole number, else normal ones, 0 and 1 for integers. */
export function madeUpValues(
  { name, shape, type }: ModelInput,
  bind: ReadonlyMap<string, number>,
  normal: () => number,
): () => number {
  const given = holdsOneNumber(shape, type) ? bind.get(name) : undefined;
  if (given !== undefined) return () => given;
  return isFloatType(type) ? normal : () => (normal() > 0 ? 1 : 0);
}
