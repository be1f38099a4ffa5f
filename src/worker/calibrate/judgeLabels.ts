import { counted } from '../../core/counted';
import { formatPercent } from '../../core/format';
import { ModelError } from '../../core/onnx/modelError';
import { calibrationBatches, samplesPerRun } from '../activations/inputBatches';
import type { LabelsDescription } from '../calibration/description';
import { type Labels, readLabels } from '../calibration/labels';
import { spread } from '../calibration/measureInput';
import { basename } from '../platform/paths';
import { pause } from '../platform/pause';
import type { Runtime } from '../runtime';
import { countRight } from './countRight';
import { checkedSamples, unpadded } from './heldBackError';
import type { CalibratedOn } from './tools';

/** Samples that are run, and multiply-adds that this may take: a second or two. */
const MOST_SAMPLES = 256;
const MOST_MACS = 4e10;
/** Samples where the MACs are not known. */
const FEW_SAMPLES = 16;
/** From so few answers nothing is concluded, nor where one class is most of the labels anyway. */
const ENOUGH_SAMPLES = 16;
const MOST_OF_ONE = 0.75;

/** Labels as a model sees them, with what looks wrong about them as sentences. */
export interface JudgedLabels {
  readonly labels: LabelsDescription;
  readonly warnings: readonly string[];
}

/** Reads labels for data and asks the model, as it is, for some of its answers. Only trouble with them is an answer. */
export async function judgeLabels(
  runtime: () => Runtime,
  on: Pick<CalibratedOn, 'open' | 'data' | 'macs'>,
  path: string,
  signal?: AbortSignal,
): Promise<JudgedLabels> {
  try {
    const labels = readLabels(path, on.data.count);
    const { classes } = labels;
    const description = {
      kind: 'fit',
      count: classes.length,
      classes: new Set(Array.from(classes)).size,
    } as const;
    const judged = await orNothing(judge(runtime(), on, labels, signal));
    if (!judged) return { labels: description, warnings: [] };
    const { right, warning } = judged;
    return { labels: { ...description, right }, warnings: warning === undefined ? [] : [warning] };
  } catch (error) {
    if (!(error instanceof ModelError)) throw error;
    return { labels: { kind: 'unfit', reason: error.message }, warnings: [] };
  }
}

/** A model that no runtime takes is no reason not to look at the labels. */
async function orNothing<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof ModelError && error.code !== 'bad-data') return undefined;
    throw error;
  }
}

async function judge(
  runtime: Runtime,
  { open, data, macs }: Pick<CalibratedOn, 'open' | 'data' | 'macs'>,
  labels: Labels,
  signal: AbortSignal | undefined,
) {
  const most =
    macs === null ? FEW_SAMPLES : Math.min(MOST_SAMPLES, Math.max(1, Math.floor(MOST_MACS / macs)));
  const samples = spread(checkedSamples(data), most);
  const count = countRight(labels, open.path);
  const session = await runtime.open(open.path, open.externalFiles);
  try {
    for await (const batch of calibrationBatches(data, samples, samplesPerRun(macs))) {
      signal?.throwIfAborted();
      const outputs = unpadded(await session.run(batch.tensors), batch);
      count.add(outputs, outputs, batch.samples);
      await pause();
    }
  } finally {
    await session.release();
  }
  const share = count.result().before;
  return { right: { share, samples: samples.length }, warning: warningOf(share, samples, labels) };
}

/** That a model is no better than a constant is what labels in another order, or numbered otherwise, look like. */
function warningOf(share: number, samples: readonly number[], { file, classes }: Labels): string | undefined {
  const counts = new Map<number, number>();
  for (const sample of samples) {
    const label = classes[sample]!;
    counts.set(label, (counts.get(label) ?? 0) + 1);
  }
  const constant = Math.max(...counts.values()) / samples.length;
  if (samples.length < ENOUGH_SAMPLES || constant > MOST_OF_ONE || share > constant) return undefined;
  return `Of ${counted(samples.length, 'sample')} the model as it is answers ${formatPercent(share)} as ${basename(file)} says, no more than if it always gave the same answer. Are the labels in the order of the data, and numbered as the model does?`;
}
