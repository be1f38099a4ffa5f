import type { Analysis } from '../core/compress/analysis';
import type { LayerTimes } from '../core/compress/latency/timeTable';
import type { LayerPlan } from '../core/compress/plan';
import type { LayerReport } from '../core/compress/report';
import type { Rewritten } from '../core/compress/rewrite';
import type { Applied } from './calibrate/applyCalibrated';
import type { FactoredResult } from './factorLayers';

/** One row per layer of the original, with what the written file holds in its place. */
export function layerReports(
  before: Analysis,
  after: Analysis,
  plans: readonly LayerPlan[],
  factored: readonly FactoredResult[],
  { nodes, summands }: Pick<Rewritten, 'nodes' | 'summands'>,
  {
    refitted = [],
    uncalibrated = new Map(),
    ms = new Map(),
  }: Partial<Pick<Applied, 'refitted' | 'uncalibrated'>> & {
    /** What factored layers took alone. */
    readonly ms?: ReadonlyMap<string, LayerTimes>;
  } = {},
): readonly LayerReport[] {
  const results = new Map(
    factored.flatMap((f) => [f.layer, ...f.layer.twins].map((layer) => [layer.name, f] as const)),
  );
  const refits = new Set(refitted.flatMap(({ layer }) => [layer, ...layer.twins].map(({ name }) => name)));
  const byName = new Map(after.layers.map((l) => [l.name, l]));
  return before.layers.map((layer, i): LayerReport => {
    const plan = plans[i]!;
    const result = results.get(layer.name);
    const parts = (nodes.get(layer.name) ?? [layer.name]).flatMap((name) => byName.get(name) ?? []);
    const macs = parts.reduce<number | null>(
      (sum, part) => (sum === null || part.macs === null ? null : sum + part.macs),
      0,
    );
    const held = parts.reduce((sum, part) => sum + part.parameters, 0);
    // Where the factors end in other nodes the bias is not a part of any of them.
    const isApart = result !== undefined && held === result.candidate.cost(result.ranks).parameters;
    const bias = isApart ? layer.parameters - result.candidate.dense.parameters : 0;
    return {
      name: layer.name,
      op: layer.op,
      weightShape: layer.weightShape,
      method: result ? result.candidate.method : 'dense',
      ranks: result ? result.ranks : null,
      ...(plan.kind === 'dense' && !result ? { reason: plan.reason } : {}),
      parameters: { before: layer.parameters, after: held + bias + (summands.get(layer.name) ?? 0) },
      macs: { before: layer.macs, after: macs },
      ...msOf(ms.get(layer.name)),
      nodes: nodes.get(layer.name) ?? [layer.name],
      energy: result ? result.energy : null,
      weightError: result ? result.weightError : null,
      ...(result?.outputError === undefined ? {} : { outputError: result.outputError }),
      ...(refits.has(layer.name) ? { isRefitted: true as const } : {}),
      ...(result && uncalibrated.has(layer.name) ? { uncalibrated: uncalibrated.get(layer.name)! } : {}),
    };
  });
}

function msOf(times: LayerTimes | undefined): Pick<LayerReport, 'ms'> {
  const after = times?.settings[0]?.ms;
  return times && after !== undefined ? { ms: { before: times.dense, after } } : {};
}
