import { Element } from '../../elements';
import { axesOf, axisOf, type Call, forAll, lengthOf, type Rule, type RuleTable, unknownDims } from '../call';
import { add, type Dim, max, min, mul } from '../dim';
import { type Fact, tensor } from '../fact';
import { filled, isFoldable } from '../fold';

/** From this opset on, the axes are an input instead of an attribute. */
const AXES_INPUT_SINCE = 18;

const FOLDS: Record<string, ((a: Dim, b: Dim) => Dim) | undefined> = {
  ReduceProd: mul,
  ReduceSum: add,
  ReduceMax: max,
  ReduceMin: min,
};

function reduce(name: string): Rule {
  const since = name === 'ReduceSum' ? 13 : AXES_INPUT_SINCE;
  return (call) => {
    const shape = call.shape(0);
    const keep = call.int('keepdims', 1) !== 0;
    const type = call.type(0);
    let axes: readonly number[] | undefined = call.ints('axes');
    if (call.opset >= since && call.has(1)) {
      axes = call.numbers(1);
      if (!axes && lengthOf(call, 1) !== 0) return reducedUnknown(call, keep);
    }
    if (!shape)
      return tensor(type, !axes?.length && !keep && !call.int('noop_with_empty_axes', 0) ? [] : null);
    if (!axes?.length) {
      if (call.int('noop_with_empty_axes', 0)) return call.input(0);
      axes = shape.map((_, i) => i);
    }
    const reduced = new Set(axesOf(axes, shape.length));
    const dims = shape.flatMap<Dim>((d, i) => (reduced.has(i) ? (keep ? [1] : []) : [d]));
    return folded(call, name, reduced, dims, keep) ?? tensor(type, dims);
  };
}

/** Axes are computed: the order is all that can be said, if dimensions are kept. */
function reducedUnknown(call: Call, keep: boolean): Fact {
  const order = call.shape(0)?.length;
  const gone = lengthOf(call, 1);
  if (order === undefined) return tensor(call.type(0), null);
  if (keep) return tensor(call.type(0), unknownDims(order));
  return tensor(call.type(0), gone === undefined || gone > order ? null : unknownDims(order - gone));
}

function folded(
  call: Call,
  name: string,
  reduced: ReadonlySet<number>,
  dims: readonly Dim[],
  keep: boolean,
): Fact | undefined {
  const combine = FOLDS[name];
  if (!combine || !isFoldable(call.type(0), call.shape(0))) return undefined;
  const small = call.small(0);
  if (!small || small.values.length === 0) return undefined;
  const results = new Map<string, Dim>();
  const position = small.shape.map(() => 0);
  for (const value of small.values) {
    const key = position.flatMap((p, i) => (reduced.has(i) ? (keep ? [0] : []) : [p])).join();
    const before = results.get(key);
    results.set(key, before === undefined ? value : combine(before, value));
    for (let axis = position.length - 1; axis >= 0; axis--) {
      if (++position[axis]! < small.shape[axis]!) break;
      position[axis] = 0;
    }
  }
  return filled(call.type(0), dims, (at) => results.get(at.join()) ?? null);
}

const argReduce: Rule = (call) => {
  const shape = call.shape(0);
  if (!shape) return tensor(Element.int64, null);
  const axis = axisOf(call.int('axis', 0), shape.length);
  const keep = call.int('keepdims', 1) !== 0;
  return tensor(
    Element.int64,
    shape.flatMap<Dim>((d, i) => (i === axis ? (keep ? [1] : []) : [d])),
  );
};

const REDUCTIONS = `ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceMax ReduceMean ReduceMin ReduceProd
  ReduceSum ReduceSumSquare`.split(/\s+/);

export const reduceRules: RuleTable = new Map<string, Rule>([
  ...REDUCTIONS.map((name): [string, Rule] => [name, reduce(name)]),
  ...forAll('ArgMax ArgMin', argReduce),
]);
