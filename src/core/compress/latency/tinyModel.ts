import { Element, elementCount } from '../../onnx/elements';
import type { Node } from '../../onnx/model';
import { encodeModelFields, encodeNode, encodeOutput, encodeValueInfo, type NewNode } from '../../onnx/proto';
import { field, tensorField } from '../../onnx/splice';
import { encodeFloats } from '../../onnx/tensorData';
import { biasShape } from '../biasedNode';
import type { ConvCall, Layer } from '../layer';
import type { Candidate, Ranks } from '../method';
import { noise, scaleOf } from './noise';

/** What takes a layer's place: the nodes of a method at some ranks. */
export interface Setting {
  readonly candidate: Pick<Candidate, 'shapes' | 'nodes'>;
  readonly ranks: Ranks;
}

/** A layer alone, as a model of its own with random weights: what is timed in its place. */
export interface TinyModel {
  readonly bytes: Uint8Array;
  /** Of its only input, "x", in the layer's element type. */
  readonly input: readonly number[];
}

/** Operator sets of the model that the layer stands in, and the version of its format. */
export interface TinyContext {
  readonly opset: number;
  readonly irVersion: number;
}

/** Elements of the largest weight that is timed: it is made up and held several times meanwhile. */
const LARGEST = 2 ** 25;

/** Field numbers of GraphProto and ModelProto. */
const NODE = 1;
const NAME = 2;
const INITIALIZER = 5;
const INPUT = 11;
const OUTPUT = 12;
const GRAPH = 7;

/**
 * A model for each use of a layer's weight: the layer as it is, or what takes its place, on an input of the size it has
 * there. Undefined where a size is not known, for very large weights, and for what can't stand alone: tables, and nodes with
 * further inputs that other nodes compute.
 */
export function tinyModels(
  layer: Layer,
  setting: Setting | undefined,
  context: TinyContext,
): readonly TinyModel[] | undefined {
  if (elementCount(layer.weight.dims) > LARGEST) return undefined;
  const shapes = inputShapes(layer.form);
  const node = standalone(layer);
  if (!shapes || !node) return undefined;
  return shapes.map((input) => ({ input, bytes: encodeTiny(layer, node, input, setting, context) }));
}

/** A model that does nothing with an input and gives an output of these sizes: what a run costs by itself. */
export function idleModel(
  layer: Layer,
  input: readonly number[],
  output: readonly number[],
  context: TinyContext,
): TinyModel {
  const { type } = layer.weight;
  const tensors = [
    { name: 'c', type, dims: output, raw: encodeFloats(type, new Float32Array(elementCount(output))) },
  ];
  const nodes: NewNode[] = [
    { name: 'same', opType: 'Identity', inputs: ['x'], outputs: ['same'] },
    { name: 'give', opType: 'Identity', inputs: ['c'], outputs: ['y'] },
  ];
  return { input, bytes: encodeGraph(nodes, tensors, type, input, ['same', 'y'], context) };
}

/** The sizes of a layer's inputs, one for each use; undefined where one is not known. */
function inputShapes(form: Layer['form']): readonly (readonly number[])[] | undefined {
  switch (form.kind) {
    case 'conv': {
      const shapes = form.calls.map(({ batch, inputSize }: ConvCall) =>
        batch && inputSize ? [batch, form.groups * form.groupChannels, ...inputSize] : undefined,
      );
      return shapes.every((shape) => shape !== undefined) ? shapes : undefined;
    }
    case 'matmul': {
      const { side, inner, lead, vectors, inputOrder } = form;
      if (!vectors || !Number.isInteger(vectors)) return undefined;
      const matrix = side === 'right' ? [vectors, inner] : [inner, vectors];
      if (inputOrder === 1) return vectors === 1 ? [[inner]] : undefined;
      const more = Math.max(0, (inputOrder ?? 2) - 2 - lead.length);
      return [[...Array.from({ length: more }, () => 1), ...lead, ...matrix]];
    }
    default:
      return undefined;
  }
}

/** The layer's node on "x", "w" and, where it has one, "b"; undefined where it reads more. */
function standalone({ node, weight, weightInput, bias, form }: Layer): Node | undefined {
  if (form.kind === 'none') return undefined;
  const x = weightInput === 1 ? 0 : 1;
  const inputs = node.inputs.map((name, i) => {
    if (name === '' || i === x) return i === x ? 'x' : '';
    if (i === weightInput) return 'w';
    return i === 2 && bias ? 'b' : undefined;
  });
  if (weight.dims.length === 0 || inputs.some((name) => name === undefined)) return undefined;
  // Gemm's transposition of x would turn the sizes around: nobody's export has it, and nothing is lost by leaving such alone.
  const turned = node.attributes.get(x === 0 ? 'transA' : 'transB');
  if (turned?.kind === 'int' && turned.value === 1) return undefined;
  return { ...node, inputs: inputs as string[], outputs: ['y'] };
}

interface NamedTensor {
  readonly name: string;
  readonly type: number;
  readonly dims: readonly number[];
  readonly raw: Uint8Array;
}

function encodeTiny(
  layer: Layer,
  node: Node,
  input: readonly number[],
  setting: Setting | undefined,
  context: TinyContext,
): Uint8Array {
  const { type } = layer.weight;
  const tensors: NamedTensor[] = [];
  const add = (name: string, dims: readonly number[], scale: number) => {
    const raw = encodeFloats(type, noise(elementCount(dims), scale));
    tensors.push({ name, type, dims, raw });
  };
  if (node.inputs[2] === 'b') add('b', layer.bias?.dims ?? biasShape(layer) ?? [], 0.1);
  let nodes: readonly NewNode[] = [node];
  if (setting) {
    const { candidate, ranks } = setting;
    const shapes = candidate.shapes(ranks);
    for (const [i, dims] of shapes.entries()) add(`w${i}`, dims, scaleOf(dims));
    const used = new Set<string>();
    const fresh = (wanted: string) => {
      let name = wanted;
      for (let i = 2; used.has(name); i++) name = `${wanted}_${i}`;
      used.add(name);
      return name;
    };
    nodes = candidate.nodes(
      node,
      shapes.map((_, i) => `w${i}`),
      ranks,
      {
        fresh,
        opset: context.opset,
        ints(wanted, values) {
          const name = fresh(wanted);
          const raw = new Uint8Array(BigInt64Array.from(values, BigInt).buffer);
          tensors.push({ name, type: Element.int64, dims: [values.length], raw });
          return name;
        },
        scalar(wanted, value) {
          const name = fresh(wanted);
          tensors.push({ name, type, dims: [], raw: encodeFloats(type, Float64Array.of(value)) });
          return name;
        },
      },
    );
  } else {
    add('w', layer.weight.dims, scaleOf(layer.weight.dims));
  }
  return encodeGraph(nodes, tensors, type, input, ['y'], context);
}

function encodeGraph(
  nodes: readonly NewNode[],
  tensors: readonly NamedTensor[],
  type: number,
  input: readonly number[],
  outputs: readonly string[],
  { opset, irVersion }: TinyContext,
): Uint8Array {
  const graph = [
    ...nodes.flatMap((node) => field(NODE, encodeNode(node))),
    ...field(NAME, new TextEncoder().encode('layer')),
    ...tensors.flatMap(({ name, type: own, dims, raw }) => tensorField(INITIALIZER, name, own, dims, raw)),
    ...field(INPUT, encodeValueInfo('x', type, input)),
    ...(irVersion < 4
      ? tensors.flatMap(({ name, type: own, dims }) => field(INPUT, encodeValueInfo(name, own, dims)))
      : []),
    ...outputs.flatMap((name) => field(OUTPUT, encodeOutput(name, type))),
  ] as readonly Uint8Array[];
  const domains = new Map([
    ['', opset],
    ['com.microsoft', 1],
  ]);
  return joined([encodeModelFields(irVersion, domains), ...field(GRAPH, joined(graph))]);
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}
