import type { DimBindings } from '../core/compress/analysis';
import { formatShape } from '../core/format';
import { dimSymbol, holdsOneNumber } from '../core/onnx/bindings';
import { elementCount, elementName, isFloatType } from '../core/onnx/elements';
import { toFloat16 } from '../core/onnx/halfFloat';
import type { Model, ValueInfo } from '../core/onnx/model';
import { ModelError } from '../core/onnx/modelError';
import { type NpyArray, readNpy } from './npy';
import type { RuntimeTensor } from './runtime';

/** Inputs to run a model on, with a description for reports. */
export interface ModelInputs {
  readonly tensors: ReadonlyMap<string, RuntimeTensor>;
  /** "random normal, seed 1; x: 1 × 3 × 224 × 224". */
  readonly description: string;
  /** Sizes that nobody gave. */
  readonly assumed: DimBindings;
}

/** Where random numbers come from if nobody says. */
export const DEFAULT_SEED = 1;

/**
 * Inputs for every graph input that has no default: the first from an .npy file if one is given, all others
 * random (standard normal; zeros and ones for integers). A symbol without a size in `bind` gets a guess that is
 * reported: 1 for the first axis, 3 channels and 224 × 224 pixels for images, 16 otherwise.
 */
export function modelInputs(
  model: Model,
  bind: ReadonlyMap<string, number>,
  npyPath?: string,
  seed = DEFAULT_SEED,
): ModelInputs {
  const defaults = new Set(model.graph.initializers.map((t) => t.name));
  const inputs = model.graph.inputs.filter((input) => !defaults.has(input.name));
  const tensors = new Map<string, RuntimeTensor>();
  const assumed: Record<string, number> = {};
  const normal = normalNumbers(seed);
  for (const [i, input] of inputs.entries()) {
    const { name, shape } = input;
    const type = elementName(input.type);
    const make = ARRAYS.get(type);
    if (input.kind !== 'tensor' || shape === null || !make) {
      throw new ModelError(
        'verification-failed',
        `${model.source.name}: the input "${name}" is ${make ? 'no tensor of known order' : type}, so no value can be made up for it.`,
      );
    }
    if (i === 0 && npyPath !== undefined) {
      const { shape: dims, data } = fittingNpy(npyPath, input);
      tensors.set(name, { type: runtimeType(type), dims, data: make(data.length, (k) => data[k]!) });
      continue;
    }
    const dims = shape.map((dim, axis) => {
      if (typeof dim === 'number') return dim;
      const symbol = dimSymbol(name, axis, dim);
      const size = bind.get(symbol) ?? assumed[symbol] ?? guessDim(axis, shape.length);
      if (!bind.has(symbol)) assumed[symbol] = size;
      return size;
    });
    const given = holdsOneNumber(shape, input.type) ? bind.get(name) : undefined;
    const made = isFloatType(input.type) ? normal : () => (normal() > 0 ? 1 : 0);
    const value = given === undefined ? made : () => given;
    tensors.set(name, { type: runtimeType(type), dims, data: make(elementCount(dims), value) });
  }
  const shapes = [...tensors].map(([name, t]) => `${name}: ${formatShape(t.dims)}`).join(', ');
  return { tensors, description: `${npyPath ?? `random, seed ${seed}`}; ${shapes}`, assumed };
}

function guessDim(axis: number, order: number): number {
  if (axis === 0) return 1;
  if (order === 4) return axis === 1 ? 3 : 224;
  return 16;
}

/** ONNX Runtime's word for an element type, where it is not ONNX's own. */
function runtimeType(name: string): string {
  return name === 'float' ? 'float32' : name === 'double' ? 'float64' : name;
}

/** An array of `count` values, for the element types a value can be made up for. */
type MakeArray = (count: number, value: (i: number) => number) => RuntimeTensor['data'];

const fill =
  <A>(
    from: (source: { length: number }, map: (_: unknown, i: number) => number) => A,
  ): ((n: number, f: (i: number) => number) => A) =>
  (n, f) =>
    from({ length: n }, (_, i) => f(i));

const ARRAYS: ReadonlyMap<string, MakeArray> = new Map<string, MakeArray>([
  ['float', fill((s, m) => Float32Array.from(s, m))],
  ['double', fill((s, m) => Float64Array.from(s, m))],
  ['float16', (n, f) => halfArray(n, f)],
  ['int64', (n, f) => BigInt64Array.from({ length: n }, (_, i) => BigInt(Math.trunc(f(i))))],
  ['int32', fill((s, m) => Int32Array.from(s, m))],
  ['int16', fill((s, m) => Int16Array.from(s, m))],
  ['int8', fill((s, m) => Int8Array.from(s, m))],
  ['uint8', fill((s, m) => Uint8Array.from(s, m))],
  ['bool', (n, f) => Uint8Array.from({ length: n }, (_, i) => (f(i) ? 1 : 0))],
]);

/** The runtime wants a Float16Array where JavaScript has one, and bit patterns where it does not. */
function halfArray(count: number, value: (i: number) => number): RuntimeTensor['data'] {
  const bits = Uint16Array.from({ length: count }, (_, i) => toFloat16(value(i)));
  const Half = (globalThis as { Float16Array?: new (buffer: ArrayBuffer) => ArrayLike<number> }).Float16Array;
  return Half ? new Half(bits.buffer) : bits;
}

function fittingNpy(path: string, { name, shape }: ValueInfo): NpyArray {
  const array = readNpy(path);
  const declared = shape ?? [];
  const fits =
    array.shape.length === declared.length &&
    array.shape.every((d, axis) => typeof declared[axis] !== 'number' || declared[axis] === d);
  if (!fits) {
    const wanted = formatShape(
      declared.map((d, axis) => (typeof d === 'number' ? d : dimSymbol(name, axis, d))),
    );
    throw new ModelError(
      'verification-failed',
      `${path} holds ${formatShape(array.shape)} numbers, but the input "${name}" takes ${wanted}.`,
    );
  }
  return array;
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
