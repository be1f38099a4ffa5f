import { ModelError } from '../../core/onnx/modelError';
import { madeUpShape } from '../madeUpValues';
import type { BoundInput } from './boundInput';
import { batchAxis, type ModelInput } from './modelInput';
import { randomColumn } from './randomColumn';
import { repeated } from './sampleColumn';

/** What is needed to make values up. */
export interface RandomOptions {
  readonly count: number;
  readonly seed: number;
  readonly given: ReadonlyMap<string, number>;
  sizeOf(symbol: string): number | undefined;
  assume(symbol: string, size: number): void;
}

/** An input whose values are made up; one without an axis of samples has the same for all. */
export function bindRandom(
  inputs: readonly ModelInput[],
  input: ModelInput,
  { count, seed, given, sizeOf, assume }: RandomOptions,
): BoundInput {
  if (input.shape === null) {
    throw new ModelError(
      'bad-data',
      `There is no data for the input "${input.name}", and no value can be made up for a tensor of unknown order.`,
    );
  }
  const axis = batchAxis(inputs, input);
  const batch = axis === null ? undefined : input.shape[axis];
  const dims = madeUpShape(
    input,
    (symbol) => (symbol === batch ? 1 : (sizeOf(symbol) ?? given.get(symbol))),
    assume,
  );
  const shape = dims.filter((_, i) => i !== axis);
  const column =
    axis === null
      ? repeated(randomColumn(input, shape, 1, seed, given), count)
      : randomColumn(input, shape, count, seed, given);
  return { input, column, axis, isShared: axis === null, isMadeUp: true };
}
