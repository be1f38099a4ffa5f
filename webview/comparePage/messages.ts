import type { ModelComparison } from '../../src/core/compress/compare/modelComparison';
import type { CompareTexts } from './compareTexts';

/** What the page of a comparison shows. */
export type CompareView =
  | { readonly kind: 'reading' }
  | { readonly kind: 'failed'; readonly message: string }
  | {
      readonly kind: 'ready';
      readonly comparison: ModelComparison;
      /** Whether errors and times were measured when the second model was made, not just now. */
      readonly isFromReport: boolean;
    };

/** One of the two models, by name. */
export interface ComparedName {
  readonly name: string;
  readonly place: string;
}

/** What the extension tells the page of a comparison. */
export interface ToComparePage {
  readonly kind: 'show';
  /** Paths, for the page to be found again after a restart. */
  readonly pair: { readonly before: string; readonly after: string };
  readonly before: ComparedName;
  readonly after: ComparedName;
  readonly view: CompareView;
  readonly texts: CompareTexts;
}

/** What the page asks the extension for. */
export type FromComparePage =
  /** The page listens from now on: tell it what to show. */
  | { readonly kind: 'ready' }
  | { readonly kind: 'do'; readonly action: 'swap' | 'run' | 'export' }
  /** Open one of the models by itself. */
  | { readonly kind: 'open'; readonly side: 'before' | 'after' };
