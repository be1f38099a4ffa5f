import { counted } from '../../core/counted';
import { elementCount, elementName, isFloatType } from '../../core/onnx/elements';
import { ModelError } from '../../core/onnx/modelError';
import type { RuntimeTensor } from '../runtime';
import { runtimeTensor } from '../runtimeValues';
import type { BoundInput } from './boundInput';
import { dataError } from './dataError';
import type { ModelInput } from './modelInput';
import type { PreparedInput } from './normalise';

/** Samples put together for one run of a model. */
export interface Batch {
  readonly tensors: ReadonlyMap<string, RuntimeTensor>;
  /** Indices of the samples in it, in order. */
  readonly samples: readonly number[];
  /** Rows behind them that repeat the last sample, because the model takes no fewer. Their outputs count for nothing. */
  readonly padding: number;
}

/** How many samples a model takes in one run. */
export interface RunSize {
  /** Rows of a run, where the model says; null where it takes any number. */
  readonly rows: number | null;
  /** Inputs hold whole values that differ between samples: one sample a run. */
  readonly single: boolean;
}

/** Throws {@link ModelError} where inputs take different numbers of samples. */
export function runSizeOf(bound: readonly BoundInput[], file: string): RunSize {
  let first: ModelInput | undefined;
  let rows: number | null = null;
  for (const { input, axis } of bound) {
    const size = axis === null ? undefined : input.shape?.[axis];
    if (typeof size !== 'number') continue;
    if (rows !== null && rows !== size) {
      throw new ModelError(
        'bad-data',
        `${file}: the input "${first!.name}" takes ${counted(rows, 'sample')} at once, but "${input.name}" takes ${size}, so it is not known what one sample is.`,
      );
    }
    first = input;
    rows = size;
  }
  if (rows === 0) throw new ModelError('bad-data', `${file}: the input "${first!.name}" takes no samples.`);
  return { rows, single: bound.some(({ axis, isShared }) => axis === null && !isShared) };
}

/**
 * The samples with these indices (rising) in batches, in order, each read when it is asked for. `wanted` samples at
 * once, or as many as the model takes; only the last batch is smaller, or padded where the model's size is fixed.
 */
export function* batchesOf(
  inputs: readonly PreparedInput[],
  indices: readonly number[],
  wanted: number,
  { rows, single }: RunSize,
): Generator<Batch, void, undefined> {
  const step = single ? 1 : (rows ?? Math.max(1, Math.floor(wanted)));
  for (let start = 0; start < indices.length; start += step) {
    const samples = indices.slice(start, start + step);
    const height = rows ?? samples.length;
    const tensors = new Map(inputs.map((input) => [input.input.name, tensorOf(input, samples, height)]));
    yield { tensors, samples, padding: height - samples.length };
  }
}

/** The values of one input for some samples, after preprocessing, one sample behind the other. */
export function readSamples(
  { input, column, normalise }: PreparedInput,
  samples: readonly number[],
): Float64Array {
  const values = new Float64Array(samples.length * elementCount(column.shape));
  column.read(samples, values);
  normalise(values);
  if (!isFloatType(input.type)) checkWhole(input, column.label, values);
  return values;
}

function tensorOf(prepared: PreparedInput, samples: readonly number[], rows: number): RuntimeTensor {
  const { input, column, axis } = prepared;
  const { shape } = column;
  if (axis === null) {
    const values = readSamples(prepared, samples.slice(0, 1));
    return runtimeTensor(input.type, shape, (i) => values[i]!);
  }
  const values = readSamples(prepared, samples);
  const length = elementCount(shape);
  const dims = [...shape.slice(0, axis), rows, ...shape.slice(axis)];
  const last = samples.length - 1;
  if (axis === 0) {
    const real = values.length;
    return runtimeTensor(input.type, dims, (i) => values[i < real ? i : last * length + (i % length)]!);
  }
  // The tensor has, for each place of the axes in front, the samples in turn.
  const inner = elementCount(shape.slice(axis));
  return runtimeTensor(input.type, dims, (i) => {
    const run = Math.floor(i / inner);
    const sample = Math.min(run % rows, last);
    return values[sample * length + Math.floor(run / rows) * inner + (i % inner)]!;
  });
}

/** The values that an integer type holds; those of 64 bits are exact to 2^53. */
const RANGES = new Map([
  ['uint8', [0, 255]],
  ['int8', [-128, 127]],
  ['uint16', [0, 65535]],
  ['int16', [-32768, 32767]],
  ['int32', [-(2 ** 31), 2 ** 31 - 1]],
  ['uint32', [0, 2 ** 32 - 1]],
  ['int64', [-(2 ** 63), 2 ** 63 - 1024]],
  ['uint64', [0, 2 ** 64 - 2048]],
] as const);

function checkWhole({ name, type }: ModelInput, label: string, values: Float64Array): void {
  const typeName = elementName(type) as Parameters<typeof RANGES.get>[0];
  const [low, high] = RANGES.get(typeName) ?? [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
  const isBool = typeName === ('bool' as string);
  for (const value of values) {
    if (isBool || (Number.isInteger(value) && value >= low && value <= high)) continue;
    throw dataError(label, `it holds ${value}, but the input "${name}" takes ${typeName}`);
  }
}
