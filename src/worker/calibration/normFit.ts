import { counted } from '../../core/counted';
import { intAttribute } from '../../core/onnx/constants';
import type { Model, Node } from '../../core/onnx/model';
import { readFloats } from '../../core/onnx/tensorData';
import { openExposed } from '../activations/exposedSession';
import { shapedModel } from '../activations/shapedModel';
import type { OpenModel } from '../openModel';
import { runBatches } from '../parts/runBatches';
import { pause } from '../platform/pause';
import type { Runtime } from '../runtime';
import type { CalibrationData } from './calibrationData';
import type { NormFit } from './description';
import { spread } from './measureInput';

/** Samples that are run: channels of a picture have thousands of values in each. */
const JUDGED_SAMPLES = 16;
/** Channels that hardly varied in training tell nothing of scale. */
const LEAST_VARIANCE = 1e-8;
/** Data read as in training comes nearer than that, also where it is other data of the kind. */
const MOST_SPREAD = 3;
const MOST_SHIFT = 3;

/**
 * Runs some samples as far as the first BatchNormalization of a model and holds what it gets against its running mean and
 * variance. undefined where there is none, as where it was folded into the layer in front, or where the model can't be
 * run so far.
 */
export async function normFit(
  runtime: Runtime,
  open: OpenModel,
  data: Pick<CalibrationData, 'fit' | 'batches'>,
  signal?: AbortSignal,
): Promise<NormFit | undefined> {
  const norm = firstNorm(open.model);
  const samples = spread(data.fit, JUDGED_SAMPLES);
  const [first] = data.batches(samples.slice(0, 1), 1);
  if (!norm || !first) return undefined;
  const [name = '', , , meanName, varianceName] = norm.inputs;
  const read = (wanted: string | undefined) =>
    readFloats(
      open.model,
      open.model.graph.initializers.find((each) => each.name === wanted)!,
      open.openExternal,
    );
  const [mean, variance] = [read(meanName), read(varianceName)];
  const exposed = await openExposed(runtime, shapedModel(open, first.tensors), [{ name, what: 'values' }]);
  try {
    const meters = Array.from(mean, () => ({ count: 0, sum: 0, squares: 0 }));
    const sessions = exposed.session ? [exposed.session] : [];
    for await (const { batch, outputs } of runBatches(sessions, data.batches(samples, 1), signal)) {
      const { tensors, samples: own, padding } = batch;
      const [tensor] = exposed.found(tensors, outputs[0]);
      if (!tensor || tensor.dims[1] !== mean.length) return undefined;
      const rows = own.length + padding;
      const values = tensor.data as ArrayLike<number>;
      const inner = values.length / (tensor.dims[0]! * mean.length);
      // Rows that only fill up a run are copies.
      const used = tensor.dims[0] === rows ? own.length : tensor.dims[0]!;
      for (let i = 0; i < used * mean.length * inner; i++) {
        const channel = Math.floor(i / inner) % mean.length;
        const meter = meters[channel]!;
        const value = Number(values[i]) - mean[channel]!;
        meter.count++;
        meter.sum += value;
        meter.squares += value * value;
      }
      // Runs are synchronous inside: whoever wants to cancel is listened to here.
      await pause();
    }
    return judged(norm.name || name, samples.length, meters, variance);
  } finally {
    await exposed.release();
  }
}

/** What is wrong about it, as sentences. */
export function normWarnings({ node, spread, shift, samples }: NormFit): readonly string[] {
  const judgedBy = `judged by the running statistics of "${node}" on ${counted(samples, 'sample')}`;
  const cause = 'Scale, mean or standard deviation are probably not those the model was trained with';
  if (spread > MOST_SPREAD || spread < 1 / MOST_SPREAD) {
    return [
      `${cause}: its first BatchNormalization gets values ${short(spread)} times as spread as in training (${judgedBy}).`,
    ];
  }
  if (shift > MOST_SHIFT) {
    return [
      `${cause}: the means that its first BatchNormalization gets lie ${short(shift)} standard deviations from those in training (${judgedBy}).`,
    ];
  }
  return [];
}

/** The first in the order of the graph that normalises as in inference by constants of its own. */
function firstNorm({ graph }: Model): Node | undefined {
  const constants = new Set(graph.initializers.map(({ name }) => name));
  return graph.nodes.find(
    (node) =>
      node.opType === 'BatchNormalization' &&
      node.domain === '' &&
      intAttribute(node, 'training_mode', 0) === 0 &&
      constants.has(node.inputs[3] ?? '') &&
      constants.has(node.inputs[4] ?? ''),
  );
}

interface Meter {
  readonly count: number;
  /** Of values less the running mean. */
  readonly sum: number;
  readonly squares: number;
}

function judged(
  node: string,
  samples: number,
  meters: readonly Meter[],
  variance: ArrayLike<number>,
): NormFit | undefined {
  let [channels, logs, shifts] = [0, 0, 0];
  for (const [i, { count, sum, squares }] of meters.entries()) {
    const expected = variance[i]!;
    const offset = sum / count;
    const found = squares / count - offset ** 2;
    // Without data, or with values that are no numbers, nothing can be said.
    if (!(expected > LEAST_VARIANCE) || !(found > 0) || !Number.isFinite(found)) continue;
    channels++;
    logs += Math.log(found / expected) / 2;
    shifts += offset ** 2 / expected;
  }
  if (channels === 0) return undefined;
  return { node, samples, spread: Math.exp(logs / channels), shift: Math.sqrt(shifts / channels) };
}

function short(value: number): string {
  return String(Number(value.toPrecision(2)));
}
