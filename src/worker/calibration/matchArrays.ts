import { dataError } from './dataError';
import type { OfferedArray } from './dataFiles';
import { nameSome } from './imageFiles';
import type { ModelInput } from './modelInput';

/** Which array is for which input. */
export interface MatchedArrays {
  readonly arrays: ReadonlyMap<ModelInput, OfferedArray>;
  readonly missing: readonly ModelInput[];
  readonly unused: readonly OfferedArray[];
}

/**
 * Matches the arrays of one set to inputs: by name where any name fits, else by position; a single array to a
 * single input, whatever it is called. Throws {@link ModelError} ('bad-data') where arrays and inputs are left over, for then
 * a name is wrong.
 */
export function matchArrays(
  label: string,
  inputs: readonly ModelInput[],
  set: readonly OfferedArray[],
): MatchedArrays {
  const arrays = new Map<ModelInput, OfferedArray>();
  const byName = set.some(({ name }) => name !== '' && inputs.some((input) => input.name === name));
  for (const [i, input] of inputs.entries()) {
    const array = set.find(({ name, position }) => (byName ? name === input.name : position === i));
    if (array) arrays.set(input, array);
  }
  let missing = inputs.filter((input) => !arrays.has(input));
  let unused = set.filter((array) => ![...arrays.values()].includes(array));
  if (inputs.length === 1 && set.length === 1 && missing.length === 1) {
    arrays.set(missing[0]!, unused[0]!);
    missing = [];
    unused = [];
  }
  if (missing.length > 0 && unused.length > 0) {
    const offered = nameSome(unused.map(({ name, label }) => (name ? `"${name}"` : label)));
    const wanted = nameSome(missing.map(({ name }) => `"${name}"`));
    throw dataError(label, `it holds ${offered}, but the model's inputs without data are ${wanted}`);
  }
  return { arrays, missing, unused };
}
