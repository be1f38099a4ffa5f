import { type Constant, constantTable, intAttribute, type NotConstant } from '../onnx/constants';
import { elementCount, elementName, isFactorableType } from '../onnx/elements';
import type { Model, Node } from '../onnx/model';
import { allGraphs, countUses } from '../onnx/names';

/** The concrete shape of a value: null for dimensions that are not known, undefined when nothing is. */
export type SizeLookup = (name: string) => readonly (number | null)[] | undefined;

/** A convolution whose weight is `[outChannels, groupChannels, ...kernel]`. */
export interface ConvForm {
  readonly kind: 'conv';
  readonly outChannels: number;
  /** Input channels of one group. */
  readonly groupChannels: number;
  readonly groups: number;
  readonly kernel: readonly number[];
  /** Images per inference; null when unknown. */
  readonly batch: number | null;
  /** Spatial sizes in front of and behind the layer; null when unknown. */
  readonly inputSize: readonly number[] | null;
  readonly outputSize: readonly number[] | null;
}

/** A product with a constant matrix: `x · W` (side right, W is `inner × outer`) or `W · x` (left, `outer × inner`). */
export interface MatMulForm {
  readonly kind: 'matmul';
  readonly side: 'left' | 'right';
  /** Gemm's transB: the weight is stored with its axes swapped. */
  readonly transposed: boolean;
  /** Length of the sums. */
  readonly inner: number;
  readonly outer: number;
  /** How many vectors are multiplied per inference; null when unknown. */
  readonly vectors: number | null;
}

export type Form = ConvForm | MatMulForm;

/** A node and the constant it multiplies: the unit that is compressed. */
export interface Layer {
  /** Unique in the model: the node's name, else the name of its output. */
  readonly name: string;
  readonly node: Node;
  readonly weight: Constant;
  /** Index of the weight among the node's inputs. */
  readonly weightInput: number;
  /** Elements of the bias; 0 without one. */
  readonly biasParameters: number;
  /** How it may be factored, or why it can't be. */
  readonly form: Form | { readonly kind: 'none'; readonly reason: string };
}

/** Elements of weight and bias. */
export function layerParameters(layer: Layer): number {
  return elementCount(layer.weight.dims) + layer.biasParameters;
}

/** Operators that multiply with a weight, and the inputs that can hold it. */
const WEIGHT_INPUTS: ReadonlyMap<string, readonly number[]> = new Map([
  ['Conv', [1]],
  ['ConvTranspose', [1]],
  ['Gemm', [1, 0]],
  ['MatMul', [1, 0]],
]);

/** The layers of a model in the order of its nodes, those that can't be factored included, each with the reason. */
export function findLayers(model: Model, sizes: SizeLookup): readonly Layer[] {
  const layers: Layer[] = [];
  const names = new Set<string>();
  for (const graph of allGraphs(model.graph)) {
    const constants = constantTable(model, graph);
    const uses = countUses(graph);
    for (const node of graph.nodes) {
      const found = weightOf(node, constants.resolve);
      if (!found) continue;
      const name = uniqueName(node.name || node.outputs[0] || node.opType, names);
      const inBody = graph !== model.graph;
      const shared = !inBody && isShared(found.weight, node, uses);
      const biasName = node.opType === 'MatMul' ? '' : (node.inputs[2] ?? '');
      const bias = biasName ? constants.resolve(biasName) : undefined;
      layers.push({
        name,
        node,
        weight: found.weight,
        weightInput: found.input,
        biasParameters: typeof bias === 'object' ? elementCount(bias.dims) : 0,
        form: inBody
          ? {
              kind: 'none',
              reason: `It stands in the body of a control-flow node (graph "${graph.name}"), which is not rewritten yet.`,
            }
          : shared
            ? {
                kind: 'none',
                reason: 'Its weight is used elsewhere too; shared weights are not factored yet.',
              }
            : formOf(node, found, inBody ? () => undefined : sizes),
      });
    }
  }
  return layers;
}

interface FoundWeight {
  readonly weight: Constant;
  readonly input: number;
}

function weightOf(node: Node, resolve: (name: string) => Constant | NotConstant): FoundWeight | undefined {
  if (node.domain !== '') return undefined;
  for (const input of WEIGHT_INPUTS.get(node.opType) ?? []) {
    const weight = resolve(node.inputs[input] ?? '');
    if (typeof weight === 'object') return { weight, input };
  }
  return undefined;
}

/** Whether anything but this node reads the weight, be it the tensor itself or a link of the chain to it. */
function isShared(weight: Constant, node: Node, uses: ReadonlyMap<string, number>): boolean {
  const links = [...weight.chain.flatMap((link) => [...link.outputs]), weight.tensor.name];
  return (
    links.some((name) => (uses.get(name) ?? 0) > 1) ||
    node.inputs.filter((name) => links.includes(name)).length > 1
  );
}

function formOf(node: Node, { weight, input }: FoundWeight, sizes: SizeLookup): Layer['form'] {
  const none = (reason: string) => ({ kind: 'none', reason }) as const;
  if (!isFactorableType(weight.tensor.type)) {
    return none(
      `Its weight holds ${elementName(weight.tensor.type)}; only floating-point weights can be factored.`,
    );
  }
  if (elementCount(weight.dims) === 0) return none('Its weight has no elements.');
  switch (node.opType) {
    case 'Conv':
      return convForm(node, weight.dims, sizes);
    case 'ConvTranspose':
      return none('Transposed convolutions are counted, but not factored yet.');
    default:
      return matmulForm(node, weight.dims, input, sizes);
  }
}

function convForm(node: Node, dims: readonly number[], sizes: SizeLookup): Layer['form'] {
  const [outChannels = 0, groupChannels = 0, ...kernel] = dims;
  const groups = intAttribute(node, 'group', 1);
  if (kernel.length === 0 || groups < 1 || outChannels % groups !== 0) {
    return {
      kind: 'none',
      reason: `A weight of ${dims.join(' × ')} with ${groups} groups is not a convolution's.`,
    };
  }
  if (groups > 1 && groupChannels === 1) {
    return {
      kind: 'none',
      reason: 'Depthwise: each group has one input channel, so there is nothing to share between channels.',
    };
  }
  const input = sizes(node.inputs[0] ?? '');
  const output = sizes(node.outputs[0] ?? '');
  return {
    kind: 'conv',
    outChannels,
    groupChannels,
    groups,
    kernel,
    batch: output?.[0] ?? null,
    inputSize: spatialSize(input, kernel.length),
    outputSize: spatialSize(output, kernel.length),
  };
}

function spatialSize(shape: readonly (number | null)[] | undefined, order: number): readonly number[] | null {
  const spatial = shape?.slice(2) ?? [];
  const known = spatial.filter((d) => d !== null);
  return known.length === order && spatial.length === order ? known : null;
}

function matmulForm(node: Node, dims: readonly number[], input: number, sizes: SizeLookup): Layer['form'] {
  const side = input === 1 ? 'right' : 'left';
  if (dims.length !== 2) {
    return {
      kind: 'none',
      reason: `Its constant has ${dims.length} dimensions; only matrices are factored.`,
    };
  }
  if (node.opType === 'Gemm' && side === 'left') {
    return { kind: 'none', reason: 'The constant is the left operand of a Gemm, which is not factored yet.' };
  }
  const transposed = node.opType === 'Gemm' && intAttribute(node, 'transB', 0) === 1;
  const [first = 0, second = 0] = dims;
  // x · W sums over the rows of W, W · x over its columns, and transB swaps them.
  const [inner, outer] = (side === 'right') !== transposed ? [first, second] : [second, first];
  const output = sizes(node.outputs[0] ?? '');
  const known = output?.filter((d) => d !== null) ?? [];
  const vectors = output && known.length === output.length && outer > 0 ? elementCount(known) / outer : null;
  return { kind: 'matmul', side, transposed, inner, outer, vectors };
}

function uniqueName(wanted: string, taken: Set<string>): string {
  let name = wanted;
  for (let i = 2; taken.has(name); i++) name = `${wanted} (${i})`;
  taken.add(name);
  return name;
}
