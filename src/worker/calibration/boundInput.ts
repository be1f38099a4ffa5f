import type { ModelInput } from './modelInput';
import type { SampleColumn } from './sampleColumn';

/** An input with its samples. */
export interface BoundInput {
  readonly input: ModelInput;
  /** As many samples as every other input has. */
  readonly column: SampleColumn;
  /** Axis of the input along which samples are put together; null: the column holds whole values. */
  readonly axis: number | null;
  /** Without an axis: whether all samples have the same value, so that they can be run together. */
  readonly isShared: boolean;
  /** The values are random numbers. */
  readonly isMadeUp: boolean;
}
