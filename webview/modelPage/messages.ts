import type { ModelInspection } from '../../src/core/compress/modelStructure';
import type { ModelTexts } from './modelTexts';

/** What the page of a model shows. */
export type ModelView =
  | { readonly kind: 'reading' }
  | { readonly kind: 'failed'; readonly message: string }
  | { readonly kind: 'ready'; readonly inspection: ModelInspection };

/** What the extension tells the page of a model. */
export interface ToModelPage {
  readonly kind: 'show';
  /** The file's name, and where it is as far as that says something. */
  readonly name: string;
  readonly place: string;
  readonly view: ModelView;
  readonly texts: ModelTexts;
}

/** What the page can ask for by a button. */
export type ModelAction = 'compress' | 'plan' | 'report' | 'compare' | 'openWith' | 'dimensions';

/** What the page asks the extension for. */
export type FromModelPage =
  /** The page listens from now on: tell it what to show. */
  | { readonly kind: 'ready' }
  | { readonly kind: 'do'; readonly action: ModelAction }
  /** Show a layer in the Layers view. */
  | { readonly kind: 'layer'; readonly name: string };
