import type { FormedLayer } from '../layer';
import type { Choice, LayerOptions, Pick } from '../makePlan';
import { breakEvenRank, type Candidate, type Cost, type Ranks, saves } from '../method';
import { cutsOf, fitted } from '../ranks/cuts';
import { alignRanks, blockOf, countsChannels } from '../ranks/rankMultiple';
import type { CostMeasure } from './measure';
import { type Option, undominated } from './relaxation';
import { feltError, type Sensitivity } from './sensitivity';

/** By what the settings of a layer are made and weighed. */
export interface LadderSettings {
  readonly measure: CostMeasure;
  /** What ranks are multiples of where layers are wide enough (`blockOf`); 1 for every rank. */
  readonly block: number;
  readonly sensitivity: Sensitivity;
  /** How long a setting takes, in any unit, to choose by among those of like loss; missing: it is not asked for. */
  readonly time?: CostMeasure;
}

/** One setting of a layer. */
export interface Rung extends Option {
  /** In the unit of the measure, of the weight or its factors alone. */
  readonly cost: number;
  /** In the unit of the sensitivity. */
  readonly loss: number;
  /** Predicted ‖W − Ŵ‖² / ‖W‖². */
  readonly error: number;
  /** In the unit of `time`; 0 where it is not asked for, or not known of the layer. */
  readonly time: number;
  /** Undefined: the layer stays as it is. */
  readonly pick: Pick | undefined;
}

/** What can become of a layer. */
export interface Ladder {
  /** From the cheapest setting up to one without loss; each costlier one loses less than the one before. */
  readonly rungs: readonly Rung[];
  /** Those, and others that take less time than any that costs and loses no more; the same where time is not asked for. */
  readonly timed: readonly Rung[];
  /** Cost of the layer as it is, in the unit of the measure. */
  readonly dense: number;
}

/** Steps of the squared relative error to which ranks of a method with several of them are sought, per factor of 10. */
const STEPS = 16;

/** The smallest squared relative error that they are sought for. */
const LEAST_ERROR = 1e-6;

/** Of two ranks that are free of each other all pairs are settings, of so many of each. */
const MOST_LEVELS = 32;

/** Ranks of a method, and what they cost. */
interface Setting {
  readonly ranks: Ranks;
  readonly cost: Cost;
}

/** Settings that follow from the form of a layer alone, shared by all layers of that form. */
export type SharedSettings = Map<string, readonly Setting[]>;

/**
 * What can become of a layer: it stays as it is, or takes one of the aligned ranks below break-even of methods with a
 * single rank, pairs of aligned ranks of a method with two (all of them, or 32 of each rank, spread evenly by ratio),
 * or of the others the cheapest ranks for the errors of a geometric grid. Undefined where there are no choices or the
 * cost of the layer is not known: it can only stay.
 *
 * @param position of the layer among all layers of the model, from 0 for the first to 1 for the last
 * @param shared to be given to all layers that are planned with the same settings
 */
export function ladder(
  { layer, choices }: LayerOptions,
  position: number,
  { measure, block, sensitivity, time }: LadderSettings,
  shared: SharedSettings = new Map(),
): Ladder | undefined {
  const [first] = choices;
  if (!first) return undefined;
  const dense = measure(layer, first.candidate.dense, undefined);
  if (dense === null) return undefined;
  const energy = first.known[0]!.total;
  const damage = sensitivity({ layer, energy, position });
  const denseTime = time?.(layer, first.candidate.dense, undefined) ?? null;
  const timeOf = (each: Cost, pick: Pick) =>
    denseTime === null ? 0 : (time!(layer, each, pick) ?? denseTime);
  const rungs: Rung[] = [{ cost: dense, loss: 0, error: 0, time: denseTime ?? 0, pick: undefined }];
  const form = JSON.stringify(layer.form);
  for (const choice of choices) {
    const { candidate, known } = choice;
    const key = `${candidate.method}|${block}|${form}`;
    let settings = shared.get(key);
    if (!settings) {
      const free = freeSettings(candidate, block);
      settings = free ?? costed(candidate, soughtRanks(layer, choice, measure, block));
      if (free) shared.set(key, free);
    }
    const felt = feltError(candidate, known);
    for (const { ranks, cost: each } of settings) {
      const pick = { choice, ranks };
      const cost = measure(layer, each, pick);
      if (cost === null) continue;
      const error = energy === 0 ? 0 : Math.min(1, candidate.error(known, ranks) / energy);
      rungs.push({ cost, loss: damage(error, felt(ranks, error)), error, time: timeOf(each, pick), pick });
    }
  }
  const best = undominated(rungs).map(({ index }) => rungs[index]!);
  return { rungs: best, timed: denseTime === null ? best : unbeaten(rungs), dense };
}

/** The settings without those that another one matches or beats in cost, loss and time, by ascending cost. */
function unbeaten(rungs: readonly Rung[]): readonly Rung[] {
  const ordered = [...rungs].sort((a, b) => a.cost - b.cost || a.loss - b.loss || a.time - b.time);
  const kept: Rung[] = [];
  // Of those kept, which cost no more, by descending loss and ascending time: a staircase.
  const stairs: Rung[] = [];
  for (const rung of ordered) {
    // The last step that loses no more than this one takes the least time of such.
    let at = stairs.length;
    while (at > 0 && stairs[at - 1]!.loss > rung.loss) at--;
    if (at > 0 && stairs[at - 1]!.time <= rung.time) continue;
    kept.push(rung);
    let end = at;
    while (end < stairs.length && stairs[end]!.time >= rung.time) end++;
    stairs.splice(at, end - at, rung);
  }
  return kept;
}

/** Those of these ranks that save, with their cost. */
function costed(candidate: Candidate, all: readonly Ranks[]): readonly Setting[] {
  return all
    .filter((ranks) => saves(candidate, ranks))
    .map((ranks) => ({ ranks, cost: candidate.cost(ranks) }));
}

/** The settings of methods whose ranks are free of each other, one or two; undefined for others. */
function freeSettings(candidate: Candidate, block: number): readonly Setting[] | undefined {
  const most = breakEvenRank(candidate);
  if (most !== undefined) {
    const step = countsChannels(candidate) ? blockOf(most, block) : 1;
    return costed(
      candidate,
      Array.from({ length: Math.floor(most / step) }, (_, k) => [(k + 1) * step]),
    );
  }
  const [first = 0, second = 0, ...more] = candidate.fullRanks;
  const isFree = (ranks: Ranks) => String(fitted(candidate, ranks)) === String(ranks);
  if (more.length > 0 || !cutsOf(candidate) || !isFree([1, second]) || !isFree([first, 1])) return undefined;
  const others = levelsOf(second, block);
  return costed(
    candidate,
    levelsOf(first, block).flatMap((one) => others.map((other) => [one, other])),
  );
}

/** Multiples of the block, up to the full rank: all, or as many as there may be, evenly by ratio. */
function levelsOf(full: number, block: number): readonly number[] {
  const step = blockOf(full, block);
  const count = Math.floor(full / step);
  if (count <= MOST_LEVELS) return Array.from({ length: count }, (_, k) => (k + 1) * step);
  const ratio = count ** (1 / (MOST_LEVELS - 1));
  const levels = [1];
  while (levels.at(-1)! < count) {
    const last = levels.at(-1)!;
    levels.push(Math.min(count, Math.max(last + 1, Math.round(last * ratio))));
  }
  return levels.map((level) => level * step);
}

/** Of a method whose ranks bound each other, or that has several: aligned ranks near the cheapest ones within each error. */
function soughtRanks(
  layer: FormedLayer,
  { candidate, known }: Choice,
  measure: CostMeasure,
  block: number,
): readonly Ranks[] {
  const price = (ranks: Ranks) => {
    const cost = candidate.cost(ranks);
    return measure(layer, cost, { choice: { candidate, known }, ranks }) ?? cost.parameters;
  };
  const found: Ranks[] = [];
  for (let step = 0; ; step++) {
    const error = 10 ** (-step / STEPS);
    const ranks = error >= LEAST_ERROR ? candidate.within(known, error * known[0]!.total, price) : undefined;
    // Smaller errors take higher ranks: where these save nothing, no further ones do.
    if (!ranks || !saves(candidate, ranks)) return distinct(found);
    found.push(alignRanks(candidate, ranks, block));
  }
}

function distinct(all: readonly Ranks[]): readonly Ranks[] {
  return [...new Map(all.map((ranks) => [ranks.join(), ranks])).values()];
}
