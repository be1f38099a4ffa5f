import type { ChangeKind } from '../../src/core/compress/compare/modelComparison';
import type { CountText } from '../fill';

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
  readonly decisions: CountText;
  readonly errorDetails: string;
  readonly faster: string;
  readonly slower: string;
  readonly sameSpeed: string;
  readonly accuracyIs: string;
  readonly sampleCount: CountText;
  readonly measured: string;
  readonly measuredThen: string;
  readonly notRun: string;
  readonly refused: string;
  readonly layers: string;
  readonly noLayers: string;
  readonly changedOnly: string;
  readonly filter: string;
  /** {0} shown, {1} of how many */
  readonly filtered: CountText;
  readonly layer: string;
  readonly operator: string;
  readonly what: string;
  readonly weightError: string;
  /** Why a factored layer has none. */
  readonly noWeightError: string;
  readonly weight: string;
  readonly matchedByShape: string;
  /** How a change is called in a row. */
  readonly kinds: Readonly<Record<ChangeKind, string>>;
  /** How many layers of a kind there are: one, and several. */
  readonly counts: Readonly<Record<ChangeKind, CountText>>;
  /** "{0}, rank {1}" */
  readonly method: string;
  readonly layerCount: CountText;
}
