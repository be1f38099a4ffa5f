import type { ChangeKind } from '../../src/core/compress/compare/modelComparison';

/** Every text of the page of a comparison, in the user's language; `{0}` stands for a value. */
export interface CompareTexts {
  readonly title: string;
  readonly reading: string;
  readonly to: string;
  readonly swap: string;
  readonly run: string;
  readonly runAgain: string;
  readonly export: string;
  readonly notes: string;
  readonly totals: string;
  readonly before: string;
  readonly after: string;
  readonly change: string;
  readonly parameters: string;
  readonly macs: string;
  readonly size: string;
  readonly activations: string;
  readonly nodes: string;
  readonly opset: string;
  readonly time: string;
  readonly unknown: string;
  readonly error: string;
  readonly decisions: string;
  readonly errorDetails: string;
  readonly faster: string;
  readonly slower: string;
  readonly sameSpeed: string;
  readonly accuracyIs: string;
  readonly measured: string;
  readonly measuredThen: string;
  readonly notRun: string;
  readonly refused: string;
  readonly layers: string;
  readonly noLayers: string;
  readonly changedOnly: string;
  readonly filter: string;
  readonly filtered: string;
  readonly layer: string;
  readonly operator: string;
  readonly what: string;
  readonly weightError: string;
  readonly weight: string;
  readonly matchedByShape: string;
  /** How a change is called in a row. */
  readonly kinds: Readonly<Record<ChangeKind, string>>;
  /** How many layers of a kind there are: one, and several. */
  readonly counts: Readonly<Record<ChangeKind, readonly [one: string, several: string]>>;
  /** "{0}, rank {1}" */
  readonly method: string;
  /** "{0} layers" */
  readonly severalLayers: string;
}
