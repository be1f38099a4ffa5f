import { agreed, type Call, forAll, type Rule, type RuleTable, require } from '../call';
import { add, type Dim, floorDiv, max, mul, productOf, sameDim } from '../dim';
import { type Fact, type TensorFact, tensor } from '../fact';
import type { AttentionSizes } from './attention';

const MICROSOFT = 'com.microsoft';
const UINT8 = 2;

function hasOutput(call: Call, output: number): boolean {
  return (call.node.outputs[output] ?? '') !== '';
}

/** Columns of the packed weights [D, Q + K + V] of com.microsoft Attention; Q and K are alike. */
export function packedColumns(call: Call): { readonly query: Dim; readonly value: Dim } {
  const parts = call.ints('qkv_hidden_sizes');
  if (parts?.length === 3) {
    require(parts[0] === parts[1]);
    return { query: parts[0]!, value: parts[2]! };
  }
  const third = floorDiv(call.shape(1)?.[1] ?? null, 3);
  return { query: third, value: third };
}

/** Key positions that com.microsoft Attention and QAttention have cached; null where they are not told. */
export function packedPast(call: Call): Dim {
  // A buffer that past and present share is longer than what is in it.
  if (call.int('past_present_share_buffer', 0) !== 0) return null;
  const past = call.node.opType === 'QAttention' ? 8 : 4;
  return call.has(past) ? (call.shape(past)?.[3] ?? null) : 0;
}

/** com.microsoft Attention: X [B, S, D] times packed weights [D, Q+K+V]. */
const packedAttention: Rule = (call) => {
  const data = call.shape(0);
  if (!data) return [tensor(call.type(0), null)];
  require(data.length === 3);
  const { value } = packedColumns(call);
  const heads = call.int('num_heads', 0);
  require(heads > 0);
  const isShared = call.int('past_present_share_buffer', 0) !== 0;
  const length = isShared ? (call.shape(4)?.[3] ?? null) : add(packedPast(call), data[1]!);
  // Quantised inputs give a result of the type of their scale.
  const type = call.node.opType === 'QAttention' ? call.type(3) : call.type(0);
  return [
    tensor(type, [data[0]!, data[1]!, value]),
    tensor(type, [2, data[0]!, heads, length, floorDiv(value, heads)]),
  ];
};

/** com.microsoft PackedAttention: only the tokens that are no padding, [tokens, D]. */
const unpaddedAttention: Rule = (call) => {
  const data = call.shape(0);
  require(!data || data.length === 2);
  return tensor(call.type(0), [data?.[0] ?? null, packedColumns(call).value]);
};

/** com.microsoft PackedMultiHeadAttention: Q, K and V [tokens, D], or all in one, [tokens, heads, 3, d]. */
const unpaddedMultiHead: Rule = (call) => {
  const [q, v] = [call.shape(0), call.shape(2)];
  if (!q) return tensor(call.type(0), [null, null]);
  if (q.length === 4) return tensor(call.type(0), [q[0]!, mul(q[1]!, q[3]!)]);
  require(q.length === 2 && (!v || v.length === 2));
  return tensor(call.type(0), [q[0]!, v?.[1] ?? null]);
};

/**
 * com.microsoft MultiHeadAttention: Q, K and V [B, S, N·d]; all packed into Q [B, S, N, 3, d]; K and V packed into K
 * [B, L, N, 2, d]; or K and V of another model part, [B, N, L, d]. undefined where too little is known.
 */
export function multiHeadSizes(call: Call): AttentionSizes | undefined {
  const [q, k, v] = [call.shape(0), call.shape(1), call.shape(2)];
  const heads = call.int('num_heads', 0);
  require(heads > 0);
  if (!q) return undefined;
  const past = call.has(6) ? (call.shape(6)?.[2] ?? null) : 0;
  const sizes = (queries: Dim, newKeys: Dim, keySize: Dim, valueSize: Dim): AttentionSizes => ({
    batch: q[0]!,
    heads,
    keyHeads: heads,
    queries,
    newKeys,
    // With a shared buffer the number of keys is an input of its own.
    keys: call.has(8) ? null : add(past, newKeys),
    keySize,
    valueSize,
  });
  if (q.length === 5) return sizes(q[1]!, q[1]!, q[4]!, q[4]!);
  require(q.length === 3);
  const keySize = floorDiv(q[2]!, heads);
  if (!k) return undefined;
  if (k.length === 5) return sizes(q[1]!, k[1]!, keySize, k[4]!);
  if (k.length === 4) return sizes(q[1]!, k[2]!, keySize, v?.length === 4 ? v[3]! : null);
  require(k.length === 3 && (!v || v.length === 3));
  return sizes(q[1]!, k[1]!, keySize, floorDiv(v?.[2] ?? null, heads));
}

const multiHead: Rule = (call): readonly Fact[] => {
  const sizes = multiHeadSizes(call);
  const type = call.type(0);
  if (!sizes) {
    const q = call.shape(0);
    return [tensor(type, q && [q[0] ?? null, q[1] ?? null, null])];
  }
  const { batch, heads, queries, keys, keySize, valueSize } = sizes;
  const cached = call.has(8) ? (call.shape(6)?.[2] ?? null) : keys;
  return [
    tensor(type, [batch, queries, mul(heads, valueSize)]),
    tensor(type, [batch, heads, cached, keySize]),
    tensor(type, [batch, heads, cached, valueSize]),
    tensor(type, [batch, heads, queries, keys]),
  ];
};

/** com.microsoft GroupQueryAttention: Q [B, S, N·d], K and V [B, L, n·d], or all packed into Q [B, S, (N + 2n)·d]. */
export function groupQuerySizes(call: Call): AttentionSizes | undefined {
  const [q, k] = [call.shape(0), call.shape(1)];
  const heads = call.int('num_heads', 0);
  const keyHeads = call.int('kv_num_heads', 0);
  require(heads > 0 && keyHeads > 0 && heads % keyHeads === 0);
  if (!q) return undefined;
  require(q.length === 3 && (!k || k.length === 3));
  const isPacked = !call.has(1);
  const newKeys = isPacked ? q[1]! : (k?.[1] ?? null);
  const size = floorDiv(q[2]!, isPacked ? heads + 2 * keyHeads : heads);
  // The total is an input, because a cache may be longer than what is in it.
  const total = call.small(6)?.values[0] ?? null;
  return {
    batch: q[0]!,
    heads,
    keyHeads,
    queries: q[1]!,
    newKeys,
    keys: call.has(3) ? total : newKeys,
    keySize: size,
    valueSize: size,
  };
}

const groupQuery: Rule = (call) => {
  const sizes = groupQuerySizes(call);
  if (!sizes) return [tensor(call.type(0), null)];
  const { batch, heads, keyHeads, queries, keys, valueSize } = sizes;
  const cache = (input: number): TensorFact => {
    const past = call.has(input) ? call.shape(input) : null;
    const type = call.has(input) ? call.type(input) : call.type(0);
    const room = past?.[2] ?? null;
    // A window keeps its length; elsewhere the cache grows to what is in it.
    const grown = call.has(input) ? max(room, keys) : keys;
    const length = call.int('sliding_window_cache', 0) !== 0 ? room : grown;
    // The elements of a quantised cache may be packed: its own last axis tells.
    return tensor(type, [batch, keyHeads, length, call.has(input) ? (past?.[3] ?? null) : valueSize]);
  };
  const outputs = [tensor(call.type(0), [batch, queries, mul(heads, valueSize)]), cache(3), cache(4)];
  return hasOutput(call, 3) ? [...outputs, tensor(call.type(0), [batch, heads, queries, keys])] : outputs;
};

/** com.microsoft MatMulNBitsMlp: gate and up projections of one input, multiplied. */
const gatedProjection: Rule = (call) => {
  const shape = call.shape(0);
  const columns = call.int('N', 0);
  require(columns > 0);
  return [tensor(call.type(0), shape && [...shape.slice(0, -1), columns]), tensor(call.type(0), shape)];
};

/** com.microsoft MatMulNBitsQkv: three projections of one input. */
const tripleProjection: Rule = (call) => {
  const shape = call.shape(0);
  const [query, other] = [call.int('Nq', 0), call.int('Nkv', 0)];
  require(query > 0 && other > 0);
  const projected = (columns: number) => tensor(call.type(0), shape && [...shape.slice(0, -1), columns]);
  return [projected(query), projected(other), projected(other), tensor(call.type(0), shape)];
};

/** com.microsoft MoE and QMoE: like the input, whose last axis the experts' weights must fit. */
const experts: Rule = (call) => {
  const shape = call.shape(0);
  require(!shape || shape.length === 2 || shape.length === 3);
  return tensor(call.type(0), shape);
};

/**
 * The weight elements one token is multiplied with: `k` experts of two matrices, or of three. Quantised weights are
 * packed into bytes. null where they are stored in a way that does not tell.
 */
export function expertElements(call: Call): Dim {
  const isQuantised = call.node.opType === 'QMoE';
  // In bytes there are 8 / bits elements, in whatever else one.
  const bits = call.type(2) === UINT8 ? call.int('expert_weight_bits', 4) : 8;
  if (isQuantised && (call.type(2) === 0 || ![2, 4, 8].includes(bits))) return null;
  // Every weight is followed by its scale where there are any, and then by its bias.
  const step = isQuantised ? 3 : 2;
  let total: Dim = 0;
  for (const input of [2, 2 + step, 2 + 2 * step]) {
    if (!call.has(input)) continue;
    const shape = call.shape(input);
    if (shape?.length !== 3) return null;
    total = add(total, productOf([shape[1]!, shape[2]!, isQuantised ? 8 / bits : 1]));
  }
  require(call.has(2) && call.has(2 + step));
  return mul(total, call.int('k', 1));
}

/** Whether no token of a batch [B, S] was left out: then its sequences all have length S. */
export function isUnpadded(tokens: Dim, offsets: readonly Dim[] | null): boolean {
  if (offsets?.length !== 2) return false;
  const places = productOf(offsets);
  if (typeof tokens === 'number' && typeof places === 'number') return agreed(tokens, places) === places;
  return sameDim(tokens, places);
}

export const fusedAttentionRules: RuleTable = new Map<string, Rule>([
  ...forAll('Attention QAttention', packedAttention, MICROSOFT),
  ...forAll('PackedAttention', unpaddedAttention, MICROSOFT),
  ...forAll('PackedMultiHeadAttention', unpaddedMultiHead, MICROSOFT),
  ...forAll('MultiHeadAttention', multiHead, MICROSOFT),
  ...forAll('GroupQueryAttention', groupQuery, MICROSOFT),
  ...forAll('MatMulNBitsMlp', gatedProjection, MICROSOFT),
  ...forAll('MatMulNBitsQkv', tripleProjection, MICROSOFT),
  ...forAll('MoE QMoE', experts, MICROSOFT),
]);
