import { type LayerTimes, settingsToTime, type TimeTable } from '../../core/compress/latency/timeTable';
import type { Layer } from '../../core/compress/layer';
import type { LayerOptions } from '../../core/compress/makePlan';
import type { Model } from '../../core/onnx/model';
import { type TimingTools, timeLayers } from './timeLayers';

/** Layers are timed for so long at the most, by default: a fast one is done long before. */
export const TIMING_MS = 20_000;

/** Times all layers for which there are choices, on a coarse ladder of each method; what lies between follows from it. */
export async function timeTableOf(
  model: Model,
  options: readonly LayerOptions<Layer>[],
  modelMs: number,
  tools: TimingTools,
): Promise<TimeTable> {
  const wanted = options
    .filter(({ choices }) => choices.length > 0)
    .map((option) => ({ layer: option.layer, settings: settingsToTime(option) }));
  return fittedTable(await timeLayers(model, wanted, tools), modelMs);
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
  const scaled = [...layers].map(([name, { dense, settings }]): [string, LayerTimes] => [
    name,
    { dense: dense * scale, settings: settings.map((each) => ({ ...each, ms: each.ms * scale })) },
  ]);
  return { layers: new Map(scaled), modelMs };
}
