import { Element } from '../../elements';
import type { Graph } from '../../model';
import { agreed, axisOf, type Call, type Rule, type RuleTable, require } from '../call';
import type { Dim } from '../dim';
import { commonFact, type Fact, sameFact, type TensorFact, tensor, UNKNOWN } from '../fact';

/** A loop whose state still changes shape after so many passes is given up. */
const MAX_PASSES = 4;

const ifRule: Rule = (call) => {
  const [yes, no] = ['then_branch', 'else_branch'].map((name) => call.attribute(name));
  require(yes?.kind === 'graph' && no?.kind === 'graph');
  const condition = call.numbers(0)?.[0];
  if (condition !== undefined) return call.runBody(condition ? yes.value : no.value, []);
  const left = call.runBody(yes.value, []);
  const right = call.runBody(no.value, []);
  require(left.length === right.length);
  return left.map((fact, i) => commonFact(fact, right[i]!));
};

/** What stays true of a value that changes from one iteration to the next: not its elements. */
function withoutValues(fact: Fact): Fact {
  return fact.kind === 'tensor' ? tensor(fact.type, fact.shape) : fact;
}

/**
 * Runs a body until the facts about its state no longer change: what differs between iterations becomes
 * unknown. Returns the state and the other outputs of the last pass.
 */
function settle(
  call: Call,
  body: Graph,
  initial: readonly Fact[],
  inputsOf: (state: readonly Fact[]) => readonly Fact[],
  stateOf: (outputs: readonly Fact[]) => readonly Fact[],
): { readonly state: readonly Fact[]; readonly outputs: readonly Fact[] } {
  let state = initial.map(withoutValues);
  for (let pass = 0; pass < MAX_PASSES; pass++) {
    const outputs = call.runBody(body, inputsOf(state));
    const after = stateOf(outputs).map(withoutValues);
    require(after.length === state.length);
    const merged = state.map((fact, i) => commonFact(fact, after[i]!));
    if (merged.every((fact, i) => sameFact(fact, state[i]!))) return { state, outputs };
    state = merged;
  }
  state = state.map(() => UNKNOWN);
  return { state, outputs: call.runBody(body, inputsOf(state)) };
}

const loop: Rule = (call) => {
  const body = call.attribute('body');
  require(body?.kind === 'graph');
  const graph = body.value;
  const stateCount = Math.max(0, call.arity - 2);
  require(graph.inputs.length === stateCount + 2 && graph.outputs.length >= stateCount + 1);
  const limit: Dim = call.has(0) ? (call.small(0)?.values[0] ?? null) : null;
  const start = call.has(1) ? call.numbers(1)?.[0] : 1;
  const condition: TensorFact =
    start === undefined ? tensor(Element.bool, []) : { ...tensor(Element.bool, []), values: () => [start] };
  const initial = Array.from({ length: stateCount }, (_, i) => call.fact(i + 2));
  const { state, outputs } = settle(
    call,
    graph,
    initial,
    (facts) => [tensor(Element.int64, []), condition, ...facts],
    (facts) => facts.slice(1, 1 + stateCount),
  );
  // Only a condition that never turns false makes the limit the number of iterations.
  const last = outputs[0]?.kind === 'tensor' ? outputs[0].values?.()?.[0] : undefined;
  const trips: Dim = start === 0 ? 0 : start !== undefined && last === 1 ? limit : null;
  call.setTrips(trips);
  const scanned = outputs.slice(1 + stateCount).map((fact) => stacked(fact, trips, 0));
  return [...state, ...scanned];
};

/** The outputs of all iterations on a new axis. */
function stacked(fact: Fact, trips: Dim, axis: number): Fact {
  if (fact.kind !== 'tensor') return UNKNOWN;
  if (!fact.shape) return tensor(fact.type, null);
  const at = axisOf(axis, fact.shape.length + 1);
  return tensor(fact.type, [...fact.shape.slice(0, at), trips, ...fact.shape.slice(at)]);
}

const scan: Rule = (call) => {
  const body = call.attribute('body');
  require(body?.kind === 'graph');
  const graph = body.value;
  const scanCount = call.int('num_scan_inputs', 0);
  // Opset 8 began with the sequence lengths and kept a batch axis in front of everything.
  const isBatched = call.opset < 9;
  const first = isBatched ? 1 : 0;
  const stateCount = call.arity - first - scanCount;
  require(scanCount > 0 && stateCount >= 0 && graph.inputs.length === stateCount + scanCount);
  const outputCount = graph.outputs.length - stateCount;
  require(outputCount >= 0 && call.node.outputs.length <= graph.outputs.length);
  const axesIn = call.ints('scan_input_axes') ?? new Array<number>(scanCount).fill(0);
  const axesOut = call.ints('scan_output_axes') ?? new Array<number>(outputCount).fill(0);
  require(axesIn.length === scanCount && axesOut.length === outputCount);
  let trips: Dim = null;
  let batch: Dim = null;
  const unbatched = (fact: Fact): Fact => {
    if (fact.kind !== 'tensor' || !fact.shape) return fact;
    if (!isBatched) return fact;
    require(fact.shape.length > 0);
    batch = agreed(batch, fact.shape[0]!);
    return tensor(fact.type, fact.shape.slice(1));
  };
  const batched = (fact: Fact): Fact =>
    isBatched && fact.kind === 'tensor' && fact.shape ? tensor(fact.type, [batch, ...fact.shape]) : fact;
  const slices = axesIn.map((axis, i) => {
    const fact = unbatched(call.fact(first + stateCount + i));
    if (fact.kind !== 'tensor' || !fact.shape) return fact;
    const at = axisOf(isBatched ? 0 : axis, fact.shape.length);
    trips = agreed(trips, fact.shape[at]!);
    return tensor(
      fact.type,
      fact.shape.filter((_, a) => a !== at),
    );
  });
  const initial = Array.from({ length: stateCount }, (_, i) => unbatched(call.fact(first + i)));
  const { state, outputs } = settle(
    call,
    graph,
    initial,
    (facts) => [...facts, ...slices],
    (facts) => facts.slice(0, stateCount),
  );
  call.setTrips(trips);
  const scanned = outputs
    .slice(stateCount)
    .map((fact, i) => stacked(fact, trips, isBatched ? 0 : axesOut[i]!));
  return [...state, ...scanned].map(batched);
};

export const controlRules: RuleTable = new Map<string, Rule>([
  ['If', ifRule],
  ['Loop', loop],
  ['Scan', scan],
]);
