import { Element } from '../../elements';
import { agreed, type Call, forAll, type Rule, type RuleTable, require, sameAs, withDim } from '../call';
import { add, type Dim, floorDiv, mul, sub } from '../dim';
import { tensor } from '../fact';

/** The sizes of scaled dot-product attention. */
export interface AttentionSizes {
  readonly batch: Dim;
  readonly heads: Dim;
  readonly keyHeads: Dim;
  /** Query positions. */
  readonly queries: Dim;
  /** Key positions that are new in this call. */
  readonly newKeys: Dim;
  /** All key positions, cached ones included. */
  readonly keys: Dim;
  readonly keySize: Dim;
  readonly valueSize: Dim;
}

/** ONNX Attention: 4-D inputs [B, H, L, d], or 3-D ones [B, L, H·d] with the head counts as attributes. */
export function attentionSizes(call: Call): AttentionSizes | undefined {
  const [q, k, v] = [call.shape(0), call.shape(1), call.shape(2)];
  if (!q || !k || !v) return undefined;
  require(q.length === k.length && k.length === v.length && (q.length === 3 || q.length === 4));
  const past = call.has(4) ? (call.shape(4)?.[2] ?? null) : 0;
  const batch = agreed(agreed(q[0]!, k[0]!), v[0]!);
  if (q.length === 4) {
    return {
      batch,
      heads: q[1]!,
      keyHeads: agreed(k[1]!, v[1]!),
      queries: q[2]!,
      newKeys: agreed(k[2]!, v[2]!),
      keys: add(past, k[2]!),
      keySize: agreed(q[3]!, k[3]!),
      valueSize: v[3]!,
    };
  }
  const heads = call.int('q_num_heads', 0);
  const keyHeads = call.int('kv_num_heads', 0);
  require(heads > 0 && keyHeads > 0 && heads % keyHeads === 0);
  for (const [hidden, count] of [
    [q[2]!, heads],
    [k[2]!, keyHeads],
    [v[2]!, keyHeads],
  ] as const) {
    require(typeof hidden !== 'number' || hidden % count === 0);
  }
  return {
    batch,
    heads,
    keyHeads,
    queries: q[1]!,
    newKeys: agreed(k[1]!, v[1]!),
    keys: add(past, k[1]!),
    keySize: floorDiv(q[2]!, heads),
    valueSize: floorDiv(v[2]!, keyHeads),
  };
}

const attention: Rule = (call) => {
  const type = call.type(0);
  checkAttention(call);
  const sizes = attentionSizes(call);
  if (!sizes) return call.node.outputs.map(() => tensor(type, null));
  const { batch, heads, keyHeads, queries, keys, keySize, valueSize } = sizes;
  const is3D = call.shape(0)!.length === 3;
  return [
    tensor(type, is3D ? [batch, queries, mul(heads, valueSize)] : [batch, heads, queries, valueSize]),
    tensor(call.type(1), [batch, keyHeads, keys, keySize]),
    tensor(call.type(2), [batch, keyHeads, keys, valueSize]),
    tensor(type, [batch, heads, queries, keys]),
  ];
};

/** What the operator forbids: half a cache, heads told twice, windows of negative width. */
function checkAttention(call: Call): void {
  const hasOutput = (i: number) => (call.node.outputs[i] ?? '') !== '';
  require(call.has(4) === call.has(5) && hasOutput(1) === hasOutput(2));
  require(!call.has(6) || !(call.has(4) || hasOutput(1)));
  require(call.int('left_window_size', -1) >= -1 && call.int('right_window_size', -1) >= -1);
  const isSplit = call.shape(0)?.length === 4;
  require(!isSplit || !(call.attribute('q_num_heads') || call.attribute('kv_num_heads')));
}

const embedLayerNormalization: Rule = (call) => {
  const ids = call.shape(0);
  const table = call.shape(2);
  const dims = ids && [...ids, table?.[1] ?? null];
  return [tensor(call.type(2), dims), tensor(Element.int32, [ids?.[0] ?? null]), tensor(call.type(2), dims)];
};

const halfOfLast: Rule = (call) => {
  const shape = call.shape(0);
  if (!shape?.length) return tensor(call.type(0), shape);
  return tensor(call.type(0), withDim(shape, shape.length - 1, floorDiv(shape.at(-1)!, 2)));
};

/** Attention with a state instead of a cache: Q [B, T, H·d], K and V [B, T, h·d], state [B, h, dk, dv]. */
const linearAttention: Rule = (call) => {
  const [q, k, v] = [call.shape(0), call.shape(1), call.shape(2)];
  const past = call.has(3) ? call.shape(3) : null;
  for (const shape of [q, k, v]) require(!shape || shape.length === 3);
  require(!past || past.length === 4);
  const heads = call.int('q_num_heads', 0);
  const keyHeads = call.int('kv_num_heads', 0);
  require(heads > 0 && keyHeads > 0 && heads % keyHeads === 0);
  const [keySize, valueSize] = [perHead(k?.[2] ?? null, keyHeads), perHead(v?.[2] ?? null, keyHeads)];
  perHead(q?.[2] ?? null, heads);
  checkUpdateRule(call, keyHeads, k?.[2] ?? null);
  const [stateKey, stateValue] = [past?.[2] ?? null, past?.[3] ?? null];
  const size = agreed(valueSize, stateValue);
  const batch = agreed(q?.[0] ?? null, past?.[0] ?? null);
  const type = call.type(0);
  return [
    tensor(type, [batch, q?.[1] ?? null, mul(heads, size)]),
    tensor(call.has(3) ? call.type(3) : type, [batch, keyHeads, agreed(keySize, stateKey), size]),
  ];
};

/** Decay (per head, or per column of the keys) belongs to the gated rules, beta (per head) to the delta rules. */
function checkUpdateRule(call: Call, keyHeads: number, keyColumns: Dim): void {
  const rule = call.text('update_rule', 'gated_delta');
  require(['linear', 'gated', 'delta', 'gated_delta'].includes(rule));
  require(call.has(4) === rule.includes('gated') && call.has(5) === rule.includes('delta'));
  const last = (input: number): Dim => {
    const shape = call.shape(input);
    require(!shape || shape.length === 3);
    return shape?.[2] ?? null;
  };
  const [decay, beta] = [last(4), last(5)];
  if (typeof decay === 'number' && decay !== keyHeads) agreed(decay, keyColumns);
  require(typeof beta !== 'number' || beta === keyHeads || beta === 1);
}

function perHead(hidden: Dim, heads: number): Dim {
  if (typeof hidden === 'number') require(hidden % heads === 0);
  return floorDiv(hidden, heads);
}

/** Depthwise convolution that looks back only: X [B, C, L], weight [C, 1, k], the last k − 1 inputs kept. */
const causalConv: Rule = (call) => {
  const data = call.shape(0);
  const weight = call.shape(1);
  require((!data || data.length === 3) && (!weight || weight.length === 3));
  require(['none', 'silu', 'swish'].includes(call.text('activation', 'none')));
  const type = call.type(0);
  const channels = agreed(data?.[1] ?? null, weight?.[0] ?? null);
  const kernel = weight?.[2] ?? null;
  require(typeof kernel !== 'number' || kernel >= 1);
  return [
    tensor(type, data && withDim(data, 1, channels)),
    tensor(call.has(3) ? call.type(3) : type, [data?.[0] ?? null, channels, sub(kernel, 1)]),
  ];
};

/** Attention on 4-D inputs whose scores and weights pass through bodies of the node. */
const flexAttention: Rule = (call) => {
  const sizes = attentionSizes(call);
  if (!sizes) return tensor(call.type(0), null);
  require(call.shape(0)!.length === 4);
  require(new Set([call.type(0), call.type(1), call.type(2)].filter((type) => type !== 0)).size <= 1);
  const { heads, keyHeads } = sizes;
  if (typeof heads === 'number' && typeof keyHeads === 'number') require(heads % keyHeads === 0);
  return tensor(call.type(0), [sizes.batch, heads, sizes.queries, sizes.valueSize]);
};

const swiglu: Rule = (call) => {
  const [a, b] = [call.shape(0), call.shape(1)];
  if (!a || !b) return tensor(call.type(0), null);
  require(a.length === b.length);
  return tensor(
    call.type(0),
    a.map((d, i) => agreed(d, b[i]!)),
  );
};

const MICROSOFT = 'com.microsoft';

export const attentionRules: RuleTable = new Map<string, Rule>([
  ['Attention', attention],
  ['RotaryEmbedding', sameAs(0)],
  ['LinearAttention', linearAttention],
  ['CausalConvWithState', causalConv],
  ['SwiGLU', swiglu],
  ...forAll('FlexAttention', flexAttention, 'ai.onnx.preview'),
  ...forAll('EmbedLayerNormalization', embedLayerNormalization, MICROSOFT),
  ...forAll('BiasSplitGelu', halfOfLast, MICROSOFT),
  ...forAll('RotaryEmbedding', sameAs(0), MICROSOFT),
  ...forAll('LinearAttention', linearAttention, MICROSOFT),
  ...forAll('CausalConvWithState', causalConv, MICROSOFT),
]);
