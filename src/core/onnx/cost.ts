import type { Model, Node } from './model';
import { type Call, require, Unfit } from './shapes/call';
import { add, type Dim, max, mul, productOf, sumOf } from './shapes/dim';
import { einsumMacs } from './shapes/einsum';
import type { ShapeTable } from './shapes/inferShapes';
import { RULES } from './shapes/rules';
import { type AttentionSizes, attentionSizes } from './shapes/rules/attention';
import {
  expertElements,
  groupQuerySizes,
  isUnpadded,
  multiHeadSizes,
  packedColumns,
  packedPast,
} from './shapes/rules/fusedAttention';
import { GATES, recurrentSizes } from './shapes/rules/recurrent';

/** The multiply-accumulates of one inference. */
export interface GraphMacs {
  /** Of everything that could be counted; symbolic while dimensions are free. */
  readonly total: Dim;
  /** The nodes that could not be counted; those inside others as `outer/inner`. */
  readonly unknown: readonly string[];
}

/**
 * Multiply-accumulates of the main graph in the usual convention: convolutions, matrix products, recurrent
 * cells and attention, without bias, normalisation and activation. An If costs its dearest branch, a loop its
 * body times the number of iterations.
 */
export function graphMacs(model: Model, shapes: ShapeTable): GraphMacs {
  return nodesMacs(model.graph.nodes, shapes, '');
}

/**
 * Multiply-accumulates of one node, with everything that runs inside it; null where they cannot be told.
 * 0 means that the operator is outside the convention of {@link graphMacs}.
 */
export function nodeMacs(node: Node, shapes: ShapeTable): Dim {
  const { total, unknown } = measure(node, shapes, '');
  return unknown.length > 0 ? null : total;
}

function nodesMacs(nodes: readonly Node[], shapes: ShapeTable, prefix: string): GraphMacs {
  const totals: Dim[] = [];
  const unknown: string[] = [];
  for (const node of nodes) {
    const cost = measure(node, shapes, prefix);
    totals.push(cost.total);
    // Not spread: a list may be longer than the arguments a call can take.
    for (const one of cost.unknown) unknown.push(one);
  }
  return { total: sumOf(totals), unknown };
}

function measure(node: Node, shapes: ShapeTable, prefix: string): GraphMacs {
  const name = prefix + (node.name || node.outputs.find((o) => o !== '') || node.opType);
  const bodies = shapes.bodies(node);
  if (bodies.length === 0) {
    const own = ownMacs(node, shapes);
    return own === null ? { total: 0, unknown: [name] } : { total: own, unknown: [] };
  }
  let total: Dim = 0;
  const unknown: string[] = [];
  for (const { nodes, shapes: inner, trips } of bodies) {
    const body = nodesMacs(nodes, inner, `${name}/`);
    const runs = mul(body.total, trips);
    for (const one of body.unknown) unknown.push(one);
    if (runs === null) unknown.push(name);
    else if (total === 0 || node.opType !== 'If') total = add(total, runs);
    else total = max(total, runs);
  }
  return { total, unknown };
}

function ownMacs(node: Node, shapes: ShapeTable): Dim {
  const key = node.domain ? `${node.domain}::${node.opType}` : node.opType;
  const formula = FORMULAS.get(key);
  // What nobody has described may cost anything, and so may a body that could not be looked into.
  const hasBody = [...node.attributes.values()].some((a) => a.kind === 'graph' || a.kind === 'graphs');
  if (!formula) return RULES.has(key) && !hasBody ? 0 : null;
  try {
    return formula(shapes.call(node), shapes.fact(node.outputs[0] ?? ''));
  } catch (error) {
    if (error instanceof Unfit) return null;
    throw error;
  }
}

type Formula = (call: Call, output: ReturnType<ShapeTable['fact']>) => Dim;

/** ∏(out) · C/g · ∏ k: every output element sums over one filter. */
const conv =
  (weight: number): Formula =>
  (call, output) => {
    const filter = call.shape(weight);
    if (output?.kind !== 'tensor' || !output.shape || !filter) return null;
    return mul(productOf(output.shape), productOf(filter.slice(1)));
  };

/** ∏(in) · M/g · ∏ k: every input element is spread over one filter. */
const convTranspose: Formula = (call) => {
  const data = call.shape(0);
  const filter = call.shape(1);
  return data && filter ? mul(productOf(data), productOf(filter.slice(1))) : null;
};

/** ∏(out) · K. */
function product(output: ReturnType<ShapeTable['fact']>, inner: Dim): Dim {
  return output?.kind === 'tensor' && output.shape ? mul(productOf(output.shape), inner) : null;
}

/** The summed axis is the last of the left operand; where that is unknown, the last but one of the right. */
const matmul =
  (left: number, right: number): Formula =>
  (call, output) => {
    const a = call.shape(left);
    const b = call.shape(right);
    const fromRight = b ? (b.length === 1 ? b[0]! : b.at(-2)!) : null;
    return product(output, a?.at(-1) ?? fromRight);
  };

const fusedMatmul: Formula = (call, output) => {
  const a = call.shape(0);
  if (!a) return null;
  const swapped = call.int('transA', 0) !== 0;
  const batchInside = call.int('transBatchA', 0) !== 0;
  if (!swapped || a.length < 2) return product(output, a.at(-1) ?? null);
  return product(output, batchInside ? a[0]! : a.at(-2)!);
};

const gemm =
  (right: number): Formula =>
  (call, output) => {
    const a = call.shape(0);
    const b = call.shape(right);
    const fromRight = b?.length === 2 ? b[call.int('transB', 0) ? 1 : 0]! : null;
    return product(output, (a?.length === 2 ? a[call.int('transA', 0) ? 0 : 1]! : null) ?? fromRight);
  };

/** T·B·directions·gates·H·(I + H). */
const recurrent: Formula = (call) => {
  const { steps, batch, input, directions, hidden } = recurrentSizes(call);
  const gates = GATES.get(call.node.opType)!;
  return productOf([steps, batch, directions, gates, hidden, add(input, hidden)]);
};

/** B·h·Lq·Lk·(dk + dv): scores, then the weighted sum of values. */
const attention =
  (sizesOf: (call: Call) => AttentionSizes | undefined): Formula =>
  (call) => {
    const sizes = sizesOf(call);
    if (!sizes) return null;
    const { batch, heads, queries, keys, keySize, valueSize } = sizes;
    return productOf([batch, heads, queries, keys, add(keySize, valueSize)]);
  };

/** com.microsoft Attention: the projection of X [B, S, D] by packed weights, then attention over S. */
const packedAttention: Formula = (call) => {
  const data = call.shape(0);
  const weight = call.shape(1);
  if (data?.length !== 3 || weight?.length !== 2) return null;
  const [batch, length, depth] = data as [Dim, Dim, Dim];
  const past = packedPast(call);
  const { query, value } = packedColumns(call);
  return add(
    productOf([batch, length, depth, weight[1]!]),
    productOf([batch, length, add(past, length), add(query, value)]),
  );
};

/** com.microsoft PackedAttention on [tokens, D]: known where no token is missing, so that all lengths are S. */
const unpaddedAttention: Formula = (call) => {
  const [data, weight, offsets] = [call.shape(0), call.shape(1), call.shape(3)];
  if (data?.length !== 2 || weight?.length !== 2 || !isUnpadded(data[0]!, offsets)) return null;
  const { query, value } = packedColumns(call);
  return add(
    productOf([data[0]!, data[1]!, weight[1]!]),
    productOf([data[0]!, offsets![1]!, add(query, value)]),
  );
};

/** com.microsoft PackedMultiHeadAttention: the same without the projection. */
const unpaddedMultiHead: Formula = (call) => {
  const [q, v, offsets] = [call.shape(0), call.shape(2), call.shape(4)];
  if (!q || !isUnpadded(q[0]!, offsets)) return null;
  if (q.length === 4) return productOf([q[0]!, offsets![1]!, q[1]!, q[3]!, 2]);
  return q.length === 2 ? productOf([q[0]!, offsets![1]!, add(q[1]!, v?.[1] ?? null)]) : null;
};

/** com.microsoft MoE: every token through `k` experts. Choosing them is the business of the nodes before. */
const mixtureOfExperts: Formula = (call) => {
  const data = call.shape(0);
  return data ? mul(productOf(data.slice(0, -1)), expertElements(call)) : null;
};

/** Packed projections of one input [.., K]: K times the columns that the attributes tell. */
const projections =
  (columns: Readonly<Record<string, number>>): Formula =>
  (call) => {
    const data = call.shape(0);
    let total = 0;
    for (const [name, times] of Object.entries(columns)) {
      require(call.int(name, 0) > 0);
      total += times * call.int(name, 0);
    }
    require(call.int('K', 0) > 0);
    return data ? productOf([...data.slice(0, -1), call.int('K', 0), total]) : null;
  };

/** The packed weight does not tell its depth, the attribute does. */
const packedMatmul: Formula = (call, output) => {
  require(call.int('K', 0) > 0);
  return product(output, call.int('K', 0));
};

/** ai.onnx.ml: every row of the input with every row of coefficients, which are an attribute. */
const linearModel: Formula = (call) => {
  const data = call.shape(0);
  const coefficients = call.attribute('coefficients');
  if (!data || coefficients?.kind !== 'floats') return null;
  return mul(data.length < 2 ? 1 : data[0]!, coefficients.value.length);
};

const unknown: Formula = () => null;

const MICROSOFT = 'com.microsoft';

function formulas(names: string, formula: Formula, domain = ''): [string, Formula][] {
  return names.split(' ').map((name) => [domain ? `${domain}::${name}` : name, formula]);
}

const FORMULAS: ReadonlyMap<string, Formula> = new Map([
  ...formulas('Conv ConvInteger DeformConv', conv(1)),
  ...formulas('QLinearConv', conv(3)),
  ...formulas('ConvTranspose', convTranspose),
  ...formulas('MatMul MatMulInteger', matmul(0, 1)),
  ...formulas('QLinearMatMul', matmul(0, 3)),
  ...formulas('Gemm', gemm(1)),
  ...formulas('Einsum', (call) =>
    einsumMacs(
      call.text('equation', ''),
      call.node.inputs.map((_, i) => call.shape(i)),
    ),
  ),
  ...formulas('LSTM GRU RNN', recurrent),
  ...formulas('Attention', attention(attentionSizes)),
  ...formulas('CausalConvWithState', conv(1)),
  ...formulas('LinearAttention', unknown),
  ...formulas('FusedConv NhwcConv NhwcFusedConv CausalConvWithState', conv(1), MICROSOFT),
  ...formulas('QLinearConv', conv(3), MICROSOFT),
  ...formulas('ConvTransposeWithDynamicPads', convTranspose, MICROSOFT),
  ...formulas('FusedGemm GemmFloat8', gemm(1), MICROSOFT),
  ...formulas('QGemm', gemm(3), MICROSOFT),
  ...formulas('FusedMatMul FusedMatMulActivation TransposeMatMul', fusedMatmul, MICROSOFT),
  ...formulas(
    'MatMulIntegerToFloat DynamicQuantizeMatMul MatMulInteger16 GemmFastGelu',
    matmul(0, 1),
    MICROSOFT,
  ),
  ...formulas('MatMulNBitsMlp', projections({ N: 2 }), MICROSOFT),
  ...formulas('MatMulNBitsQkv', projections({ Nq: 1, Nkv: 2 }), MICROSOFT),
  ...formulas('DynamicQuantizeLSTM', recurrent, MICROSOFT),
  ...formulas('MatMulNBits MatMulBnb4 MatMulFpQ4', packedMatmul, MICROSOFT),
  ...formulas('Attention QAttention', packedAttention, MICROSOFT),
  ...formulas('PackedAttention', unpaddedAttention, MICROSOFT),
  ...formulas('MultiHeadAttention', attention(multiHeadSizes), MICROSOFT),
  ...formulas('PackedMultiHeadAttention', unpaddedMultiHead, MICROSOFT),
  ...formulas('GroupQueryAttention', attention(groupQuerySizes), MICROSOFT),
  ...formulas('MoE QMoE', mixtureOfExperts, MICROSOFT),
  ...formulas('LinearAttention LongformerAttention PagedAttention', unknown, MICROSOFT),
  ...formulas('LinearClassifier LinearRegressor', linearModel, 'ai.onnx.ml'),
  ...formulas('SVMClassifier', unknown, 'ai.onnx.ml'),
  ...formulas('FlexAttention', unknown, 'ai.onnx.preview'),
]);
