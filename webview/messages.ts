import type { TradeOff } from '../src/core/compress/budget/tradeOff';
import type { MethodId, Ranks } from '../src/core/compress/method';
import type { Basis, Overview } from '../src/core/compress/overview';
import type { SettingDetail } from '../src/core/compress/planReview';
import type { ReportFormat } from '../src/core/compress/printReport/reportFormat';
import type { CompressionReport } from '../src/core/compress/report';
import type { ReportTexts } from './report/reportTexts';

/** A method at some ranks. */
export interface Setting {
  readonly method: MethodId;
  readonly ranks: Ranks;
}

/** What the report page is about: a model, and what is planned for it or came of it. */
export interface Subject {
  readonly overview: Overview;
  /** What can be shown instead, that of the overview among them. */
  readonly bases: readonly Basis[];
  /** The selected layer; null for none. */
  readonly layer: string | null;
  /** How a compression was verified; null unless figures are measured. */
  readonly verification: Omit<CompressionReport, 'layers'> | null;
  /** Whether it can be compressed: weights without a graph can't. */
  readonly canCompress: boolean;
  /** Whether there is a plan beside the model, and what it was made with. */
  readonly plan: 'none' | 'weights' | 'calibrated' | 'broken';
  /** Whether the singular values of all weights are known, so that answers come at once. */
  readonly isMeasured: boolean;
  /** What is wrong, as sentences: the plan has errors, the file can't be read. */
  readonly problems: readonly string[];
  /** How far the weights are measured, 0…1; null where nothing is under way. */
  readonly measuring: number | null;
}

/** One layer at the ranks in question, and what others say of it. */
export interface LayerDetail {
  readonly detail: SettingDetail;
  /** What the plan makes of it, or what was written; null where it stays as it is. */
  readonly chosen: Setting | null;
  readonly suggested: Setting | null;
  /** What each rank is moved by. */
  readonly steps: readonly number[];
}

/** What the page asks and gets an answer to. */
export type Question =
  /** null: whatever is planned, suggested, or shows the spectrum best. */
  | { readonly kind: 'explain'; readonly layer: string; readonly setting: Setting | null }
  | { readonly kind: 'tradeOff'; readonly unit: TradeOff['unit'] }
  /** Plan anew for this share of the cost. */
  | { readonly kind: 'replan'; readonly unit: TradeOff['unit']; readonly share: number };

export interface Answers {
  readonly explain: LayerDetail;
  readonly tradeOff: TradeOff;
  /** It is planned. */
  readonly replan: null;
}

/** The answer, or why there is none, as a sentence. */
export type Answer<K extends keyof Answers = keyof Answers> =
  | { readonly value: Answers[K] }
  | { readonly message: string };

/** What the extension tells the report page. */
export type ToPage =
  /** Comes before anything else. */
  | { readonly kind: 'texts'; readonly texts: ReportTexts; readonly place: 'view' | 'editor' }
  /** `problem` says why there is nothing to show, where that is so. */
  | { readonly kind: 'show'; readonly subject: Subject | null; readonly problem?: string }
  /** A layer was selected elsewhere. */
  | { readonly kind: 'select'; readonly layer: string | null }
  | { readonly kind: 'answer'; readonly id: number; readonly answer: Answer };

/** What the report page asks the extension for. */
export type FromPage =
  /** The page listens from now on: tell it what to show. */
  | { readonly kind: 'ready' }
  | { readonly kind: 'ask'; readonly id: number; readonly question: Question }
  /** Carry out the plan, or ask for a goal. */
  | { readonly kind: 'compress' }
  /** Show one of the files in the explorer. */
  | { readonly kind: 'reveal'; readonly file: 'original' | 'compressed' | 'plan' }
  | { readonly kind: 'basis'; readonly basis: Basis }
  | { readonly kind: 'select'; readonly layer: string }
  /** Put this into the plan. */
  | { readonly kind: 'apply'; readonly layer: string; readonly setting: Setting }
  /** Take back the last change of the plan. */
  | { readonly kind: 'undo' }
  | { readonly kind: 'compareMethods'; readonly layer: string }
  | { readonly kind: 'revealInPlan'; readonly layer: string }
  | { readonly kind: 'export'; readonly format: ReportFormat };
