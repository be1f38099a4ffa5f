import type { Analysis, LayerInfo } from './analysis';
import type { Certainty, MethodId, Ranks } from './method';
import type { Target } from './plan';
import type { PlanFile } from './planFile';
import type { LayerReview, PlanReview } from './planReview';
import type { CompressionReport, LayerReport, ModelFigures } from './report';

/**
 * Where the figures of "after" come from: there are none, a plan predicts them, or they were read back from the written
 * file. Nothing shows figures of two of these side by side.
 */
export type Basis = 'none' | 'predicted' | 'measured';

/** What a model comes to; null where it is not known. */
export interface OverviewFigures {
  /** Elements. */
  readonly parameters: number;
  /** Multiply-adds of one inference. */
  readonly macs: number | null;
  /** Of the model file and its data files. */
  readonly bytes: number | null;
  /** Of intermediate values alive at once, at the most. */
  readonly activationBytes: number | null;
  /** Median wall time of one inference. */
  readonly ms: number | null;
}

/** What a layer comes to. */
export type LayerFigures = Pick<OverviewFigures, 'parameters' | 'macs' | 'ms'>;

/** One layer before and after. */
export interface OverviewLayer {
  readonly name: string;
  readonly op: string;
  /** As the node sees it; null where nobody looked. */
  readonly weightShape: readonly number[] | null;
  readonly before: LayerFigures;
  /** null where nothing is planned or written; the same as before where it stays as it is. */
  readonly after: LayerFigures | null;
  /** null where nothing is planned or written. */
  readonly method: MethodId | 'dense' | null;
  /** As the method counts them; null where it is not factored. */
  readonly ranks: Ranks | null;
  /** ‖W − Ŵ‖ / ‖W‖; null where it is not factored or not known yet. */
  readonly weightError: number | null;
  /** What the weight error says. */
  readonly certainty: Certainty;
  /** Relative error of what the layer gives on the calibration data; null without. */
  readonly outputError: number | null;
  /** Whether there is a method that fits it. */
  readonly isFactorable: boolean;
  /** Why it stays, or has to stay, as it is; or what else is to be said of it. Sentences. */
  readonly note: string | null;
}

/** A model before and after, with its layers in their order. */
export interface Overview {
  readonly basis: Basis;
  /** Path of the model. */
  readonly file: string;
  /** Path of the plan behind `after`; null where there was none. */
  readonly plan: string | null;
  /** Path of the written file; null where nothing is written. */
  readonly compressed: string | null;
  readonly goal: Target | null;
  readonly before: OverviewFigures;
  /** null with the basis 'none'. */
  readonly after: OverviewFigures | null;
  /** √(Σ ‖W − Ŵ‖² / Σ ‖W‖²) over all layers, predicted; null where it is not known. */
  readonly weightError: number | null;
  /** What the weight error says. */
  readonly certainty: Certainty;
  readonly layers: readonly OverviewLayer[];
}

/** A model as it is. */
export function overviewOfAnalysis(analysis: Analysis, file: string): Overview {
  return {
    basis: 'none',
    file,
    plan: null,
    compressed: null,
    goal: null,
    before: figuresOf(analysis),
    after: null,
    weightError: null,
    certainty: 'exact',
    layers: analysis.layers.map((layer) => ({
      ...known(layer),
      after: null,
      method: null,
      ranks: null,
      weightError: null,
      certainty: 'exact',
      outputError: null,
    })),
  };
}

/** A model under a plan: every figure of "after" is predicted. */
export function overviewOfReview(
  analysis: Analysis,
  file: string,
  { path, plan, review }: { readonly path: string; readonly plan: PlanFile; readonly review: PlanReview },
): Overview {
  const reviews = new Map(review.layers.map((each) => [each.layer, each]));
  const entries = new Map(plan.layers.map((each) => [each.layer, each]));
  const { before, after, savedBytes, activations } = review;
  const figures = figuresOf(analysis);
  return {
    basis: 'predicted',
    file,
    plan: path,
    compressed: null,
    goal: plan.goal,
    before: figures,
    after: {
      // What the review counts is what the analysis does; a plan that keeps normalisations apart counts the same.
      parameters: figures.parameters + after.parameters - before.parameters,
      macs: after.macs,
      bytes: savedBytes === null ? null : analysis.bytes - savedBytes,
      activationBytes: activations,
      ms: null,
    },
    weightError: review.weightError,
    certainty: review.certainty,
    layers: analysis.layers.map((layer) => {
      const entry = entries.get(layer.name);
      const reason = entry?.kind === 'dense' ? entry.reason : null;
      return planned(layer, reviews.get(layer.name), reason);
    }),
  };
}

function planned(layer: LayerInfo, review: LayerReview | undefined, reason: string | null): OverviewLayer {
  const setting = review?.planned;
  const own = known(layer);
  return {
    ...own,
    after: setting ? { ...setting.cost, ms: null } : own.before,
    method: setting ? setting.method : 'dense',
    ranks: setting ? setting.ranks : null,
    weightError: setting ? setting.error : null,
    certainty: setting ? setting.certainty : 'exact',
    outputError: null,
    note: setting ? null : (own.note ?? reason),
  };
}

/** A compression that was carried out: every figure of "after" is of the written file. */
export function overviewOfReport(report: CompressionReport): Overview {
  const { original, compressed, plan, target, layers } = report;
  return {
    basis: 'measured',
    file: original.file,
    plan,
    compressed: compressed.file,
    goal: target,
    before: figuresIn(original),
    after: figuresIn(compressed),
    weightError: null,
    certainty: 'exact',
    layers: layers.map(written),
  };
}

function written(layer: LayerReport): OverviewLayer {
  const { name, op, weightShape, method, ranks, parameters, macs, ms, weightError, outputError } = layer;
  return {
    name,
    op,
    weightShape: weightShape ?? null,
    before: { parameters: parameters.before, macs: macs.before, ms: ms?.before ?? null },
    after: { parameters: parameters.after, macs: macs.after, ms: ms?.after ?? null },
    method,
    ranks,
    weightError,
    certainty: 'exact',
    outputError: outputError ?? null,
    // A layer without a method, or that saved nothing: who wrote it does not tell the two apart.
    isFactorable: true,
    note: layer.reason ?? layer.uncalibrated ?? null,
  };
}

function known({ name, op, weightShape, parameters, macs, status, reason, noSuggestion }: LayerInfo) {
  return {
    name,
    op,
    weightShape,
    before: { parameters, macs, ms: null },
    isFactorable: status === 'compressible',
    note: (status === 'skipped' ? reason : noSuggestion) ?? null,
  };
}

function figuresOf({ parameters, macs, bytes, activationBytes }: Analysis): OverviewFigures {
  return { parameters: parameters.stored, macs, bytes, activationBytes, ms: null };
}

function figuresIn({ parameters, macs, bytes, activationBytes, ms }: ModelFigures): OverviewFigures {
  // Reports of earlier versions, kept over a restart, do not know of activations.
  return { parameters, macs, bytes, activationBytes: activationBytes ?? null, ms };
}

/** How many layers are factored. */
export function factoredCount({ layers }: Overview): number {
  return layers.filter(({ ranks }) => ranks !== null).length;
}
