import { formatMs } from '../format';
import { planAligned } from './budget/alignedBudget';
import { bytesMeasure, type CostMeasure, macsMeasure, parametersMeasure } from './budget/measure';
import { MEASURED, type PlanSensitivity } from './budget/measuredSensitivity';
import { lossOf, outputErrorOf } from './budget/outputError';
import type { BudgetGoal } from './budget/planBudget';
import { DEFAULT_SENSITIVITY, SENSITIVITIES, type Sensitivity } from './budget/sensitivity';
import { workMeasure } from './budget/workMeasure';
import { type TimeTable, timeMeasure, whyNotFaster } from './latency/timeTable';
import type { FormedLayer } from './layer';
import { type Candidate, type Certainty, type Cost, leastCertain, type Ranks, saves } from './method';
import type { LayerPlan, Plan, Target } from './plan';
import { evbmfRanks } from './ranks/evbmfRanks';
import { ratioRanks } from './ranks/ratio';
import type { Spectrum } from './spectrum';

/** A layer, and what is known of each method that fits it. */
export interface LayerOptions<L extends FormedLayer = FormedLayer> {
  readonly layer: L;
  readonly choices: readonly Choice[];
  /** Why there are no choices, as a sentence; undefined when there are. */
  readonly reason?: string;
}

/** One method for one layer, with what is known of the weight: a spectrum for each of its series. */
export interface Choice {
  readonly candidate: Candidate;
  /** Empty where it was not asked for, as the ranks are given. */
  readonly known: readonly Spectrum[];
}

/** What the whole model holds and does; the shares of a target refer to it. */
export interface Totals {
  readonly parameters: number;
  /** null where not a single node could be counted. */
  readonly macs: number | null;
  /** Of all constants; missing where nobody needs it. */
  readonly bytes?: number;
}

/** The share of its energy a layer keeps where nobody asked for another. */
export const DEFAULT_ENERGY = 0.9;

/** A plan, and what it will give. */
export interface Planned {
  readonly plan: Plan;
  /** What ranks are multiples of where layers are wide enough. */
  readonly multiple: number;
  /** By which rule the errors of the layers were weighed against each other; null where each was planned by itself. */
  readonly sensitivity: PlanSensitivity | null;
  readonly after: Totals;
  /**
   * √(Σ predicted ‖W − Ŵ‖² / Σ ‖W‖²) over the layers of which it is known; the same of their outputs where errors were
   * measured on data.
   */
  readonly weightError: number;
  readonly certainty: Certainty;
  /** The output's relative error, as far as weights tell it (`outputErrorOf`); null where a layer in it is not known. */
  readonly outputError: number | null;
}

/** Ranks with the method that brings them. */
export interface Pick {
  readonly choice: Choice;
  readonly ranks: Ranks;
}

/** What may be wished of a plan beside its target. */
export interface PlanOptions {
  /** Ranks that save nothing are taken, too. */
  readonly allowLarger?: boolean | undefined;
  /** For budgets: ranks are multiples of it, or of a part of it where layers are narrow; 1 for none. Default: see `planAligned`. */
  readonly multiple?: number | undefined;
  /**
   * For budgets: what was measured of the layers, in the place of the rule that needs no data; for an error its losses are
   * those of the output, squared.
   */
  readonly measured?: Sensitivity | undefined;
  /** For an accuracy: the most that the losses may sum up to, in the unit of what was measured. */
  readonly mostLoss?: number | undefined;
  /** For goals of time: what layers take on this machine. Without it there is no plan for them. */
  readonly times?: TimeTable | undefined;
}

/** Why a target can't be met. */
export interface Refusal {
  readonly refusal: string;
}

/**
 * Chooses a method and a rank for every layer. For an energy target each layer takes the cheapest method that
 * is predicted to keep that share of ‖W‖² and saves anything. For a budget the methods and ranks of all layers are chosen
 * together (`budget/`), so that the predicted loss of the whole is least.
 */
export function makePlan(
  options: readonly LayerOptions[],
  totals: Totals,
  target: Target,
  { allowLarger = false, multiple, measured, mostLoss, times }: PlanOptions = {},
): Planned | Refusal {
  const plan = (pick: (o: LayerOptions) => Pick | undefined, dense: (o: LayerOptions) => string) =>
    planOf(options, totals, target, pick, dense);
  switch (target.kind) {
    case 'rank':
      return plan(
        (o) => pickByRank(o, target.rank, allowLarger),
        () => `Rank ${target.rank} is not below its break-even rank: it would save nothing.`,
      );
    case 'energy':
      return plan(
        (o) => pickByEnergy(o, target.energy, 'parameters', allowLarger),
        () => `No rank below break-even keeps ${percent(target.energy)} of its energy.`,
      );
    case 'ratio':
      return plan(
        (o) =>
          least(
            picksOf(o, (c, known) => ratioRanks(c, known, target.ratio)),
            predictedError,
          ),
        () => `Even rank 1 has more than ${percent(target.ratio)} of its parameters, or saves nothing.`,
      );
    case 'evbmf':
      return plan(
        (o) =>
          least(
            picksOf(o, savingEvbmf(target)),
            ({ choice, ranks }) => choice.candidate.cost(ranks).parameters,
          ),
        (o) => whyNoEvbmf(o, target),
      );
    default:
      return planByBudget(options, totals, target, { multiple, measured, mostLoss, times });
  }
}

/**
 * How much larger than the least the loss may be for the sake of time. Where it is estimated from the weights, far less than
 * such estimates err by: a fifth, and for a goal of MACs, which is a wish for speed, up to half where little is lost, as much as
 * a third of one layer's signal is worth. On the VGG of `sensitivity.ts` it leaves 91.7 / 91.3 / 89.3 % at 2 / 3 / 5× fewer
 * MACs. Where it is measured on data a tenth, for MACs three: the error of the outputs grows by a seventh at most.
 */
function slackOf({ kind }: BudgetTarget, isMeasured: boolean): (least: number) => number {
  const isForSpeed = kind === 'macs';
  if (isMeasured) return (least) => (isForSpeed ? 0.3 : 0.1) * least;
  return (least) => (isForSpeed ? Math.min(Math.max(least / 5, 1 / 3), least / 2) : least / 5);
}

type BudgetTarget = Extract<
  Target,
  { kind: 'parameters' | 'macs' | 'bytes' | 'time' | 'ms' | 'error' | 'accuracy' }
>;

/** What a budget is of: the noun, what the model has of it, null where that is not known, and what settings have of it. */
interface Unit {
  readonly noun: string;
  readonly before: number | null;
  readonly measure: CostMeasure;
}

function unitOf({ kind }: BudgetTarget, totals: Totals, times: TimeTable | undefined): Unit {
  switch (kind) {
    case 'macs':
      return { noun: 'MACs', before: totals.macs, measure: macsMeasure };
    case 'bytes':
      return { noun: 'bytes', before: totals.bytes ?? null, measure: bytesMeasure };
    case 'time':
    case 'ms':
      return { noun: 'time', before: times?.modelMs ?? null, measure: measureOf(times) };
    default:
      return { noun: 'parameters', before: totals.parameters, measure: parametersMeasure };
  }
}

const timeMeasures = new WeakMap<TimeTable, CostMeasure>();

/** One measure for a table, so that what was prepared with it is found again. */
function measureOf(times: TimeTable | undefined): CostMeasure {
  if (!times) return () => null;
  const measure = timeMeasures.get(times) ?? timeMeasure(times);
  timeMeasures.set(times, measure);
  return measure;
}

function unknownUnit(noun: string): string {
  if (noun === 'time') return 'How long the layers of this model take was not measured.';
  const hint = noun === 'MACs' ? ' Give its symbolic dimensions a size first.' : '';
  return `The ${noun} of this model are not known, so there is no share of them to aim at.${hint}`;
}

function planByBudget(
  options: readonly LayerOptions[],
  totals: Totals,
  target: BudgetTarget,
  { multiple, measured, mostLoss, times }: Omit<PlanOptions, 'allowLarger'>,
): Planned | Refusal {
  if (target.kind === 'accuracy' && mostLoss === undefined) {
    return {
      refusal:
        'How many answers stay right is only known of samples with labels: give calibration data and its labels.',
    };
  }
  const { noun, before, measure } = unitOf(target, totals, times);
  if (before === null) return { refusal: unknownUnit(noun) };
  const settings = {
    measure,
    sensitivity: measured ?? SENSITIVITIES[DEFAULT_SENSITIVITY],
    ...(noun === 'time' ? {} : { time: workMeasure }),
    slack: slackOf(target, measured !== undefined),
  };
  const budget = planAligned(
    options,
    totals,
    before,
    settings,
    goalOf(target, before, { measured, mostLoss }),
    multiple,
  );
  if ('leastCost' in budget) {
    const left = `with the lowest ranks in every layer ${noun === 'time' ? `${formatMs(budget.leastCost)} of ${formatMs(before)}` : percent(budget.leastCost / before)} remain.`;
    const wish =
      target.kind === 'ms'
        ? formatMs(target.ms)
        : isCheckedKind(target)
          ? ''
          : `${percent(target.share)} of the ${noun}`;
    return { refusal: `${wish} can't be reached: ${left}` };
  }
  const byOption = new Map(options.map((option, i) => [option, budget.picks[i]]));
  const reason = isCheckedKind(target)
    ? 'Within this error others are better cut than this layer.'
    : 'Within this budget others are better cut than this layer.';
  const planned = planOf(
    options,
    totals,
    target,
    (o) => byOption.get(o),
    ({ layer }) => (noun === 'time' && times && whyNotFaster(times, layer.name)) || reason,
  );
  return { ...planned, multiple: budget.block, sensitivity: measured ? MEASURED : DEFAULT_SENSITIVITY };
}

/** A goal for the fewest parameters at which outputs are kept. */
function isCheckedKind(target: Target): target is Extract<Target, { kind: 'error' | 'accuracy' }> {
  return target.kind === 'error' || target.kind === 'accuracy';
}

function goalOf(target: BudgetTarget, before: number, { measured, mostLoss }: PlanOptions): BudgetGoal {
  switch (target.kind) {
    case 'accuracy':
      return { kind: 'loss', most: mostLoss! };
    case 'error':
      return { kind: 'loss', most: measured ? target.error ** 2 : lossOf(target.error) };
    case 'ms':
      return { kind: 'cost', most: target.ms };
    default:
      return { kind: 'cost', most: target.share * before };
  }
}

/** What a rule for ranks gives for each method that fits a layer. */
function picksOf(
  { choices }: LayerOptions,
  rule: (candidate: Candidate, known: readonly Spectrum[]) => Ranks | undefined,
): readonly Pick[] {
  return choices.flatMap((choice): Pick[] => {
    const ranks = rule(choice.candidate, choice.known);
    return ranks ? [{ choice, ranks }] : [];
  });
}

type EvbmfTarget = Extract<Target, { kind: 'evbmf' }>;

function savingEvbmf({ weakening }: EvbmfTarget) {
  return (candidate: Candidate, known: readonly Spectrum[]) => {
    const found = evbmfRanks(candidate, known, { weakening });
    return found.kind === 'ranks' && saves(candidate, found.ranks) ? found.ranks : undefined;
  };
}

/** Why EVBMF leaves a layer as it is, as a sentence. */
function whyNoEvbmf({ choices }: LayerOptions, { weakening }: EvbmfTarget): string {
  for (const { candidate, known } of choices) {
    const found = evbmfRanks(candidate, known, { weakening });
    if (found.kind === 'none') return found.reason;
  }
  return 'The ranks that EVBMF suggests save nothing.';
}

function planOf(
  options: readonly LayerOptions[],
  totals: Totals,
  target: Target,
  pick: (o: LayerOptions) => Pick | undefined,
  dense: (o: LayerOptions) => string,
): Planned {
  const layers: LayerPlan[] = [];
  let { parameters, macs } = totals;
  let discarded = 0;
  let total = 0;
  const picks = options.map(pick);
  for (const [i, option] of options.entries()) {
    const { name } = option.layer;
    const chosen = picks[i];
    total += option.choices[0]?.known[0]?.total ?? 0;
    if (!chosen) {
      layers.push({ kind: 'dense', layer: name, reason: option.reason ?? dense(option) });
      continue;
    }
    const { candidate } = chosen.choice;
    const cost = candidate.cost(chosen.ranks);
    parameters += cost.parameters - candidate.dense.parameters;
    if (macs !== null && cost.macs !== null && candidate.dense.macs !== null)
      macs += cost.macs - candidate.dense.macs;
    discarded += predictedError(chosen);
    layers.push({ kind: 'factor', layer: name, method: candidate.method, ranks: chosen.ranks });
  }
  return {
    plan: { target, layers },
    multiple: 1,
    sensitivity: null,
    after: { parameters, macs },
    weightError: total === 0 ? 0 : Math.sqrt(discarded / total),
    certainty: leastCertain(
      picks.flatMap((pick) => (pick ? [pick.choice.candidate.certainty(pick.ranks)] : [])),
    ),
    outputError: outputErrorOf(options, picks),
  };
}

/** The cheapest method that keeps `energy`; undefined when none does and saves anything. */
export function pickByEnergy(
  { choices }: LayerOptions,
  energy: number,
  measure: 'parameters' | 'macs',
  allowLarger = false,
): Pick | undefined {
  const price = ({ candidate }: Choice, ranks: Ranks) => {
    const cost = candidate.cost(ranks);
    return cost[measure] ?? cost.parameters;
  };
  const fitting = choices.flatMap((choice): Pick[] => {
    const { candidate, known } = choice;
    const budget = (1 - energy) * known[0]!.total;
    const ranks = candidate.within(known, budget, (wanted) => price(choice, wanted));
    return ranks && (allowLarger || saves(candidate, ranks)) ? [{ choice, ranks }] : [];
  });
  return least(fitting, ({ choice, ranks }) => price(choice, ranks));
}

/** At a fixed rank the method that keeps most. A rank above the full one is the full one. */
function pickByRank({ choices }: LayerOptions, rank: number, allowLarger: boolean): Pick | undefined {
  const fitting = choices.flatMap((choice) =>
    choice.candidate
      .ofRank(rank)
      .filter((ranks) => allowLarger || saves(choice.candidate, ranks))
      .map((ranks): Pick => ({ choice, ranks })),
  );
  return least(fitting, predictedError);
}

/** Predicted ‖W − Ŵ‖². */
function predictedError({ choice: { candidate, known }, ranks }: Pick): number {
  return known.length === 0 ? 0 : Math.min(candidate.error(known, ranks), known[0]!.total);
}

/** Whether ranks can be chosen for a target without knowing anything of the weights. */
export function isGiven(target: Target, candidates: readonly Candidate[]): boolean {
  return target.kind === 'rank' && candidates.length === 1 && candidates[0]!.ofRank(target.rank).length === 1;
}

/** The share of ‖W‖² that a pick is predicted to keep; 1 for a zero weight. */
export function predictedEnergy(pick: Pick): number {
  const { total } = pick.choice.known[0]!;
  return total === 0 ? 1 : 1 - predictedError(pick) / total;
}

function least<T>(items: readonly T[], key: (item: T) => number): T | undefined {
  let best: T | undefined;
  for (const item of items) if (best === undefined || key(item) < key(best)) best = item;
  return best;
}

function percent(share: number): string {
  return `${Number((100 * share).toPrecision(3))} %`;
}

/** What the layer costs after a pick, its bias included. */
export function pickedCost(layer: FormedLayer, { choice, ranks }: Pick): Cost {
  const { parameters, ...rest } = choice.candidate.cost(ranks);
  return { ...rest, parameters: layer.parameters - choice.candidate.dense.parameters + parameters };
}
