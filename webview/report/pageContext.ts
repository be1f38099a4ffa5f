import type { TradeOff } from '../../src/core/compress/budget/tradeOff';
import type { Answer, Answers, FromPage, Question } from '../messages';
import type { TableState } from '../table/virtualTable';
import type { ReportTexts } from './reportTexts';
import type { LayerMeasure } from './summaries';

/** What the page remembers while its view is hidden: how things are shown, never what. */
export interface Kept {
  readonly measure?: LayerMeasure;
  readonly unit?: TradeOff['unit'];
  readonly filter?: string;
  readonly table?: TableState;
  /** Of the bars. */
  readonly scroll?: number;
  /** Of the page. */
  readonly top?: number;
  /** Tables beside charts that are open. */
  readonly open?: readonly string[];
}

/** What the parts of the page have in common. */
export interface PageContext {
  readonly texts: ReportTexts;
  post(message: FromPage): void;
  /** Resolves with the answer of the extension, or with why there is none. */
  ask<K extends keyof Answers>(question: Question & { readonly kind: K }): Promise<Answer<K>>;
  kept(): Kept;
  keep(change: Kept): void;
}
