import { Element } from '../../src/core/onnx/elements';
import type { ElementType } from '../../src/core/onnx/model';
import { encodeFloats } from '../../src/core/onnx/tensorData';
import { type Inputs, randomInputs } from './fullRank';
import {
  type AttributeSpec,
  encodeModel,
  type int64Tensor,
  type ModelSpec,
  type NodeSpec,
  seededNumbers,
} from './onnxModel';

/** Random choices from a seed. */
export class Random {
  private readonly next: () => number;

  constructor(seed: number) {
    this.next = seededNumbers(Math.imul(seed, 2654435761) ^ 0x5bd1e995);
    for (let i = 0; i < 4; i++) this.next();
  }

  /** A whole number from `low` to `high`. */
  int(low: number, high: number): number {
    return low + Math.floor(((this.next() + 1) / 2) * (high - low + 1));
  }

  pick<T>(values: readonly T[]): T {
    return values[this.int(0, values.length - 1)]!;
  }

  chance(share = 0.5): boolean {
    return (this.next() + 1) / 2 < share;
  }

  ints(count: number, low: number, high: number): number[] {
    return Array.from({ length: count }, () => this.int(low, high));
  }

  floats(count: number): Float64Array {
    return Float64Array.from({ length: count }, () => this.next());
  }
}

type Attributes = Record<string, AttributeSpec>;
type Tensor = ReturnType<typeof int64Tensor>;

/** A random layer: a node `layer` from x, the weight w and maybe c to h, in some element type. */
export interface RandomLayer {
  readonly node: Omit<NodeSpec, 'outputs'>;
  /** Sizes of x; without it the input is called `indices`. */
  readonly input?: readonly number[];
  readonly indices?: { readonly below: number; readonly dims: readonly number[] };
  readonly constants: Readonly<Record<string, readonly number[]>>;
  /** Channels of the output, where a normalisation may follow. */
  readonly channels?: number;
}

/** A product of sizes. */
export const product = (dims: readonly number[]) => dims.reduce((a, b) => a * b, 1);

/** A random layer of each kind. */
export const LAYER_KINDS: Readonly<Record<string, (r: Random) => RandomLayer>> = {
  'Conv 1-D': (r) => conv(r, 1),
  'Conv 2-D': (r) => conv(r, 2),
  'Conv 3-D': (r) => conv(r, 3),
  'ConvTranspose 1-D': (r) => convTranspose(r, 1),
  'ConvTranspose 2-D': (r) => convTranspose(r, 2),
  'ConvTranspose 3-D': (r) => convTranspose(r, 3),
  'Gemm, weight on the right': (r) => gemm(r, 'right'),
  'Gemm, weight on the left': (r) => gemm(r, 'left'),
  'MatMul, weight on the right': (r) => matmul(r, 'right'),
  'MatMul, weight on the left': (r) => matmul(r, 'left'),
  'MatMul, batched': (r) => batched(r),
  Gather: (r) => embedding(r),
};

function conv(r: Random, order: number): RandomLayer {
  const group = r.pick([1, 1, 1, 2, 3]);
  const [groupIn, groupOut] = [r.int(group > 1 ? 2 : 1, 4), r.int(1, 4)];
  const kernel = r.ints(order, 1, order === 3 ? 3 : 4);
  const weight = [group * groupOut, groupIn, ...kernel];
  const attributes: Attributes = {};
  if (group > 1 || r.chance()) attributes.group = group;
  if (r.chance()) attributes.kernel_shape = kernel;
  if (r.chance(0.7)) attributes.strides = r.ints(order, 1, 3);
  padding(r, attributes, order);
  // ONNX Runtime knows no dilation with SAME_*.
  const isSame = /^SAME/.test(String(attributes.auto_pad));
  if (r.chance(0.4) && !isSame) attributes.dilations = r.ints(order, 1, 2);
  const hasBias = r.chance();
  return {
    node: { op: 'Conv', inputs: hasBias ? ['x', 'w', 'c'] : ['x', 'w'], attributes },
    input: [r.int(1, 2), group * groupIn, ...r.ints(order, 5, order === 3 ? 7 : 11)],
    constants: { w: weight, ...(hasBias ? { c: [weight[0]!] } : {}) },
    channels: weight[0]!,
  };
}

function padding(r: Random, attributes: Attributes, order: number): void {
  const mode = r.pick(['none', 'pads', 'NOTSET', 'VALID', 'SAME_UPPER', 'SAME_LOWER']);
  if (mode === 'pads' || mode === 'NOTSET') attributes.pads = r.ints(2 * order, 0, 2);
  if (mode !== 'pads' && mode !== 'none') attributes.auto_pad = mode;
}

function convTranspose(r: Random, order: number): RandomLayer {
  const group = r.pick([1, 1, 1, 2, 3]);
  const [groupIn, groupOut] = [r.int(group > 1 ? 2 : 1, 4), r.int(1, 4)];
  const kernel = r.ints(order, 1, order === 3 ? 3 : 4);
  const attributes: Attributes = {};
  if (group > 1 || r.chance()) attributes.group = group;
  if (r.chance()) attributes.kernel_shape = kernel;
  const strides = r.ints(order, 1, 3);
  const dilations = r.ints(order, 1, 2);
  if (r.chance(0.8)) attributes.strides = strides;
  if (r.chance(0.4)) attributes.dilations = dilations;
  // What is added at the end has to be below the stride or the dilation.
  if (r.chance() && attributes.strides) attributes.output_padding = strides.map((s) => r.int(0, s - 1));
  const mode = r.pick(['none', 'pads', 'NOTSET', 'VALID']);
  if (mode === 'pads' || mode === 'NOTSET') attributes.pads = r.ints(2 * order, 0, 1);
  if (mode === 'NOTSET' || mode === 'VALID') attributes.auto_pad = mode;
  const hasBias = r.chance();
  return {
    node: { op: 'ConvTranspose', inputs: hasBias ? ['x', 'w', 'c'] : ['x', 'w'], attributes },
    input: [r.int(1, 2), group * groupIn, ...r.ints(order, 3, order === 3 ? 4 : 6)],
    constants: { w: [group * groupIn, groupOut, ...kernel], ...(hasBias ? { c: [group * groupOut] } : {}) },
    channels: group * groupOut,
  };
}

function gemm(r: Random, side: 'left' | 'right'): RandomLayer {
  const [rows, inner, columns] = r.ints(3, 1, 9) as [number, number, number];
  const attributes: Attributes = {};
  if (r.chance()) attributes.alpha = { float: r.pick([0.5, -2, 1]) };
  if (r.chance()) attributes.beta = { float: r.pick([0.25, -3, 1, 0]) };
  const [transA, transB] = [r.chance(), r.chance()];
  if (transA || r.chance()) attributes.transA = Number(transA);
  if (transB || r.chance()) attributes.transB = Number(transB);
  const a = transA ? [inner, rows] : [rows, inner];
  const b = transB ? [columns, inner] : [inner, columns];
  const c = r.pick([undefined, [columns], [1, columns], [rows, 1], [rows, columns], [], [1]]);
  const pair = side === 'right' ? ['x', 'w'] : ['w', 'x'];
  return {
    node: { op: 'Gemm', inputs: c ? [...pair, 'c'] : pair, attributes },
    input: side === 'right' ? a : b,
    constants: { w: side === 'right' ? b : a, ...(c ? { c } : {}) },
  };
}

function matmul(r: Random, side: 'left' | 'right'): RandomLayer {
  const [rows, inner, columns] = r.ints(3, 1, 9) as [number, number, number];
  const lead = r.ints(r.int(0, 3), 1, 3);
  const isVector = lead.length === 0 && r.chance(0.4);
  const right = side === 'right';
  const matrix = right ? [rows, inner] : [inner, columns];
  return {
    node: { op: 'MatMul', inputs: right ? ['x', 'w'] : ['w', 'x'] },
    input: isVector ? [inner] : [...lead, ...matrix],
    constants: { w: right ? [inner, columns] : [rows, inner] },
  };
}

/** Both sides have batch axes, which may broadcast either way, or be missing on one side. */
function batched(r: Random): RandomLayer {
  const [rows, inner, columns] = r.ints(3, 1, 7) as [number, number, number];
  const lead = r.ints(r.int(1, 3), 1, 3);
  const some = () => lead.slice(r.int(0, lead.length - 1)).map((d) => (r.chance(0.3) ? 1 : d));
  const isRight = r.chance();
  const [x, w] = isRight
    ? [
        [rows, inner],
        [inner, columns],
      ]
    : [
        [inner, columns],
        [rows, inner],
      ];
  return {
    node: { op: 'MatMul', inputs: isRight ? ['x', 'w'] : ['w', 'x'] },
    input: r.chance(0.2) ? x : [...some(), ...x],
    constants: { w: [...some(), ...w] },
  };
}

function embedding(r: Random): RandomLayer {
  const width = r.int(4, 16);
  const count = Math.ceil(1024 / width) + r.int(0, 60);
  return {
    node: { op: 'Gather', inputs: ['w', 'indices'], attributes: r.chance() ? { axis: 0 } : {} },
    indices: { below: count, dims: r.ints(r.int(0, 3), 1, 5) },
    constants: { w: [count, width] },
  };
}

/** A model around a random layer: x is a float that is cast before it, its result is cast back behind it. */
export function modelAround(
  layer: RandomLayer,
  r: Random,
  type: ElementType,
): { spec: ModelSpec; inputs: Inputs } {
  const tensor = (name: string, dims: readonly number[], values: Float64Array): Tensor => ({
    name,
    dims: [...dims],
    dataType: type,
    rawData: encodeFloats(type, values),
  });
  const nodes: NodeSpec[] = [];
  const initializers: Tensor[] = [];
  const addConstant = (name: string, dims: readonly number[], values: Float64Array) => {
    const home = r.pick(['initializer', 'initializer', 'initializer', 'Constant', 'Transpose']);
    if (home === 'Constant') {
      const value = tensor('', dims, values);
      nodes.push({ op: 'Constant', inputs: [], outputs: [name], attributes: { value } });
    } else if (home === 'Transpose' && name === 'w') {
      const perm = dims.map((_, i) => dims.length - 1 - i);
      initializers.push(tensor('stored', [...dims].reverse(), values));
      nodes.push({ op: 'Transpose', inputs: ['stored'], outputs: [name], attributes: { perm } });
    } else {
      initializers.push(tensor(name, dims, values));
    }
  };
  for (const [name, dims] of Object.entries(layer.constants))
    addConstant(name, dims, r.floats(product(dims)));
  if (layer.input) nodes.push({ op: 'Cast', inputs: ['in'], outputs: ['x'], attributes: { to: type } });
  nodes.push({ ...layer.node, name: 'layer', outputs: ['h'] });
  let last = 'h';
  if (layer.channels !== undefined && r.chance()) {
    const dims = [layer.channels];
    const positive = () => r.floats(layer.channels!).map((v) => 1.5 + v);
    addConstant('gamma', dims, positive());
    addConstant('beta', dims, r.floats(layer.channels));
    addConstant('mean', dims, r.floats(layer.channels));
    addConstant('var', dims, positive());
    const attributes: Attributes = r.chance() ? { epsilon: { float: 0.01 } } : {};
    const inputs = ['h', 'gamma', 'beta', 'mean', 'var'];
    nodes.push({ op: 'BatchNormalization', inputs, outputs: ['normed'], attributes });
    last = 'normed';
  }
  const back = type === Element.double ? Element.double : Element.float;
  nodes.push({ op: 'Cast', inputs: [last], outputs: ['y'], attributes: { to: back } });
  const { indices } = layer;
  const spec: ModelSpec = {
    nodes,
    inputs: indices ? { indices: indices.dims } : { in: layer.input! },
    inputTypes: { indices: Element.int64 },
    outputs: { y: null },
    outputTypes: { y: back },
    initializers,
  };
  if (!indices) return { spec, inputs: randomInputs(encodeModel(spec)) };
  const data = BigInt64Array.from(r.ints(product(indices.dims), 0, indices.below - 1), BigInt);
  return { spec, inputs: new Map([['indices', { type: 'int64', dims: indices.dims, data }]]) };
}

/** What has to come up among the models of a kind that were compared. */
export const KIND_FEATURES: Readonly<Record<string, readonly string[]>> = {
  Conv: [
    ...['bias', 'BatchNormalization', 'group', 'strides', 'dilations', 'pads', 'Constant', 'Transpose'],
    ...['NOTSET', 'VALID', 'SAME_UPPER', 'SAME_LOWER'],
  ],
  ConvTranspose: [
    ...['bias', 'BatchNormalization', 'group', 'strides', 'dilations', 'pads', 'output_padding'],
    ...['NOTSET', 'VALID', 'Constant', 'Transpose'],
  ],
  Gemm: ['bias', 'alpha', 'beta', 'transA', 'transB', 'Constant', 'Transpose'],
  MatMul: ['Constant', 'Transpose'],
  Gather: ['axis', 'Constant', 'Transpose'],
};

/** What is special about a model: attributes that are not 0 or all 1, operators around the layer, a bias. */
export function featuresOf({ nodes }: ModelSpec): readonly string[] {
  const layer = nodes.find((node) => node.name === 'layer')!;
  const attributes = Object.entries(layer.attributes ?? {}).flatMap(([name, value]) => {
    if (typeof value === 'string') return [value];
    if (name === 'group') return value === 1 ? [] : [name];
    if (Array.isArray(value)) return value.every((v) => v === (name.includes('pad') ? 0 : 1)) ? [] : [name];
    return value === 0 && name !== 'axis' ? [] : [name];
  });
  return [...attributes, ...nodes.map((node) => node.op), ...(layer.inputs.includes('c') ? ['bias'] : [])];
}
