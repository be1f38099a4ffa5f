import { counted } from '../../core/counted';
import { formatNumber, formatShape } from '../../core/format';
import { elementCount, elementName } from '../../core/onnx/elements';
import type { BoundInput } from './boundInput';
import { dataError } from './dataError';
import type { DataFiles } from './dataFiles';
import { type FittedArray, fitArray } from './fitArray';
import { nameSome } from './imageFiles';
import { matchArrays } from './matchArrays';
import { batchAxis, type ModelInput } from './modelInput';
import { joined, repeated, type SampleColumn } from './sampleColumn';
import type { SymbolSizes } from './symbolSizes';

/** Inputs whose values stand in files. */
export interface BoundArrays {
  readonly bound: readonly BoundInput[];
  /** Inputs that no file has anything for. */
  readonly missing: readonly ModelInput[];
  readonly count: number;
  readonly warnings: readonly string[];
}

/**
 * Binds arrays to inputs, set by set, and their sizes to the model's symbols. Throws {@link ModelError} ('bad-data') where
 * inputs have different numbers of samples, or sets different shapes.
 */
export async function bindArrays(
  inputs: readonly ModelInput[],
  files: DataFiles,
  label: string,
  symbols: SymbolSizes,
  signal?: AbortSignal,
): Promise<BoundArrays> {
  const warnings: string[] = [];
  const parts = new Map<ModelInput, { fitted: FittedArray; column: SampleColumn }[]>();
  let missing: readonly ModelInput[] = [];
  let count = 0;
  for (const [i, set] of files.sets.entries()) {
    signal?.throwIfAborted();
    const match = matchArrays(label, inputs, set);
    if (i > 0 && match.arrays.size !== parts.size) {
      throw dataError(
        label,
        `its sets hold values for different inputs (${set.map((a) => a.label).join(', ')})`,
      );
    }
    missing = match.missing;
    if (match.unused.length > 0) {
      warnings.push(`No input takes ${nameSome(match.unused.map(({ name, label }) => name || label))}.`);
    }
    const fits: [ModelInput, FittedArray][] = [];
    for (const [input, offered] of match.arrays) {
      const fitted = fitArray(input, batchAxis(inputs, input), await offered.open(signal));
      for (const [symbol, size] of fitted.sizes) symbols.bind(symbol, size, fitted.column.label);
      // An array without elements may claim any number of samples.
      if (elementCount(fitted.column.shape) === 0) {
        throw dataError(
          fitted.column.label,
          `its samples (${formatShape(fitted.column.shape)}) hold no numbers`,
        );
      }
      fits.push([input, fitted]);
    }
    const samples = countOf(fits.map(([, fitted]) => fitted));
    count += samples;
    for (const [input, fitted] of fits) {
      if (fitted.column.count !== samples && !fitted.isSingle) {
        warnings.push(`${fitted.column.label} has one sample, which serves all ${samples}.`);
      }
      const column = fitted.column.count === samples ? fitted.column : repeated(fitted.column, samples);
      const list = parts.get(input) ?? [];
      if (list.length === 0) parts.set(input, list);
      else checkAlike(list[0]!.column, column);
      list.push({ fitted, column });
    }
  }
  const bound = [...parts].map(
    ([input, list]): BoundInput => ({
      input,
      column: joined(list.map(({ column }) => column)),
      axis: list[0]!.fitted.axis,
      isShared: list.length === 1 && list[0]!.fitted.isSingle,
      isMadeUp: false,
    }),
  );
  if (count === 0) throw dataError(label, 'it holds no sample');
  return { bound, missing, count, warnings };
}

/** The samples of one set: all arrays have as many, or just one that serves all. */
function countOf(fits: readonly FittedArray[]): number {
  const most = fits.reduce((a, b) => (b.column.count > a.column.count || a.isSingle ? b : a));
  for (const { column } of fits) {
    if (column.count !== most.column.count && column.count !== 1) {
      throw dataError(
        column.label,
        `it has ${counted(column.count, 'sample')}, but ${most.column.label} has ${formatNumber(most.column.count)}`,
      );
    }
  }
  return most.column.count;
}

function checkAlike(first: SampleColumn, column: SampleColumn): void {
  const what = ({ type, shape }: SampleColumn) => `${formatShape(shape)} ${elementName(type)}`;
  if (what(first) !== what(column)) {
    throw dataError(
      column.label,
      `its samples are ${what(column)}, but those of ${first.label} are ${what(first)}`,
    );
  }
}
