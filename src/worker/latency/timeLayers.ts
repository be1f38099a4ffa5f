import { median } from '../../core/compress/latency/comparedTimes';
import type { LayerTimes, TimedSetting } from '../../core/compress/latency/timeTable';
import { idleModel, type Setting, type TinyContext, tinyModels } from '../../core/compress/latency/tinyModel';
import type { Layer } from '../../core/compress/layer';
import type { Candidate } from '../../core/compress/method';
import type { Model } from '../../core/onnx/model';
import { ModelError } from '../../core/onnx/modelError';
import { processorName } from '../platform/processors';
import { sha256 } from '../platform/sha256';
import type { Runtime, RuntimeSession } from '../runtime';
import { isRuntimeType, runtimeTensor } from '../runtimeValues';
import { timeInTurn } from './timeInTurn';
import type { TimingCache } from './timingCache';

/** A layer, and what might take its place. */
export interface LayerToTime {
  readonly layer: Layer;
  readonly settings: readonly (Setting & { readonly candidate: Candidate })[];
}

/** What timing works with, and how long it may take. */
export interface TimingTools {
  readonly runtime: Runtime;
  readonly timings: TimingCache;
  /** Milliseconds for all layers together; those with the fewest multiply-adds are left out when they are over. */
  readonly within: number;
  readonly signal?: AbortSignal | undefined;
  onLayer?(done: number, layer: string): void;
}

/** Runs of one layer's candidates: the median of so many at least. */
const FEWEST = 7;
const MOST = 60;

/**
 * Times each layer as it is and what might take its place, in turn, as models of their own with random weights: the very
 * nodes that would be written, on inputs of the layer's real size, in the engine that will be named. What a run costs by
 * itself is taken off. Layers that can't stand alone, or that the engine does not run, are missing in the answer.
 */
export async function timeLayers(
  model: Model,
  wanted: readonly LayerToTime[],
  tools: TimingTools,
): Promise<ReadonlyMap<string, LayerTimes>> {
  const { timings, signal, onLayer } = tools;
  const context: TinyContext = { opset: model.opsets.get('') ?? 1, irVersion: Math.max(4, model.irVersion) };
  const found = new Map<string, LayerTimes>();
  const work = ({ settings, layer }: LayerToTime) => settings[0]?.candidate.dense.macs ?? layer.parameters;
  const ordered = [...wanted].sort((a, b) => work(b) - work(a));
  const deadline = performance.now() + tools.within;
  try {
    for (const [i, each] of ordered.entries()) {
      signal?.throwIfAborted();
      onLayer?.(i / ordered.length, each.layer.name);
      const left = deadline - performance.now();
      const share = Math.max(0, left) / (ordered.length - i);
      const times = await timeLayer(each, context, tools, left > 0 ? share : 0);
      if (times) found.set(each.layer.name, times);
    }
  } finally {
    timings.save();
  }
  return found;
}

/** One layer; with no time left only what is known already. */
async function timeLayer(
  { layer, settings }: LayerToTime,
  context: TinyContext,
  { runtime, timings, signal }: TimingTools,
  share: number,
): Promise<LayerTimes | undefined> {
  const all = [undefined, ...settings];
  const keys = all.map((setting) => keyOf(runtime, layer, setting));
  const known = keys.map((key) => timings.get(key));
  const missing = all.flatMap((setting, i) => (known[i] === undefined && setting ? [setting] : []));
  if (known[0] === undefined || missing.length > 0) {
    if (share <= 0) return undefined;
    const measured = await measure(layer, missing, context, runtime, share, signal);
    if (!measured) return undefined;
    const [dense, ...others] = measured;
    // Times of another day count in relation to the layer as it is.
    const scale = known[0] === undefined || !(dense! > 0) ? 1 : known[0] / dense!;
    known[0] ??= dense!;
    for (const [k, setting] of missing.entries()) known[all.indexOf(setting)] = others[k]! * scale;
    for (const [i, ms] of known.entries()) timings.set(keys[i]!, ms!);
  }
  return {
    dense: known[0]!,
    settings: settings.map(
      ({ candidate, ranks }, i): TimedSetting => ({ method: candidate.method, ranks, ms: known[i + 1]! }),
    ),
  };
}

/** Milliseconds of the layer as it is and of these settings, summed over the uses of its weight. */
async function measure(
  layer: Layer,
  settings: readonly Setting[],
  context: TinyContext,
  runtime: Runtime,
  share: number,
  signal: AbortSignal | undefined,
): Promise<readonly number[] | undefined> {
  const { type } = layer.weight;
  const models = [undefined, ...settings].map((setting) => tinyModels(layer, setting, context));
  const [dense] = models;
  if (!dense || !isRuntimeType(type)) return undefined;
  const sums = models.map(() => 0);
  const uses = new Map<string, { use: number; count: number }>();
  for (const [use, { input }] of dense.entries()) {
    const known = uses.get(input.join());
    uses.set(input.join(), { use: known?.use ?? use, count: (known?.count ?? 0) + 1 });
  }
  for (const { use, count } of uses.values()) {
    const { input } = dense[use]!;
    const sessions: RuntimeSession[] = [];
    try {
      const open = async (bytes: Uint8Array) => {
        signal?.throwIfAborted();
        sessions.push(await runtime.open(`${layer.name} alone`, [], bytes)); // no text
      };
      for (const tiny of models) await open(tiny![use]!.bytes);
      const x = new Map([['x', runtimeTensor(type, input, (i) => Math.sin(i))]]);
      const [outputs] = [...(await sessions[0]!.run(x)).values()];
      await open(idleModel(layer, input, outputs!.dims, context).bytes);
      await timeInTurn(sessions, x, { fewest: 1, most: 1, ms: 0 }, signal);
      const effort = { fewest: FEWEST, most: MOST, ms: share / uses.size };
      const times = (await timeInTurn(sessions, x, effort, signal)).map(median);
      const idle = times.at(-1)!;
      // Never nothing: what a run costs by itself varies, too.
      for (const i of sums.keys()) sums[i]! += count * Math.max(times[i]! - idle, 0.05 * times[i]!);
    } catch (error) {
      // The engine does not know the operator for this type, say.
      if (error instanceof ModelError && error.code === 'runtime-failed') return undefined;
      throw error;
    } finally {
      for (const session of sessions) await session.release();
    }
  }
  return sums;
}

/** What a time depends on: the machine, the engine, the node with its sizes, and what takes its place. */
function keyOf(
  { name }: Runtime,
  layer: Layer,
  setting: LayerToTime['settings'][number] | undefined,
): string {
  const { node, weight, form, bias } = layer;
  const hash = sha256();
  hash.update(
    JSON.stringify([
      processorName(),
      name,
      weight.type,
      weight.dims,
      node.domain,
      node.opType,
      [...node.attributes].sort(([a], [b]) => (a < b ? -1 : 1)),
      bias !== undefined,
      form,
      setting ? [setting.candidate.method, setting.ranks] : null,
    ]),
  );
  return hash.digest('base64').slice(0, 24);
}
