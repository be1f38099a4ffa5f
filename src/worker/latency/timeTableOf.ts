import { type LayerTimes, settingsToTime, type TimeTable } from '../../core/compress/latency/timeTable';
import type { Layer } from '../../core/compress/layer';
import type { LayerOptions } from '../../core/compress/makePlan';
import type { Model } from '../../core/onnx/model';
import { type TimingTools, timeLayers } from './timeLayers';
import { openTimingCache } from './timingCache';

/** Layers are timed for so long at the most, by default: a fast one is done long before. */
export const TIMING_MS = 20_000;

/** So many of the layers that take longest are timed again, to tell times of then from those of now. */
const AGAIN = 3;

/**
 * Times all layers for which there are choices, on a coarse ladder of each method; what lies between follows from it. Times
 * of another day, and of a minute ago on a busy machine, are brought to what the longest layers take while the model is timed.
 *
 * @param timeModel times the whole model, in milliseconds
 */
export async function timeTableOf(
  model: Model,
  options: readonly LayerOptions<Layer>[],
  timeModel: () => Promise<number>,
  tools: TimingTools,
): Promise<TimeTable> {
  const wanted = options
    .filter(({ choices }) => choices.length > 0)
    .map((option) => ({ layer: option.layer, settings: settingsToTime(option) }));
  const then = await timeLayers(model, wanted, tools);
  const denseOf = (name: string) => then.get(name)?.dense ?? 0;
  const longest = [...wanted]
    .sort((a, b) => denseOf(b.layer.name) - denseOf(a.layer.name))
    .slice(0, AGAIN)
    .map(({ layer }) => ({ layer, settings: [] }));
  const { onLayer: _, ...quietly } = tools;
  const now = await timeLayers(model, longest, { ...quietly, timings: openTimingCache() });
  const modelMs = await timeModel();
  const sum = (of: ReadonlyMap<string, LayerTimes>) =>
    [...now.keys()].reduce((all, name) => all + (of.get(name)?.dense ?? 0), 0);
  const drift = sum(now) / sum(then);
  return fittedTable(drift > 0 && drift < Infinity ? scaled(then, drift) : then, modelMs);
}

/** What of a model's time its layers may add up to. */
const MOST_OF_MODEL = 0.98;

/**
 * Layers alone have their weights near at hand and hand over what they compute in another layout: together they may take more
 * than the model they are of. Then all are made shorter alike.
 */
export function fittedTable(layers: ReadonlyMap<string, LayerTimes>, modelMs: number): TimeTable {
  const sum = [...layers.values()].reduce((all, { dense }) => all + dense, 0);
  const scale = Math.min(1, (MOST_OF_MODEL * modelMs) / sum);
  if (!(scale < 1)) return { layers, modelMs };
  return { layers: scaled(layers, scale), modelMs };
}

function scaled(layers: ReadonlyMap<string, LayerTimes>, scale: number): ReadonlyMap<string, LayerTimes> {
  return new Map(
    [...layers].map(([name, { dense, settings }]): [string, LayerTimes] => [
      name,
      { dense: dense * scale, settings: settings.map((each) => ({ ...each, ms: each.ms * scale })) },
    ]),
  );
}
