import type { CompressionReport } from '../src/core/compress/report';

/** What the extension tells the report page. */
export type ToPage = { readonly kind: 'show'; readonly report: CompressionReport | null };

/** What the report page asks the extension for. */
export type FromPage =
  /** The page listens from now on: tell it what to show. */
  | { readonly kind: 'ready' }
  /** The button of the empty page. */
  | { readonly kind: 'compress' }
  /** Show one of the files in the explorer. */
  | { readonly kind: 'reveal'; readonly file: 'original' | 'compressed' };
