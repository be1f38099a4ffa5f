import type { FormedLayer } from '../layer';
import type { Choice, LayerOptions, Pick } from '../makePlan';
import { breakEvenRank, type Candidate, type Ranks, saves } from '../method';
import type { CostMeasure } from './measure';
import { type Option, undominated } from './relaxation';
import type { Sensitivity } from './sensitivity';

/** Brings ranks to the multiples they shall have; may return them unchanged. */
export type Align = (ranks: Ranks, candidate: Candidate) => Ranks;

/** By what the settings of a layer are made and weighed. */
export interface LadderSettings {
  readonly measure: CostMeasure;
  readonly align: Align;
  readonly sensitivity: Sensitivity;
}

/** One setting of a layer. */
export interface Rung extends Option {
  /** In the unit of the measure, of the weight or its factors alone. */
  readonly cost: number;
  /** In the unit of the sensitivity. */
  readonly loss: number;
  /** Predicted ‖W − Ŵ‖² / ‖W‖². */
  readonly error: number;
  /** Undefined: the layer stays as it is. */
  readonly pick: Pick | undefined;
}

/** What can become of a layer. */
export interface Ladder {
  /** From the cheapest setting up to one without loss; each costlier one loses less than the one before. */
  readonly rungs: readonly Rung[];
  /** Cost of the layer as it is, in the unit of the measure. */
  readonly dense: number;
}

/** Steps of the squared relative error to which ranks of a method with several of them are sought, per factor of 10. */
const STEPS = 16;

/** The smallest squared relative error that they are sought for. */
const LEAST_ERROR = 1e-6;

/**
 * What can become of a layer: it stays as it is, or takes one of the aligned ranks below break-even of methods with a
 * single rank, or of the others the cheapest ranks for the errors of a geometric grid. Undefined where there are no
 * choices or the cost of the layer is not known: it can only stay.
 *
 * @param position of the layer among all layers of the model, from 0 for the first to 1 for the last
 */
export function ladder(
  { layer, choices }: LayerOptions,
  position: number,
  { measure, align, sensitivity }: LadderSettings,
): Ladder | undefined {
  const [first] = choices;
  if (!first) return undefined;
  const dense = measure(layer, first.candidate.dense, undefined);
  if (dense === null) return undefined;
  const energy = first.known[0]!.total;
  const damage = sensitivity({ layer, energy, position });
  const rungs: Rung[] = [{ cost: dense, loss: 0, error: 0, pick: undefined }];
  for (const choice of choices) {
    const { candidate, known } = choice;
    for (const ranks of settingsOf(layer, choice, measure, align)) {
      const pick = { choice, ranks };
      const cost = measure(layer, candidate.cost(ranks), pick);
      if (cost === null) continue;
      const error = energy === 0 ? 0 : Math.min(1, candidate.error(known, ranks) / energy);
      rungs.push({ cost, loss: damage(error), error, pick });
    }
  }
  return { rungs: undominated(rungs).map(({ index }) => rungs[index]!), dense };
}

/** Different aligned ranks of a method, all of which save. */
function settingsOf(
  layer: FormedLayer,
  choice: Choice,
  measure: CostMeasure,
  align: Align,
): readonly Ranks[] {
  const { candidate } = choice;
  const found = new Map<string, Ranks>();
  for (const wanted of wantedRanks(layer, choice, measure)) {
    const ranks = align(wanted, candidate);
    const key = ranks.join();
    if (!found.has(key) && saves(candidate, ranks)) found.set(key, ranks);
  }
  return [...found.values()];
}

function wantedRanks(
  layer: FormedLayer,
  { candidate, known }: Choice,
  measure: CostMeasure,
): readonly Ranks[] {
  const highest = breakEvenRank(candidate);
  if (highest !== undefined) return Array.from({ length: highest }, (_, k) => [k + 1]);
  const price = (ranks: Ranks) => {
    const cost = candidate.cost(ranks);
    return measure(layer, cost, { choice: { candidate, known }, ranks }) ?? cost.parameters;
  };
  const wanted: Ranks[] = [];
  for (let step = 0; ; step++) {
    const error = 10 ** (-step / STEPS);
    const ranks = error >= LEAST_ERROR ? candidate.within(known, error * known[0]!.total, price) : undefined;
    // Smaller errors take higher ranks: where these save nothing, no further ones do.
    if (!ranks || !saves(candidate, ranks)) return wanted;
    wanted.push(ranks);
  }
}
