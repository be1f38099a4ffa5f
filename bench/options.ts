import { availableParallelism } from 'node:os';
import { WEIGHT_KINDS, type WeightKind } from './weights';

/** A filter by the names in a comma-separated argument; without one, everything. '' is nothing. */
export function wanted<T>(
  what: string,
  argument: string | undefined,
  nameOf: (each: T) => string,
  all: readonly T[],
): readonly T[] {
  const names = argument?.split(',').filter(Boolean);
  const known = all.map(nameOf);
  for (const name of names ?? []) {
    if (!known.includes(name)) throw new Error(`There is no ${what} '${name}', only ${known.join(', ')}.`);
  }
  return all.filter((each) => names?.includes(nameOf(each)) ?? true);
}

export function wantedKinds(argument: string | undefined): readonly WeightKind[] {
  return wanted('kind', argument, (kind) => kind, WEIGHT_KINDS);
}

/** Without an argument one thread, and as many as the product would start. */
export function threadCounts(argument: string | undefined): readonly number[] {
  return argument?.split(',').map(Number) ?? [...new Set([1, Math.min(4, availableParallelism())])];
}
