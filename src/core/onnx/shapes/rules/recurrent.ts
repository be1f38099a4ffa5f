import { type Call, forAll, type Rule, type RuleTable, require } from '../call';
import { type Dim, floorDiv } from '../dim';
import { tensor } from '../fact';

/** The sizes of a recurrent node: X is [T, B, I], or [B, T, I] in the batch-first layout. */
export interface RecurrentSizes {
  readonly steps: Dim;
  readonly batch: Dim;
  readonly input: Dim;
  readonly directions: Dim;
  readonly hidden: Dim;
}

/** Gates per cell: what the rows of W are a multiple of. */
export const GATES: ReadonlyMap<string, number> = new Map([
  ['LSTM', 4],
  ['DynamicQuantizeLSTM', 4],
  ['GRU', 3],
  ['RNN', 1],
]);

export function recurrentSizes(call: Call): RecurrentSizes {
  const data = call.shape(0);
  const weight = call.shape(1);
  require((!data || data.length === 3) && (!weight || weight.length === 3));
  const batchFirst = call.int('layout', 0) === 1;
  const hidden = call.int('hidden_size', 0);
  const gates = GATES.get(call.node.opType) ?? 1;
  // com.microsoft has the rows of W as columns, [directions, I, 4·H].
  const isTurned = call.node.opType === 'DynamicQuantizeLSTM';
  const direction = call.text('direction', 'forward').toLowerCase();
  return {
    steps: data?.[batchFirst ? 1 : 0] ?? null,
    batch: data?.[batchFirst ? 0 : 1] ?? null,
    input: data?.[2] ?? weight?.[isTurned ? 1 : 2] ?? null,
    directions: direction === 'bidirectional' ? 2 : 1,
    hidden: hidden > 0 ? hidden : floorDiv(weight?.[isTurned ? 2 : 1] ?? null, gates),
  };
}

const recurrent: Rule = (call) => {
  const { steps, batch, directions, hidden } = recurrentSizes(call);
  const batchFirst = call.int('layout', 0) === 1;
  const sequence = batchFirst ? [batch, steps, directions, hidden] : [steps, directions, batch, hidden];
  const state = tensor(call.type(0), batchFirst ? [batch, directions, hidden] : [directions, batch, hidden]);
  return [tensor(call.type(0), sequence), state, state];
};

export const recurrentRules: RuleTable = new Map<string, Rule>([
  ...forAll('LSTM GRU RNN', recurrent),
  ...forAll('DynamicQuantizeLSTM', recurrent, 'com.microsoft'),
]);
