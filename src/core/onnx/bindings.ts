import type { Model } from './model';

/** The symbol of a graph input's dimension: its own name, else the input and the axis, `x[2]`. */
export function dimSymbol(input: string, axis: number, declared: string | null): string {
  return declared ?? `${input}[${axis}]`;
}

/** Bindings by symbol, and the names among them that the model does not have. */
export interface ResolvedBindings {
  readonly bind: ReadonlyMap<string, number>;
  readonly unknown: readonly string[];
}

/**
 * Turns what a user wrote into sizes of symbols. A dimension can be named by its symbol (`batch`) and, named or
 * not, by its place (`x[0]`); a symbol wins over a place of the same spelling.
 */
export function resolveBindings(model: Model, dims: Readonly<Record<string, number>>): ResolvedBindings {
  const symbols = new Map<string, string>();
  for (const { name, shape } of model.graph.inputs) {
    for (const [axis, dim] of (shape ?? []).entries()) {
      if (typeof dim === 'number') continue;
      const symbol = dimSymbol(name, axis, dim);
      symbols.set(symbol, symbol);
      const place = dimSymbol(name, axis, null);
      if (!symbols.has(place)) symbols.set(place, symbol);
    }
  }
  const bind = new Map<string, number>();
  const unknown: string[] = [];
  for (const [name, size] of Object.entries(dims)) {
    const symbol = symbols.get(name);
    if (symbol === undefined) unknown.push(name);
    else bind.set(symbol, size);
  }
  return { bind, unknown };
}
