import { counted } from '../../core/counted';
import { elementCount, isFloatType } from '../../core/onnx/elements';
import { ModelError } from '../../core/onnx/modelError';
import type { BoundInput } from './boundInput';
import { imageLayout } from './imageLayout';
import { declaredShape, type ModelInput } from './modelInput';
import type { ImageFitting, Preprocessing } from './preprocessing';

const UINT8 = 2;

/** The input that scale, mean and std are for; undefined where there are none. Throws {@link ModelError} where no input is. */
export function normalisedInput(
  inputs: readonly ModelInput[],
  { scale, mean, std, input: name, image }: Preprocessing,
): ModelInput | undefined {
  if (scale === undefined && mean.length === 0 && std.length === 0) return undefined;
  const floats = inputs.filter(({ type }) => isFloatType(type));
  const found =
    name === undefined
      ? (floats.find(({ shape }) => shape?.length === 4 && imageLayout(shape, image.layout)) ?? floats[0])
      : floats.find((input) => input.name === name);
  if (found) return found;
  throw new ModelError(
    'bad-data',
    name === undefined
      ? 'A mean and a standard deviation were given, but the model has no input of floating-point numbers.'
      : `A mean and a standard deviation were given for the input "${name}", but the model has no such input of floating-point numbers.`,
  );
}

/** The axis of the channels within one sample, and their number; undefined where a sample has none. */
export interface Channels {
  readonly axis: number;
  readonly count: number;
}

/** Where one sample of an input has this many channels: where a picture has them, else on its first axis or its last. */
function channelsOf(
  { input, column, axis }: BoundInput,
  count: number,
  layout: ImageFitting['layout'],
): Channels | undefined {
  if (count === 1) return undefined;
  const { shape } = column;
  const known = imageLayout(input.shape, layout)?.channel;
  const inSample = (i: number) => (axis !== null && i > axis ? i - 1 : i);
  const places = typeof known === 'number' ? [inSample(known)] : [0, shape.length - 1];
  const place = places.find((i) => shape[i] === count);
  return place === undefined ? undefined : { axis: place, count };
}

/** Changes the values of whole samples, one behind the other, as {@link Preprocessing} says. */
export type Normalise = (values: Float64Array) => void;

/** An input that is ready to be put into batches. */
export interface PreparedInput extends BoundInput {
  readonly normalise: Normalise;
  /** Scale, mean and standard deviation are for it. */
  readonly isNormalised: boolean;
  /** Where a sample has the channels that these are for, or those of a picture. */
  readonly channels: Channels | undefined;
}

/** Says what preprocessing does to an input. Throws {@link ModelError} where mean and std don't fit it. */
export function prepareInput(
  bound: BoundInput,
  { scale, mean, std, image }: Preprocessing,
  isNormalised: boolean,
): PreparedInput {
  const { input, column } = bound;
  const picture = imageLayout(input.shape, image.layout)?.channels ?? 1;
  const count = isNormalised ? Math.max(1, mean.length, std.length) : 1;
  const channels = channelsOf(bound, count > 1 ? count : picture, image.layout);
  if (count > 1 && !channels) {
    throw new ModelError(
      'bad-data',
      `Mean and standard deviation have ${counted(count, 'number')}, but the input "${input.name}" (${declaredShape(input)}) has no ${counted(count, 'channel')}.`,
    );
  }
  const usual = column.type === UINT8 ? 1 / 255 : 1;
  const unit = isNormalised ? (scale ?? usual) : usual;
  const prepared = { ...bound, isNormalised, channels };
  if (!isFloatType(input.type) || bound.isMadeUp) return { ...prepared, normalise: () => {} };
  if (!isNormalised) return { ...prepared, normalise: unit === 1 ? () => {} : scaling(unit) };
  const each = (list: readonly number[], otherwise: number) =>
    Float64Array.from({ length: count }, (_, c) => list[c] ?? list[0] ?? otherwise);
  const run = count > 1 ? elementCount(column.shape.slice(channels!.axis + 1)) : elementCount(column.shape);
  return { ...prepared, normalise: standardising(unit, each(mean, 0), each(std, 1), run) };
}

function scaling(unit: number): Normalise {
  return (values) => {
    for (let i = 0; i < values.length; i++) values[i]! *= unit;
  };
}

/** Runs of `run` values belong to one channel after the other. */
function standardising(unit: number, mean: Float64Array, std: Float64Array, run: number): Normalise {
  return (values) => {
    for (let start = 0, c = 0; start < values.length; start += run, c = (c + 1) % mean.length) {
      const [m, s] = [mean[c]!, std[c]!];
      const end = start + run;
      for (let i = start; i < end; i++) values[i] = (values[i]! * unit - m) / s;
    }
  };
}
