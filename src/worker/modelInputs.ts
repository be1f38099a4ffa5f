import type { DimBindings } from '../core/compress/analysis';
import { Element, elementCount, elementName } from '../core/onnx/elements';
import type { Model, ValueInfo } from '../core/onnx/model';
import { ModelError } from '../core/onnx/modelError';
import { readNpy } from './npy';
import type { RuntimeTensor } from './runtime';

/** Inputs to run a model on, with a description for reports. */
export interface ModelInputs {
  readonly tensors: ReadonlyMap<string, RuntimeTensor>;
  /** "random normal, seed 1; x: 1 × 3 × 224 × 224". */
  readonly description: string;
  /** Sizes that nobody gave. */
  readonly assumed: DimBindings;
}

const SEED = 1;

/**
 * Inputs for every graph input that has no default: the first from an .npy file if one is given, all others
 * random (standard normal; whole numbers 0 and 1 for integers). Open dimensions take their binding, else a guess
 * that is reported: 1 for the first axis, 3 channels and 224 × 224 pixels for images, 16 otherwise.
 */
export function modelInputs(model: Model, dims: DimBindings, npyPath?: string): ModelInputs {
  const defaults = new Set(model.graph.initializers.map((t) => t.name));
  const inputs = model.graph.inputs.filter((input) => !defaults.has(input.name));
  const tensors = new Map<string, RuntimeTensor>();
  const assumed: Record<string, number> = {};
  const random = normalNumbers(SEED);
  for (const [i, input] of inputs.entries()) {
    if (input.kind !== 'tensor' || input.shape === null) {
      throw new ModelError(
        'verification-failed',
        `${model.source.name}: the input "${input.name}" is no tensor of known order, so no value can be made up for it.`,
      );
    }
    if (i === 0 && npyPath !== undefined) {
      tensors.set(input.name, npyTensor(npyPath, input));
      continue;
    }
    const shape = input.shape.map((dim, axis) => {
      if (typeof dim === 'number') return dim;
      const name = dim ?? `${input.name}[${axis}]`;
      const size = dims[name] ?? assumed[name] ?? guessDim(axis, input.shape!.length);
      if (dims[name] === undefined) assumed[name] = size;
      return size;
    });
    tensors.set(input.name, {
      type: runtimeType(input, model),
      dims: shape,
      data: randomData(input, elementCount(shape), random),
    });
  }
  const shapes = [...tensors].map(([name, t]) => `${name}: ${t.dims.join(' × ') || 'scalar'}`).join(', ');
  const source = npyPath === undefined ? `random, seed ${SEED}` : `${npyPath}`;
  return { tensors, description: `${source}; ${shapes}`, assumed };
}

function guessDim(axis: number, order: number): number {
  if (axis === 0) return 1;
  if (order === 4) return axis === 1 ? 3 : 224;
  return 16;
}

function runtimeType(input: ValueInfo, model: Model): string {
  const name = elementName(input.type);
  const type = name === 'double' ? 'float64' : name === 'float' ? 'float32' : name;
  if (!ARRAYS.has(type)) {
    throw new ModelError(
      'verification-failed',
      `${model.source.name}: the input "${input.name}" takes ${name}, which can't be made up.`,
    );
  }
  return type;
}

/** Element types a value can be made up for, by the runtime's names. */
const ARRAYS = new Map<string, (count: number, value: (i: number) => number) => RuntimeTensor['data']>([
  ['float32', (n, f) => Float32Array.from({ length: n }, (_, i) => f(i))],
  ['float64', (n, f) => Float64Array.from({ length: n }, (_, i) => f(i))],
  ['int64', (n, f) => BigInt64Array.from({ length: n }, (_, i) => BigInt(Math.trunc(f(i))))],
  ['int32', (n, f) => Int32Array.from({ length: n }, (_, i) => f(i))],
  ['int16', (n, f) => Int16Array.from({ length: n }, (_, i) => f(i))],
  ['int8', (n, f) => Int8Array.from({ length: n }, (_, i) => f(i))],
  ['uint8', (n, f) => Uint8Array.from({ length: n }, (_, i) => f(i))],
  ['bool', (n, f) => Uint8Array.from({ length: n }, (_, i) => (f(i) ? 1 : 0))],
]);

function randomData(input: ValueInfo, count: number, random: () => number): RuntimeTensor['data'] {
  const isFloat = input.type === Element.float || input.type === Element.double;
  const name = isFloat ? (input.type === Element.double ? 'float64' : 'float32') : elementName(input.type);
  return ARRAYS.get(name)!(count, isFloat ? random : () => (random() > 0 ? 1 : 0));
}

function npyTensor(path: string, input: ValueInfo): RuntimeTensor {
  const { shape, data } = readNpy(path);
  const declared = input.shape!;
  const fits =
    shape.length === declared.length &&
    shape.every((d, i) => typeof declared[i] !== 'number' || declared[i] === d);
  if (!fits) {
    const wanted = declared.map((d, axis) => d ?? `${input.name}[${axis}]`).join(' × ');
    throw new ModelError(
      'verification-failed',
      `${path} holds ${shape.join(' × ')} numbers, but the input "${input.name}" takes ${wanted}.`,
    );
  }
  const type =
    input.type === Element.double
      ? 'float64'
      : input.type === Element.float
        ? 'float32'
        : elementName(input.type);
  const make = ARRAYS.get(type);
  if (!make)
    throw new ModelError(
      'verification-failed',
      `${path}: the input "${input.name}" takes ${type}, which an .npy file is not turned into.`,
    );
  return { type, dims: shape, data: make(data.length, (i) => data[i]!) };
}

/** Standard normal numbers from a seed (Box–Muller on the mulberry32 generator): the same on every machine. */
function normalNumbers(seed: number): () => number {
  let state = seed >>> 0;
  const uniform = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  return () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
}
