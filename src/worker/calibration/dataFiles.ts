import type { StoredArray } from './storedArray';

/** An array that is meant for one input of a model. */
export interface OfferedArray {
  /** The input it is for, as the file says; '' where it says none. */
  readonly name: string;
  /** The index of the input it is for, where the file counts instead of naming. */
  readonly position: number | undefined;
  /** For messages before it is open. */
  readonly label: string;
  /** Reads what says how it is stored. Throws {@link ModelError}s. */
  open(signal?: AbortSignal): Promise<StoredArray>;
}

/** Files of arrays: one set, or several whose samples follow one another. Close it. */
export interface DataFiles {
  readonly kind: 'npy' | 'npz' | 'test data';
  readonly sets: readonly (readonly OfferedArray[])[];
  /** All files that are read, in order. */
  readonly paths: readonly string[];
  close(): void;
}
