import type { Certainty, MethodId, Ranks } from './method';

/** What a layer or a model costs, biases included; null where sizes are unknown. */
export interface Amounts {
  /** Elements. */
  readonly parameters: number;
  /** Multiply-adds of one inference. */
  readonly macs: number | null;
}

/** A method with its ranks for one layer, and what it gives. */
export interface PlanSetting {
  readonly method: MethodId;
  readonly ranks: Ranks;
  /** Of the layer afterwards. */
  readonly cost: Amounts;
  /** Predicted ‖W − Ŵ‖ / ‖W‖; null while the spectra it follows from are not measured. */
  readonly error: number | null;
  /** What that error is. */
  readonly certainty: Certainty;
}

/** What a planner would make of a layer for the goal of the plan. */
export type Advice =
  | { readonly kind: 'factor'; readonly setting: PlanSetting }
  | { readonly kind: 'dense'; readonly reason: string };

/** What is wrong with, or worth knowing of, a plan. */
export type RemarkCode =
  /** The plan was made for another version of the model. */
  | 'other-model'
  /** The data that the plan was made on is not where it is looked for, or can't be read. */
  | 'no-data'
  /** It is other data than the plan was made on. */
  | 'other-data'
  /** The model has no such layer. */
  | 'unknown-layer'
  /** The method does not fit the layer. */
  | 'bad-method'
  /** The method can't have these ranks here. */
  | 'bad-ranks'
  /** At or above break-even: the layer becomes larger or slower. */
  | 'larger'
  /** The plan as a whole misses its goal. */
  | 'misses-goal'
  /** The layer loses more than the goal asks for. */
  | 'below-goal'
  /** Another rank or method is much better. */
  | 'better';

/** Something about a plan that a person should know, as a sentence. */
export interface PlanRemark {
  readonly code: RemarkCode;
  /** An error keeps the plan from being carried out. */
  readonly severity: 'error' | 'warning' | 'information';
  readonly message: string;
  /** The layer it is about; undefined where it is about the whole plan. */
  readonly layer?: string;
  /** The part of the layer's entry, or of the plan, it is about. */
  readonly part: 'name' | 'method' | 'ranks' | 'goal' | 'model' | 'calibration';
  /** What would do away with it. */
  readonly fix?: Advice;
}

/** One layer of the model under a plan. */
export interface LayerReview {
  readonly layer: string;
  /** The operator. */
  readonly op: string;
  /** The layer as it is. */
  readonly dense: Amounts;
  /** The methods that fit it. */
  readonly methods: readonly MethodId[];
  /** What the plan makes of it; undefined where it stays as it is, and where the entry can't be carried out. */
  readonly planned?: PlanSetting;
  /** The largest rank of the planned method that saves anything, for methods with a single rank. */
  readonly breakEven?: number;
  /** For the goal of the plan; undefined until the weights are measured, and where the goal can't be reached. */
  readonly advice?: Advice;
}

/** A plan held against its model. */
export interface PlanReview {
  readonly remarks: readonly PlanRemark[];
  /** Every layer of the model, in its order. */
  readonly layers: readonly LayerReview[];
  readonly before: Amounts;
  readonly after: Amounts;
  /** Bytes of constants that the plan saves; null where the size of an element is not known. */
  readonly savedBytes: number | null;
  /** Bytes of intermediate values alive at once afterwards, at the most (`peakActivations`); null where sizes are unknown. */
  readonly activations: number | null;
  /** √(Σ predicted ‖W − Ŵ‖² / Σ ‖W‖²) over all layers; null until everything is measured. */
  readonly weightError: number | null;
  readonly certainty: Certainty;
  /** SHA-256 of the model as it is now; null until it is known. */
  readonly sha256: string | null;
  /** Whether everything is measured: errors, advice and all remarks are there. If not, some of them may be. */
  readonly isMeasured: boolean;
}

/** How the error of a layer falls with one of the ranks of a method, for a picture. */
export interface ErrorCurve {
  /** What the rank counts. */
  readonly rankName: string;
  readonly fullRank: number;
  /** Relative errors ‖W − Ŵ‖ / ‖W‖ if this rank alone cut, from rank 0 (1) on; at most some 200 points. */
  readonly points: readonly { readonly rank: number; readonly error: number }[];
  /** The rank in question. */
  readonly rank: number;
  /** The rank EVBMF finds above the noise; null where it finds none. */
  readonly evbmf: number | null;
}

/** One method on one layer at ranks in question, with what other ranks would give. */
export interface SettingDetail {
  readonly layer: string;
  readonly dense: Amounts;
  readonly setting: PlanSetting;
  /** The largest rank that saves anything, for methods with a single rank. */
  readonly breakEven?: number;
  /** One for each rank that cuts an unfolding; empty for methods that have to be tried. */
  readonly curves: readonly ErrorCurve[];
  /** Some settings of the method by ascending parameters, the one in question among them. */
  readonly table: readonly PlanSetting[];
}

/** What a method could do for a layer within a budget. */
export type MethodOffer =
  | {
      readonly kind: 'fits';
      readonly method: MethodId;
      /** What each of its ranks counts. */
      readonly rankNames: readonly string[];
      /** The setting that loses least within the budget. */
      readonly setting: PlanSetting;
    }
  | { readonly kind: 'refused'; readonly method: MethodId; readonly reason: string };
