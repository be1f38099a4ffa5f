import { type Constant, constantName, defaultOf, resolveConstant, type SizeLookup } from '../onnx/constants';
import { elementBytes, elementCount } from '../onnx/elements';
import type { Graph, Model, Node } from '../onnx/model';
import { type Use, type Value, type ValueTable, valueTable } from '../onnx/values';
import { findNorm } from './findNorm';
import { findSum } from './findSum';
import { formOf } from './formOf';
import type { ConvForm, Form, Layer, MatMulForm, NoForm } from './layer';

/** What shape inference knows about one graph of a model. */
export interface GraphSizes {
  readonly sizes: SizeLookup;
  /** How often the graph runs per inference; null: unknown. */
  readonly trips: number | null;
}

/** Which inputs of an operator hold its weight, and why it is not factored, where it never is. */
interface Operator {
  readonly weights: readonly number[];
  readonly bias?: number;
  readonly more?: readonly number[];
  readonly reason?: string;
}

const QUANTISED = 'Its weight is quantised; low-rank factors of it would have to be quantised anew.';
const RECURRENT = 'Recurrent: its gates share one weight, which would have to be taken apart first.';
const OVERRIDABLE =
  'Its weight is an input of the model too, so whoever runs the model may give another one.';
const FUSED = 'A fused operator: it is counted, but its weight is not factored.';

const OPERATORS: ReadonlyMap<string, Operator> = new Map<string, Operator>([
  ['Conv', { weights: [1], bias: 2 }],
  ['ConvTranspose', { weights: [1], bias: 2 }],
  ['Gemm', { weights: [1, 0], bias: 2 }],
  ['MatMul', { weights: [1, 0] }],
  ['Gather', { weights: [0] }],
  ['com.microsoft:FusedConv', { weights: [1], bias: 2 }],
  ['com.microsoft:FusedMatMul', { weights: [1, 0] }],
  ['com.microsoft:FusedGemm', { weights: [1], bias: 2 }],
  ['LSTM', { weights: [1], more: [2], bias: 3, reason: RECURRENT }],
  ['GRU', { weights: [1], more: [2], bias: 3, reason: RECURRENT }],
  ['RNN', { weights: [1], more: [2], bias: 3, reason: RECURRENT }],
  ['QLinearConv', { weights: [3], bias: 8, reason: QUANTISED }],
  ['QLinearMatMul', { weights: [3, 0], reason: QUANTISED }],
  ['ConvInteger', { weights: [1], reason: QUANTISED }],
  ['MatMulInteger', { weights: [1, 0], reason: QUANTISED }],
  ['com.microsoft:MatMulNBits', { weights: [1], reason: QUANTISED }],
  ['com.microsoft:QGemm', { weights: [3], bias: 6, reason: QUANTISED }],
  ['com.microsoft:QAttention', { weights: [1], bias: 2, reason: QUANTISED }],
  ['com.microsoft:DynamicQuantizeMatMul', { weights: [1], reason: QUANTISED }],
  ['com.microsoft:MatMulIntegerToFloat', { weights: [1], reason: QUANTISED }],
  ['com.microsoft:Attention', { weights: [1], bias: 2, reason: FUSED }],
]);

/** Smaller tables are indices or little helpers, not embeddings. */
const SMALLEST_TABLE = 1024;

/**
 * The layers of a model in the order of its nodes, bodies of control flow after the node they belong to, each with
 * the way it can be factored or the reason why not. `sizesOf` tells what is known about each graph;
 * `foldNorms` takes a BatchNormalization behind a convolution as part of its weight.
 */
export function findLayers(
  model: Model,
  sizesOf: (graph: Graph) => GraphSizes,
  foldNorms = true,
): readonly Layer[] {
  const values = valueTable(model);
  const names = new Set<string>();
  const layers: Layer[] = [];
  for (const graph of values.graphs) {
    const { sizes, trips } = sizesOf(graph);
    const constant = (node: Node, input: number | undefined): Constant | undefined => {
      const name = input === undefined ? '' : (node.inputs[input] ?? '');
      const found = name ? resolveConstant(values, graph, name, sizes) : 'computed';
      return typeof found === 'string' ? undefined : found;
    };
    for (const node of graph.nodes) {
      const operator = OPERATORS.get(node.domain ? `${node.domain}:${node.opType}` : node.opType);
      const found = operator && findWeight(values, graph, node, operator, sizes);
      if (!found) continue;
      const { weight, input } = found;
      const form = operator.reason
        ? noForm(operator.reason)
        : model.hasTraining
          ? noForm('The model carries training information, which names its weights.')
          : found.reason
            ? noForm(found.reason)
            : formOf(node, weight, input, sizes, trips);
      const bias = constant(node, operator.bias);
      const more = (operator.more ?? []).map((i) => constant(node, i));
      layers.push({
        name: uniqueName(node.name || node.outputs[0] || node.opType, names),
        node,
        graph,
        weight,
        weightInput: input,
        bias,
        elementBytes: elementBytes(weight.type, 1),
        parameters: [weight, bias, ...more].reduce((sum, c) => sum + (c ? elementCount(c.dims) : 0), 0),
        form,
        twins: [],
        norm: foldNorms && form.kind === 'conv' ? findNorm(values, graph, node, constant) : undefined,
        sum: findSum(values, graph, node, form, weight, constant),
      });
    }
  }
  return withTwins(layers);
}

const noForm = (reason: string): NoForm => ({ kind: 'none', reason });

function findWeight(
  values: ValueTable,
  graph: Graph,
  node: Node,
  operator: Operator,
  sizes: SizeLookup,
): { weight: Constant; input: number; reason?: string } | undefined {
  for (const input of operator.weights) {
    const name = node.inputs[input] ?? '';
    const resolved = resolveConstant(values, graph, name, sizes);
    const weight = resolved === 'overridable' ? (defaultOf(values, graph, name) ?? resolved) : resolved;
    if (typeof weight !== 'string') {
      if (node.opType === 'Gather' && (weight.dims.length < 2 || elementCount(weight.dims) < SMALLEST_TABLE))
        continue;
      return { weight, input, ...(resolved === 'overridable' ? { reason: OVERRIDABLE } : {}) };
    }
    if (weight !== 'quantised') continue;
    // QDQ: the integers in front of the DequantizeLinear are what is stored.
    const dequantize = values.find(graph, name)?.source;
    const stored =
      dequantize?.kind === 'node'
        ? resolveConstant(values, graph, dequantize.node.inputs[0] ?? '', sizes)
        : 'computed';
    if (typeof stored !== 'string') return { weight: stored, input, reason: QUANTISED };
  }
  return undefined;
}

/**
 * Layers with one weight are factored together if they use it in the same way and nothing else reads it; a weight
 * that something else needs has to stay, so factors would only add to the model.
 */
function withTwins(layers: readonly Layer[]): readonly Layer[] {
  const groups = new Map<Value, Layer[]>();
  for (const layer of layers) {
    const value = layer.weight.values.at(-1)!;
    groups.set(value, [...(groups.get(value) ?? []), layer]);
  }
  const changed = new Map<Layer, Layer>();
  for (const group of groups.values()) {
    const [first, ...others] = group as [Layer, ...Layer[]];
    if (first.form.kind === 'none') continue;
    const foreign = foreignUse(group);
    if (foreign) {
      for (const layer of group) changed.set(layer, { ...layer, form: noForm(foreign) });
    } else if (others.length > 0) {
      const forms = group.map((layer) => layer.form);
      if (new Set(group.map(sharingKey)).size > 1) {
        const reason = `The layers ${group.map((l) => `"${l.name}"`).join(', ')} share its weight, but use it in different ways.`;
        for (const layer of group) changed.set(layer, { ...layer, form: noForm(reason) });
        continue;
      }
      // What is behind one of them is not behind all of them.
      const alone = { norm: undefined, sum: undefined };
      const twins = others.map((twin) => ({ ...twin, ...alone }));
      changed.set(first, { ...first, form: mergedForm(forms as Form[]), twins, ...alone });
      for (const twin of others) {
        changed.set(twin, {
          ...twin,
          form: noForm(`It shares its weight with "${first.name}" and is factored along with it.`),
        });
      }
    }
  }
  return layers.map((layer) => changed.get(layer) ?? layer);
}

/** Who else needs the weight, as a sentence; undefined when nobody does. */
function foreignUse(group: readonly Layer[]): string | undefined {
  const chain = new Set(group.flatMap((layer) => layer.weight.values));
  const isOwn = ({ node, input }: Use) =>
    group.some((layer) => layer.node === node && layer.weightInput === input) ||
    node.outputs.some((name) =>
      [...chain].some(
        (value) => value.name === name && value.source.kind === 'node' && value.source.node === node,
      ),
    );
  for (const value of chain) {
    if (value.isKept) return `Its weight "${value.name}" is an output of the model too, so it has to stay.`;
    const other = value.uses.find((use) => !isOwn(use));
    if (other) {
      const reader = other.node.name || other.node.outputs[0] || other.node.opType;
      return `Its weight is also read by "${reader}" (${other.node.opType}), so it has to stay.`;
    }
  }
  return undefined;
}

/** What has to agree between layers that share factors. */
function sharingKey({ form, weight }: Layer): string {
  const shape =
    form.kind === 'none' ? form : { ...form, calls: null, vectors: null, lookups: null, inputOrder: null };
  return JSON.stringify([shape, weight.steps, constantName(weight)]);
}

function mergedForm(forms: readonly Form[]): Form {
  const [first] = forms as [Form, ...Form[]];
  const sum = (values: readonly (number | null)[]) =>
    values.reduce((a, b) => (a === null || b === null ? null : a + b), 0);
  switch (first.kind) {
    case 'conv':
      return { ...first, calls: forms.flatMap((form) => (form as ConvForm).calls) };
    case 'matmul': {
      const orders = new Set(forms.map((form) => (form as MatMulForm).inputOrder));
      return {
        ...first,
        vectors: sum(forms.map((form) => (form as MatMulForm).vectors)),
        inputOrder: orders.size === 1 ? first.inputOrder : null,
      };
    }
    case 'embedding':
      return {
        ...first,
        lookups: sum(forms.map((form) => (form.kind === 'embedding' ? form.lookups : null))),
      };
  }
}

function uniqueName(wanted: string, taken: Set<string>): string {
  let name = wanted;
  for (let i = 2; taken.has(name); i++) name = `${wanted} (${i})`;
  taken.add(name);
  return name;
}
