import type { CostMeasure } from '../budget/measure';
import { workMeasure } from '../budget/workMeasure';
import type { FormedLayer } from '../layer';
import type { LayerOptions, Pick } from '../makePlan';
import type { Candidate, MethodId, Ranks } from '../method';
import { saves } from '../method';
import { alignRanks } from '../ranks/rankMultiple';

/** What a method at some ranks took in a layer's place. */
export interface TimedSetting {
  readonly method: MethodId;
  readonly ranks: Ranks;
  /** Milliseconds per inference. */
  readonly ms: number;
}

/** What was measured of a layer, alone, on this machine. */
export interface LayerTimes {
  /** Of the layer as it is, in milliseconds per inference. */
  readonly dense: number;
  readonly settings: readonly TimedSetting[];
}

/** Times of layers, by name, and of the model they are of. Plain data: planning measures nothing. */
export interface TimeTable {
  readonly layers: ReadonlyMap<string, LayerTimes>;
  /** Median milliseconds of the whole model as it is. */
  readonly modelMs: number;
}

/** A setting that takes more than this share of the layer's time is not faster. */
const FASTER = 0.97;

/** Of a method with one rank, these parts of the highest that makes sense are timed; of one with several, each rank's. */
const PARTS: readonly (readonly number[])[] = [[1 / 16], [1 / 8], [1 / 4], [1 / 2], [3 / 4]];
const PAIRED_PARTS: readonly (readonly number[])[] = [
  [1 / 8, 1 / 8],
  [1 / 8, 1 / 2],
  [1 / 4, 1 / 4],
  [1 / 2, 1 / 4],
  [1 / 2, 1 / 2],
];

/** The settings of a layer to be timed: few, in whole blocks, from low to high; what lies between follows from them. */
export function settingsToTime({
  choices,
}: Of<LayerOptions, 'choices'>): readonly { candidate: Candidate; ranks: Ranks }[] {
  return choices.flatMap(({ candidate }) => {
    const { fullRanks } = candidate;
    const parts = fullRanks.length === 1 ? PARTS : PAIRED_PARTS;
    const found = new Map<string, Ranks>();
    for (const part of parts) {
      const wanted = fullRanks.map((full, i) =>
        Math.max(1, Math.min(Number.isFinite(full) ? full : 64, Math.round(full * part[i % part.length]!))),
      );
      const ranks = possible(candidate, wanted);
      if (ranks && saves(candidate, ranks)) found.set(ranks.join(), ranks);
    }
    return [...found.values()].map((ranks) => ({ candidate, ranks }));
  });
}

/** TypeScript's own word for this is the name of something else here. */
type Of<T, K extends keyof T> = { readonly [key in K]: T[key] };

/** The ranks in whole blocks, if the method can have them. */
function possible(candidate: Candidate, wanted: Ranks): Ranks | undefined {
  if (wanted.some((rank, i) => rank > candidate.limits[i]!)) return undefined;
  const ranks = alignRanks(candidate, wanted);
  return candidate.takes?.(ranks) === undefined ? ranks : undefined;
}

/**
 * Milliseconds as what a budget is shared out of: those that were measured; between the measured ranks of a method the
 * estimate of {@link workMeasure}, corrected by how far it is off at those around, the nearer the more. null for what is
 * not faster than the layer as it is, and for layers and methods that were not timed.
 */
export function timeMeasure({ layers }: Of<TimeTable, 'layers'>): CostMeasure {
  return (layer, cost, pick) => {
    const times = layers.get(layer.name);
    if (!times) return null;
    if (!pick) return times.dense;
    const ms = timeOf(times, layer, cost, pick);
    return ms !== undefined && ms < FASTER * times.dense ? ms : null;
  };
}

function timeOf(
  { settings }: LayerTimes,
  layer: FormedLayer,
  cost: Parameters<CostMeasure>[1],
  pick: Pick,
): number | undefined {
  const { candidate } = pick.choice;
  let [weights, sum] = [0, 0];
  for (const { method, ranks, ms } of settings) {
    if (method !== candidate.method) continue;
    const distance = ranks.reduce((d, rank, i) => d + Math.log(pick.ranks[i]! / rank) ** 2, 0);
    if (distance === 0) return ms;
    const work = workMeasure(layer, candidate.cost(ranks), { choice: pick.choice, ranks });
    if (work === null) return undefined;
    weights += distance ** -2;
    sum += distance ** -2 * (ms / work);
  }
  const work = workMeasure(layer, cost, pick);
  return weights === 0 || work === null ? undefined : (work * sum) / weights;
}

/** How the fastest setting of a layer compares, where none is faster than the layer as it is: "Measured 1.08× slower …". */
export function whyNotFaster({ layers }: TimeTable, name: string): string | undefined {
  const times = layers.get(name);
  if (!times) return 'Its time was not measured.';
  const least = Math.min(...times.settings.map(({ ms }) => ms));
  if (!Number.isFinite(least) || least < FASTER * times.dense) return undefined;
  return slowerBy(least / times.dense);
}

/** The reason of a layer that stays as it is because what would take its place takes this many times as long. */
export function slowerBy(ratio: number): string {
  return ratio > 1.005
    ? `Factored it was measured ${ratio.toFixed(2)}× slower on this machine.`
    : 'Factored it was measured no faster on this machine.';
}
