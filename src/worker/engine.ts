import type { Analysis, DimBindings } from '../core/compress/analysis';
import type { TradeOff } from '../core/compress/budget/tradeOff';
import type { ModelComparison } from '../core/compress/compare/modelComparison';
import type { LayerSpectrum } from '../core/compress/layerSpectrum';
import type { MethodChoice, MethodId, Ranks } from '../core/compress/method';
import type { ModelInspection } from '../core/compress/modelStructure';
import type { Target } from '../core/compress/plan';
import type { PlanCalibration, PlanFile, PlanProposal } from '../core/compress/planFile';
import type { MethodOffer, PlanReview, SettingDetail } from '../core/compress/planReview';
import type { CompressionReport, Preview, Verification } from '../core/compress/report';
import type { CalibrationDescription, LabelsDescription } from './calibration/description';
import type { Preprocessing } from './calibration/preprocessing';

/** Data to calibrate on. */
export interface CalibrationRequest {
  /** Absolute path of a file or folder; see `CalibrationOptions`. */
  readonly path: string;
  readonly preprocessing?: Preprocessing;
  /** The most samples that are used; default 1024. */
  readonly limit?: number;
  /** Absolute path of an .npy file with the class of each sample, in the order of the data: right answers are counted. */
  readonly labels?: string;
}

/** What data is like, as a model will see it. */
export interface DescribedCalibration extends CalibrationDescription {
  /** What a plan that is made on it says of it; only where that was asked for. */
  readonly identity?: PlanCalibration;
  /** Missing where no labels were given, or only an identity was asked for. */
  readonly labels?: LabelsDescription;
}

/** What is going on, for progress displays. */
export interface Progress {
  readonly phase:
    | 'read'
    | 'suggest'
    /** What goes into the layers is summed up on calibration data. */
    | 'measure'
    /** Layers are tried each by itself in the model. */
    | 'try'
    /** Layers are timed, each as a model of its own. */
    | 'time'
    | 'factor'
    /** Factors are fitted to what layers give on calibration data. */
    | 'fit'
    | 'write'
    | 'verify';
  /** The layer being worked on, where there is one. */
  readonly layer?: string;
  /** Finished share of the whole call, 0…1, never falling. */
  readonly done: number;
}

/** How a call reports and how it is stopped. */
export interface CallOptions {
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: Progress) => void;
}

/** The model and the dimension sizes to assume. */
export interface ModelRequest {
  /** Absolute path. */
  readonly path: string;
  readonly dims?: DimBindings;
}

export interface CompressRequest extends ModelRequest {
  /** Absolute path of the file to be written. */
  readonly output: string;
  /** What to reach; with a plan it is only said. */
  readonly target: Target;
  readonly method: MethodChoice;
  /** Carry out this plan instead of making one. */
  readonly plan?: PlanFile;
  /** Where that plan stands; it is only said. */
  readonly planPath?: string;
  /**
   * Samples that errors are measured on and factors are fitted to, in the place of the weights alone. Where the plan was made
   * with such, it says how they are read, and only the path counts; by default the file is looked for beside the plan.
   */
  readonly calibration?: CalibrationRequest;
  /** Replace an existing output file. */
  readonly overwrite: boolean;
  /** Fold BatchNormalization into the convolutions that are factored, so that they are factored as they act; default true. */
  readonly foldNorms?: boolean;
  /** For budgets: ranks are multiples of it where layers are wide enough; default 16, 1 for none. */
  readonly multiple?: number;
  /** Where random numbers come from; default 1. That of the plan, where there is one. */
  readonly seed?: number;
  /** Write a result that was measured slower than the original, too. */
  readonly allowSlower?: boolean;
  /** Write ranks at or above the break-even rank too: larger and slower, for experiments. */
  readonly allowLarger?: boolean;
  /** Write a result that misses its goal of output error or accuracy, or costs more than it is worth (`worthError`), too. */
  readonly allowInaccurate?: boolean;
}

/** Two models to be held against each other. */
export interface CompareRequest {
  /** Absolute paths. */
  readonly before: string;
  readonly after: string;
  readonly dims?: DimBindings;
  /** Read weights of the same shape, to tell those that have the same values; default false. */
  readonly weights?: boolean;
  /** Run both on the same input: output error, and time taken in turns; default false. */
  readonly run?: boolean;
  /** What they are run on, as `verify` takes it. */
  readonly inputs?: string;
  readonly calibration?: CalibrationRequest;
  readonly seed?: number;
}

/**
 * Everything the product can do with a model, free of any editor: `session.ts` implements it, the host calls
 * it through `rpc.ts`, the CLI directly. Expected trouble is a ModelError; a cancelled call rejects with an
 * AbortError and leaves no file. The source model is never written to.
 */
export interface Engine {
  /** Structure, parameters and MACs; no weight is read. `shapes` adds every tensor of the graph. */
  analyze(request: ModelRequest & { readonly shapes?: boolean }, options?: CallOptions): Promise<Analysis>;
  /** What a model is made of: the analysis, with operators, inputs, metadata and data files. No weight is read. */
  inspect(request: ModelRequest, options?: CallOptions): Promise<ModelInspection>;
  /** The analysis with a suggested rank for each layer at this energy: reads and factors every weight once. */
  suggest(
    request: ModelRequest & {
      readonly energy: number;
      readonly method: MethodChoice;
      readonly shapes?: boolean;
    },
    options?: CallOptions,
  ): Promise<Analysis>;
  /** All singular values of one layer's weight; `mode` names the axes of the weight that are rows. */
  spectrum(
    request: ModelRequest & { readonly layer: string; readonly mode?: readonly number[] },
    options?: CallOptions,
  ): Promise<LayerSpectrum>;
  /** What each of several targets would give. Spectra are computed once per model and kept. */
  preview(
    request: ModelRequest & {
      readonly targets: readonly Target[];
      readonly method: MethodChoice;
      readonly foldNorms?: boolean;
      readonly multiple?: number;
    },
    options?: CallOptions,
  ): Promise<readonly Preview[]>;
  /** Makes a plan for a target, to be looked at, edited and carried out by `compress`. Nothing is written. */
  plan(
    request: ModelRequest & {
      readonly target: Target;
      readonly method: MethodChoice;
      readonly foldNorms?: boolean;
      readonly multiple?: number;
      readonly seed?: number;
      readonly calibration?: CalibrationRequest;
    },
    options?: CallOptions,
  ): Promise<PlanProposal>;
  /**
   * Holds a plan against its model. Answers at once with what is known; with `measure` everything that is missing (hash,
   * spectra, the plan the goal would lead to) is made first, and kept, so that the next review of the model takes milliseconds.
   */
  review(
    request: ModelRequest & {
      readonly plan: PlanFile;
      readonly measure: boolean;
      /** Where the data that the plan was made on is looked for; without it nobody looks. */
      readonly data?: string;
    },
    options?: CallOptions,
  ): Promise<PlanReview>;
  /** One setting of a layer, with the curves of its error and what other ranks would give. Throws 'bad-plan' where it does not fit. */
  explain(
    request: ModelRequest & {
      readonly layer: string;
      readonly method: MethodId;
      readonly ranks: Ranks;
      readonly foldNorms: boolean;
    },
    options?: CallOptions,
  ): Promise<SettingDetail>;
  /**
   * What the whole model can cost and what it then loses, in some 30 points. Measures the weights the first time, after
   * that it takes milliseconds. Throws 'unreachable-target' where the MACs are asked for and not known.
   */
  tradeOff(
    request: ModelRequest & {
      readonly unit: 'parameters' | 'macs';
      readonly multiple?: number;
      readonly points?: number;
      readonly foldNorms?: boolean;
    },
    options?: CallOptions,
  ): Promise<TradeOff>;
  /** What these methods could do for a layer at no more than this share of what it costs now, in their order. */
  compare(
    request: ModelRequest & {
      readonly layer: string;
      readonly methods: readonly MethodId[];
      readonly measure: 'parameters' | 'macs';
      /** 0 < share < 1. */
      readonly share: number;
      readonly multiple: number;
      readonly foldNorms: boolean;
    },
    options?: CallOptions,
  ): Promise<readonly MethodOffer[]>;
  /** Reads some of the data for a model and tells what it is like; with `identify` it reads all that is used, for its hash. */
  describeCalibration(
    request: ModelRequest & {
      readonly calibration: CalibrationRequest;
      readonly seed?: number;
      readonly identify?: boolean;
    },
    options?: CallOptions,
  ): Promise<DescribedCalibration>;
  /** Plans, factors, writes, reads back, runs both. */
  compress(request: CompressRequest, options?: CallOptions): Promise<CompressionReport>;
  /**
   * Runs two models on the same input and compares. `inputs` is the path of an .npy file for the first input; with
   * calibration data outputs are compared on the samples that `compress` holds back for the same data and seed.
   */
  verify(
    request: {
      readonly original: string;
      readonly compressed: string;
      readonly inputs?: string;
      readonly calibration?: CalibrationRequest;
      /** Which samples are held back, or which random numbers are the input; default 1. */
      readonly seed?: number;
      readonly dims?: DimBindings;
    },
    options?: CallOptions,
  ): Promise<Verification>;
  /** Which layers of two models differ and how; on request also their values, and what both compute. */
  compareModels(request: CompareRequest, options?: CallOptions): Promise<ModelComparison>;
}

/** The calls of {@link Engine} by name: what rpc may dispatch to. */
export const ENGINE_METHODS = [
  'analyze',
  'inspect',
  'suggest',
  'spectrum',
  'preview',
  'plan',
  'review',
  'explain',
  'compare',
  'tradeOff',
  'describeCalibration',
  'compress',
  'verify',
  'compareModels',
] as const satisfies readonly (keyof Engine)[];
