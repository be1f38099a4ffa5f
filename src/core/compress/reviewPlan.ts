import { plural } from '../counted';
import { formatChange, formatError, formatPercent, formatRanks } from '../format';
import type { CostMeasure } from './budget/measure';
import type { Ladder, Rung } from './budget/options';
import { checkPlan, type PlannedLayer } from './checkPlan';
import type { FormedLayer } from './layer';
import type { LayerOptions, Totals } from './makePlan';
import {
  breakEvenRank,
  type Candidate,
  type Certainty,
  leastCertain,
  type MethodId,
  type Ranks,
} from './method';
import type { LayerPlan, Target } from './plan';
import type { PlanFile } from './planFile';
import type { Advice, Amounts, LayerReview, PlanRemark, PlanReview, PlanSetting } from './planReview';
import type { Spectrum } from './spectrum';

/** A layer as far as a plan is held against it. */
export interface ReviewedLayer<L extends FormedLayer = FormedLayer> {
  readonly layer: L;
  /** The operator. */
  readonly op: string;
  /** Multiply-adds of the layer as it is; null where unknown. */
  readonly macs: number | null;
  /** The methods that fit it. */
  readonly methods: readonly MethodId[];
}

/** What is known of a model, by whoever reads its files and measures its weights. */
export interface ReviewFacts<L extends FormedLayer = FormedLayer> {
  readonly layers: readonly ReviewedLayer<L>[];
  readonly totals: Totals;
  /** SHA-256 of the model as it is now; null where it is not known yet. */
  readonly sha256: string | null;
  readonly measured: MeasuredFacts | null;
  /** The peak of activations, in bytes, once factors with these peaks have taken the place of some layers; null for unknown. */
  activationsWith(instead: ReadonlyMap<L, number | null>): number | null;
  /** What is wrong with the data that the plan was made on; undefined: nothing, or nobody has looked. */
  readonly dataTrouble?: DataTrouble | undefined;
}

/** Why the data behind a plan is not what the plan was made on, as a sentence. */
export interface DataTrouble {
  readonly code: 'no-data' | 'other-data';
  readonly message: string;
}

/** What the weights say. All lists are in the order of the layers. */
export interface MeasuredFacts {
  /** Whether nothing is missing: neither the hash nor a spectrum of what the plan asks for. */
  readonly isComplete: boolean;
  readonly options: readonly LayerOptions[];
  /** Spectra of a planned candidate that is not among the options. */
  readonly otherKnown: ReadonlyMap<string, readonly Spectrum[]>;
  /** What the planner chooses for the goal of the plan; why it can't be reached, as a sentence, where it can't. */
  readonly wanted: readonly LayerPlan[] | string;
  /** All worthwhile settings of a layer, with their costs in the unit of the measure. */
  readonly ladders: readonly (Ladder | undefined)[];
  readonly measure: CostMeasure;
}

/** Another setting is worth a word if it loses or costs less by this share. */
const MUCH = 0.2;

/** Errors of a weight that differ by less are the same to a person. */
const LEAST_DIFFERENCE = 0.01;

/**
 * Holds a plan against its model: what it gives, layer by layer, what is wrong with it, and what would be better. Takes
 * milliseconds for a thousand layers, so that it can follow every keystroke.
 */
export function reviewPlan<L extends FormedLayer>(
  plan: PlanFile,
  { layers, totals, sha256, measured, activationsWith, dataTrouble }: ReviewFacts<L>,
): PlanReview {
  const { remarks: structural, planned } = checkPlan(
    plan.layers,
    layers.map(({ layer }) => layer),
  );
  const remarks: PlanRemark[] = [];
  if (sha256 !== null && sha256 !== plan.model.sha256) remarks.push(otherModel(plan));
  if (dataTrouble) remarks.push({ ...dataTrouble, severity: 'warning', part: 'calibration' });
  remarks.push(...structural);
  const told = new Set(structural.map(({ layer }) => layer));
  const entries = new Map(plan.layers.map((each) => [each.layer, each]));
  const reviews: LayerReview[] = [];
  let after: Amounts = totals;
  let savedBytes: number | null = 0;
  const activations = new Map<L, number | null>();
  let discarded = 0;
  let total = 0;
  const certainties: Certainty[] = [];
  for (const [i, { layer, op, macs, methods }] of layers.entries()) {
    const { name } = layer;
    const entry = entries.get(name);
    const found = planned.get(name);
    const facts = measured && factsOf(measured, i);
    // What the weights alone say is no advice for a plan that was made on data.
    const advice = plan.calibration ? undefined : facts?.advice;
    const energy = facts?.energy ?? 0;
    total += energy;
    const review = {
      layer: name,
      op,
      dense: { parameters: layer.parameters, macs },
      methods,
      ...(advice ? { advice } : {}),
    };
    if (!found || entry?.kind !== 'factor') {
      reviews.push(review);
      continue;
    }
    const { candidate } = found;
    const setting = settingOf(layer, candidate, entry.ranks, facts?.knownOf(candidate));
    const breakEven = breakEvenRank(candidate);
    reviews.push({ ...review, planned: setting, ...(breakEven === undefined ? {} : { breakEven }) });
    after = changed(after, candidate, entry.ranks);
    const { parameters, memory } = candidate.cost(entry.ranks);
    const bytes = layer.elementBytes ?? null;
    const saved = candidate.dense.parameters - parameters;
    savedBytes = savedBytes === null || bytes === null ? null : savedBytes + saved * bytes;
    activations.set(layer, memory === null || bytes === null ? null : memory * bytes);
    if (!facts || setting.error === null) continue;
    discarded += setting.error ** 2 * energy;
    certainties.push(setting.certainty);
    // One word per layer: what keeps it from being carried out, or from saving anything, comes first.
    if (told.has(name) || plan.calibration) continue;
    const remark =
      belowGoal(plan.goal, setting, advice) ??
      better(found, entry.ranks, setting, facts.ladder, measured!.measure);
    if (remark) remarks.push({ ...remark, layer: name, part: 'ranks' });
  }
  const missed = missesGoal(plan.goal, totals, after, measured?.wanted);
  if (missed !== undefined)
    remarks.push({ code: 'misses-goal', severity: 'warning', part: 'goal', message: missed });
  return {
    remarks,
    layers: reviews,
    before: totals,
    after,
    savedBytes,
    activations: activationsWith(activations),
    weightError: measured?.isComplete ? (total === 0 ? 0 : Math.sqrt(discarded / total)) : null,
    certainty: leastCertain(certainties),
    sha256,
    isMeasured: measured?.isComplete ?? false,
  };
}

function otherModel({ model }: PlanFile): PlanRemark {
  return {
    code: 'other-model',
    severity: 'error',
    part: 'model',
    message: `This plan was made for another version of ${model.file}: the file has changed since.`,
  };
}

/** What is measured of one layer. */
function factsOf({ options, wanted, ladders, otherKnown }: MeasuredFacts, index: number) {
  const option = options[index]!;
  const plan = typeof wanted === 'string' ? undefined : wanted[index];
  const { choices, layer } = option;
  const knownOf = (candidate: Candidate) =>
    choices.find((choice) => choice.candidate.method === candidate.method)?.known ??
    otherKnown.get(layer.name);
  return {
    energy: choices[0]?.known[0]?.total ?? 0,
    ladder: ladders[index],
    knownOf,
    advice: plan && adviceOf(option, plan),
  };
}

function adviceOf({ layer, choices }: LayerOptions, plan: LayerPlan): Advice {
  if (plan.kind === 'dense') return { kind: 'dense', reason: plan.reason };
  const { candidate, known } = choices.find((choice) => choice.candidate.method === plan.method)!;
  return { kind: 'factor', setting: settingOf(layer, candidate, plan.ranks, known) };
}

/** A candidate at given ranks with what it gives. `known` holds a spectrum for each of its series, where they are measured. */
export function settingOf(
  { parameters }: FormedLayer,
  candidate: Candidate,
  ranks: Ranks,
  known: readonly Spectrum[] | undefined,
): PlanSetting {
  const { method, dense } = candidate;
  const cost = candidate.cost(ranks);
  const total = known?.[0]?.total;
  return {
    method,
    ranks,
    cost: { parameters: parameters - dense.parameters + cost.parameters, macs: cost.macs },
    error: !known || total === undefined ? null : relative(candidate.error(known, ranks), total),
    certainty: candidate.certainty(ranks),
  };
}

function relative(discarded: number, total: number): number {
  return total === 0 ? 0 : Math.sqrt(Math.min(1, discarded / total));
}

function changed({ parameters, macs }: Amounts, candidate: Candidate, ranks: Ranks): Amounts {
  const { dense } = candidate;
  const cost = candidate.cost(ranks);
  const knowsMacs = macs !== null && cost.macs !== null && dense.macs !== null;
  return {
    parameters: parameters + cost.parameters - dense.parameters,
    macs: knowsMacs ? macs + cost.macs! - dense.macs! : macs,
  };
}

type LayerRemark = Pick<PlanRemark, 'code' | 'severity' | 'message' | 'fix'>;

/** The layer loses more than the goal asks for, by itself (energy) or as what a plan for the goal has for it. */
function belowGoal(goal: Target, setting: PlanSetting, advice: Advice | undefined): LayerRemark | undefined {
  const error = setting.error!;
  const at = `Rank ${formatRanks(setting.ranks)}`;
  const remark = (message: string): LayerRemark => ({
    code: 'below-goal',
    severity: 'warning',
    message,
    ...(advice ? { fix: advice } : {}),
  });
  if (goal.kind === 'rank' || goal.kind === 'ratio' || goal.kind === 'evbmf' || !advice) return undefined;
  const instead =
    advice.kind === 'dense'
      ? 'the layer better stays as it is'
      : `${advice.setting.method} with rank ${formatRanks(advice.setting.ranks)} (${errorOf(advice.setting)}) would do`;
  if (goal.kind === 'energy') {
    const kept = 1 - error ** 2;
    return kept < goal.energy - 1e-9
      ? remark(
          `${at} keeps ${formatPercent(kept)} of the energy, an error of ${errorOf(setting)}; the goal is ${formatPercent(goal.energy)}: ${instead}.`,
        )
      : undefined;
  }
  const least = advice.kind === 'dense' ? 0 : advice.setting.error!;
  return isMuchLess(least, error)
    ? remark(`${at} has an error of ${errorOf(setting)}, more than the goal asks for: ${instead}.`)
    : undefined;
}

function isMuchLess(error: number, than: number): boolean {
  return error <= (1 - MUCH) * than && error <= than - LEAST_DIFFERENCE;
}

/** Another setting that costs no more and loses much less, or loses no more and costs much less. */
function better(
  { layer, candidate }: PlannedLayer<FormedLayer>,
  ranks: Ranks,
  setting: PlanSetting,
  ladder: Ladder | undefined,
  measure: CostMeasure,
): LayerRemark | undefined {
  if (!ladder) return undefined;
  const cost = measure(layer, candidate.cost(ranks), undefined);
  if (cost === null) return undefined;
  const error = setting.error!;
  // Costs ascend and losses descend along a ladder.
  const { rungs } = ladder;
  const affordable = rungs.findLast((rung) => rung.cost <= cost);
  if (affordable?.pick && isMuchLess(Math.sqrt(affordable.error), error)) {
    const { text, setting: other } = named(layer, affordable);
    return information(
      `${text} costs no more and has an error of ${errorOf(other)} instead of ${errorOf(setting)}.`,
      other,
    );
  }
  const cheapest = rungs.find((rung) => Math.sqrt(rung.error) <= error);
  if (cheapest?.pick && cheapest.cost <= (1 - MUCH) * cost) {
    const { text, setting: other } = named(layer, cheapest);
    return information(
      `${text} has no larger error (${errorOf(other)} instead of ${errorOf(setting)}) and costs ${formatChange(cost, cheapest.cost, 2)}.`,
      other,
    );
  }
  return undefined;
}

function named(layer: FormedLayer, { pick }: Rung): { readonly text: string; readonly setting: PlanSetting } {
  const { choice, ranks } = pick!;
  const setting = settingOf(layer, choice.candidate, ranks, choice.known);
  const rank = plural(ranks.length, 'rank', 'ranks');
  return {
    text: `${setting.method} with ${rank} ${formatRanks(ranks)}`,
    setting,
  };
}

function errorOf({ error, certainty }: PlanSetting): string {
  return formatError(error!, certainty);
}

function information(message: string, setting: PlanSetting): LayerRemark {
  return { code: 'better', severity: 'information', message, fix: { kind: 'factor', setting } };
}

/** Why the plan as a whole does not meet its goal, as a sentence. */
function missesGoal(
  goal: Target,
  before: Amounts,
  after: Amounts,
  wanted: MeasuredFacts['wanted'] | undefined,
): string | undefined {
  if (goal.kind !== 'parameters' && goal.kind !== 'macs') return undefined;
  const [all, left] = [before[goal.kind], after[goal.kind]];
  if (all === null || left === null) return undefined;
  if (left <= goal.share * all * (1 + 1e-9)) return undefined;
  const noun = goal.kind === 'macs' ? 'MACs' : 'parameters';
  const reach = typeof wanted === 'string' ? ` ${wanted}` : '';
  return `This plan leaves ${formatPercent(left / all)} of the ${noun}; its goal is ${formatPercent(goal.share)}.${reach}`;
}
