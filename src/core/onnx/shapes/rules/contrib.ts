import { Element } from '../../elements';
import {
  axisOf,
  type Call,
  forAll,
  type Rule,
  type RuleTable,
  require,
  sameAs,
  scalarOf,
  withDim,
} from '../call';
import { type Dim, floorDiv, mul } from '../dim';
import { type Fact, tensor } from '../fact';
import { broadcast } from '../fold';
import { generatorRules } from './generators';
import { indexingRules } from './indexing';
import { reduceRules } from './reduce';
import { resizeRules } from './resize';

const UINT8 = 2;
const INT8 = 3;

/** The rule of a standard operator, as of the operator set that com.microsoft copied it from. */
function standard(table: RuleTable, name: string, opset: number): Rule {
  return (call) => table.get(name)!({ ...call, opset });
}

function shapeOf(result: ReturnType<Rule>): readonly Dim[] | null {
  return 'kind' in result && result.kind === 'tensor' ? result.shape : null;
}

const gather = standard(indexingRules, 'Gather', 13);

/** Rows of a quantised table, unpacked: (data, indices, scales, zero points). Bytes hold 8 / bits elements. */
const gatherBlockQuantized: Rule = (call) => {
  const data = call.shape(0);
  if (!data) return tensor(call.type(2), null);
  const bits = call.type(0) === UINT8 ? call.int('bits', 4) : 8;
  require([2, 4, 8].includes(bits) && call.type(0) !== 0);
  const axis = axisOf(call.int('gather_axis', 0), data.length);
  const unpacked = withDim(data, data.length - 1, mul(data.at(-1)!, 8 / bits));
  const rows = gather({
    ...call,
    shape: (i) => (i === 0 ? unpacked : call.shape(i)),
    small: () => undefined,
    int: (name, fallback) => (name === 'axis' ? axis : call.int(name, fallback)),
  });
  return tensor(call.type(2), shapeOf(rows));
};

/** Elementwise on two or more of the inputs; scales and zero points stand between them. */
const joined =
  (inputs: readonly number[], type: (call: Call) => number): Rule =>
  (call) =>
    tensor(type(call), broadcast(inputs.map((i) => call.shape(i))));

const reduceMean = standard(reduceRules, 'ReduceMean', 13);

const reduceSumInteger: Rule = (call) => tensor(Element.int32, shapeOf(reduceMean(call)));

const expandDims: Rule = (call) => {
  const shape = call.shape(0);
  const axis = scalarOf(call, 1);
  if (!shape || typeof axis !== 'number') return tensor(call.type(0), null);
  const at = axisOf(axis, shape.length + 1);
  return tensor(call.type(0), [...shape.slice(0, at), 1, ...shape.slice(at)]);
};

/** (table [buckets, heads], query length, key length) → [1, heads, queries, keys]. */
const relativePositionBias: Rule = (call) =>
  tensor(call.type(0), [1, call.shape(0)?.[1] ?? null, scalarOf(call, 1), scalarOf(call, 2)]);

/** Tokens [T, D] back at their places [B, S]. */
const restorePadding: Rule = (call) => {
  const [data, offsets] = [call.shape(0), call.shape(1)];
  require((!data || data.length === 2) && (!offsets || offsets.length === 2));
  return tensor(call.type(0), [offsets?.[0] ?? null, offsets?.[1] ?? null, data?.[1] ?? null]);
};

/** Attention on a cache of blocks: like the query [T, N·d], unless keys and values are packed into it. */
const pagedAttention: Rule = (call): Fact => {
  const q = call.shape(0);
  const heads = call.int('num_heads', 0);
  const all = heads + 2 * call.int('kv_num_heads', 0);
  require(heads > 0 && (!q || q.length === 2));
  // A value head of its own width has its own rule, which nobody has asked for yet.
  require(call.int('v_head_size', 0) === 0);
  const columns = q?.[1] ?? null;
  return tensor(call.type(0), [q?.[0] ?? null, call.has(1) ? columns : mul(floorDiv(columns, all), heads)]);
};

/** The operators of com.microsoft that hold no products, or whose products nobody can count. */
const RULES_BY_NAME: readonly (readonly [names: string, rule: Rule])[] = [
  [
    'BiasSoftmax BiasAdd Trilu GatedRMSNorm QOrderedGelu QOrderedLayerNormalization LongformerAttention',
    sameAs(0),
  ],
  ['NGramRepeatBlock', sameAs(1)],
  ['QuantizeWithOrder', (call) => tensor(INT8, call.shape(0))],
  ['GatherBlockQuantized', gatherBlockQuantized],
  ['TorchEmbedding', gather],
  ['GatherND', standard(indexingRules, 'GatherND', 13)],
  ['Pad', standard(indexingRules, 'Pad', 13)],
  ['GridSample', standard(resizeRules, 'GridSample', 16)],
  ['Range', standard(generatorRules, 'Range', 11)],
  ['ExpandDims', expandDims],
  ['QLinearReduceMean', reduceMean],
  ['ReduceSumInteger', reduceSumInteger],
  ['QLinearWhere', joined([0, 1, 4], (call) => call.type(1))],
  ['MulInteger', joined([0, 2], () => Element.int32)],
  ['ComplexMul ComplexMulConj', joined([0, 1], (call) => call.type(0))],
  ['RelativePositionBias', relativePositionBias],
  ['RestorePadding', restorePadding],
  ['PagedAttention', pagedAttention],
];

export const contribRules: RuleTable = new Map<string, Rule>(
  RULES_BY_NAME.flatMap(([names, rule]) => forAll(names, rule, 'com.microsoft')),
);
