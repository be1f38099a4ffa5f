import type { DimBindings, Problem } from './analysis';
import type { Certainty, MethodId, Ranks } from './method';
import type { Plan, Target } from './plan';

/** What one layer became. */
export interface LayerReport {
  readonly name: string;
  readonly op: string;
  /** As the node of the original sees it. Reports of earlier versions lack it. */
  readonly weightShape?: readonly number[];
  readonly method: MethodId | 'dense';
  /** As the method counts them; null for dense layers. */
  readonly ranks: Ranks | null;
  /** Why the layer stayed dense. */
  readonly reason?: string;
  readonly parameters: { readonly before: number; readonly after: number };
  readonly macs: { readonly before: number | null; readonly after: number | null };
  /** Median milliseconds per inference of the layer alone, as a model of its own; missing where it was not timed. */
  readonly ms?: { readonly before: number | null; readonly after: number | null };
  /** Share of ‖W‖² that is kept: 1 − weightError²; null for dense layers. */
  readonly energy: number | null;
  /** ‖W − Ŵ‖ / ‖W‖ (Frobenius), from the factors as written; null for dense layers. */
  readonly weightError: number | null;
  /** √(E|y − ŷ|² / E|y − ȳ|²) of what the layer gives on the calibration data, from the factors as written; missing without. */
  readonly outputError?: number;
  /** A dense layer whose weight was fitted anew to what the factored ones in front of it give. */
  readonly isRefitted?: true;
  /** Names of the nodes of the written file that stand for it. */
  readonly nodes?: readonly string[];
  /** Why calibration data did not guide the factoring, as a sentence. */
  readonly uncalibrated?: string;
}

/** The data that a model was fitted to, and checked on. */
export interface CalibrationReport {
  /** The file or folder. */
  readonly source: string;
  /** Samples that factors were fitted to. */
  readonly fit: number;
  /** Samples kept from that, which the output error was measured on. */
  readonly heldBack: number;
  /** Factored layers whose outputs counted by what they do to those of the model; of the others all count alike. Missing in reports of earlier versions. */
  readonly weighed?: number;
  /** SHA-256 of the data and of how it was read. */
  readonly sha256: string;
}

/** Size, work and time of one model. */
export interface ModelFigures {
  readonly file: string;
  readonly bytes: number;
  readonly parameters: number;
  readonly macs: number | null;
  /** Of intermediate values alive at once, at the most; null where sizes are unknown. Missing in reports of earlier versions. */
  readonly activationBytes?: number | null;
  /** Median wall time of one inference; null when it was not run. */
  readonly ms: number | null;
}

/** How far the outputs of two models are apart on the same input. */
export interface OutputError {
  /** ‖y − ŷ‖ / ‖y‖ over all floating-point outputs. */
  readonly relative: number;
  /** Cosine of the angle between y and ŷ. */
  readonly cosine: number;
  /** Largest |y − ŷ|. */
  readonly max: number;
  /** Values that the original itself computes as NaN or infinite, which are left out; missing where there are none. */
  readonly notFinite?: number;
}

/** Choices among classes that two models make on the same input: the largest of a row of probabilities or scores. */
export interface Decisions {
  /** Of the other model, those that are what the original's are. */
  readonly kept: number;
  readonly count: number;
  /** Samples that they were made for. */
  readonly samples: number;
  /** One for each sample, several in a row (letters of a line), or one for each place of a map. */
  readonly shape: 'one' | 'steps' | 'map';
  /**
   * ‖z − ẑ‖ / ‖z‖ of the scores behind probabilities: their logarithms, each row around its mean; missing where outputs are
   * scores themselves.
   */
  readonly scoreError?: number;
}

/** Decisions that are worth telling of: a single one, as of a random input, says nothing. */
export function telling(decisions: Decisions | undefined): Decisions | undefined {
  return decisions && decisions.count > 1 ? decisions : undefined;
}

/** How far the outputs of two models are apart on the same inputs. */
export interface ComparedOutputs {
  readonly outputError: OutputError;
  /** Missing where no output is a choice among classes, and in reports of earlier versions. */
  readonly decisions?: Decisions;
}

/** How many answers of a classifier are right: its first choice (top-1) is what the label says. */
export interface LabelAccuracy {
  /** Shares, 0…1, of the original and of the other model. */
  readonly before: number;
  readonly after: number;
  /** Samples that were counted. */
  readonly samples: number;
  /** The file of the labels. */
  readonly labels: string;
}

/** What it takes to make the same file again. */
export interface Reproduction {
  /** For a POSIX shell, in the folder of the model. */
  readonly command: string;
  /** Of Ranksmith. */
  readonly version: string;
  /** Where random numbers came from. */
  readonly seed: number;
  /** SHA-256 of the model with its data files, before and after. */
  readonly original: string;
  readonly compressed: string;
  /** SHA-256 of the plan that was carried out, as it is printed; null where one was made for the target. */
  readonly plan: string | null;
}

/** Two models run on the same input. */
export interface Verification extends ComparedOutputs {
  readonly original: ModelFigures;
  readonly compressed: ModelFigures;
  /**
   * On samples that factors were fitted to. Only where decisions are steps of longer answers: those of the few samples held
   * back tell too little then, as one in a hundred that changes spoils many an answer.
   */
  readonly onFitted?: ComparedOutputs;
  /** On the same samples; missing without labels. */
  readonly accuracy?: LabelAccuracy;
  /** What ran them: library, version, threads. */
  readonly engine: string;
  /** Size of the first axis of the first input: what times are for. */
  readonly batch?: number;
  /** What they were run on: "random normal, seed 1, x: 1 × 3 × 224 × 224". */
  readonly inputs: string;
  /** Sizes that were assumed because nobody bound them. */
  readonly assumedDims: DimBindings;
}

/** What a compression did; every figure is read back from the written file. */
export interface CompressionReport extends Verification {
  readonly target: Target;
  /** Path of the plan that was carried out; null where one was made for the target. */
  readonly plan: string | null;
  /** Missing where the weights alone decided. */
  readonly calibration?: CalibrationReport;
  /** The linear algebra behind the factors: library, version, instruction set. */
  readonly factoredWith: string;
  readonly layers: readonly LayerReport[];
  readonly problems: readonly Problem[];
  /** Missing in reports of earlier versions. */
  readonly reproduce?: Reproduction;
  /** Wall time by phase. */
  readonly seconds: {
    readonly suggest: number;
    readonly factor: number;
    readonly write: number;
    readonly verify: number;
  };
}

/** A preview of what a target gives, for the quick pick of goals. */
export interface Preview {
  readonly target: Target;
  /** Why the target can't be met; then there is no plan. */
  readonly refusal?: string;
  readonly parameters: { readonly before: number; readonly after: number };
  readonly macs: { readonly before: number | null; readonly after: number | null };
  /** Number of layers that would be factored. */
  readonly factored: number;
  /** √(Σ discarded σ² / Σ σ²) over all factorable layers: the relative error of the weights as a whole. */
  readonly weightError: number;
  readonly certainty: Certainty;
  readonly plan?: Plan;
}
