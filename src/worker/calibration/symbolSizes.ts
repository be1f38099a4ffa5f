import { dataError } from './dataError';

/** Sizes of a model's open dimensions, each with where it is from. */
export interface SymbolSizes {
  readonly sizes: ReadonlyMap<string, number>;
  /** Takes a size on. Throws {@link ModelError} ('bad-data') naming both sides where another is known. */
  bind(symbol: string, size: number, label: string): void;
}

/** Begins with the sizes that the user gave. */
export function symbolSizes(given: ReadonlyMap<string, number>): SymbolSizes {
  const sizes = new Map<string, number>();
  const origins = new Map<string, string>();
  return {
    sizes,
    bind(symbol, size, label) {
      const wanted = given.get(symbol);
      if (wanted !== undefined && wanted !== size) {
        throw dataError(label, `"${symbol}" is ${size} in it, but was given as ${wanted}`);
      }
      const known = sizes.get(symbol);
      if (known !== undefined && known !== size) {
        throw dataError(label, `"${symbol}" is ${size} in it, but ${known} in ${origins.get(symbol)}`);
      }
      sizes.set(symbol, size);
      if (known === undefined) origins.set(symbol, label);
    },
  };
}
