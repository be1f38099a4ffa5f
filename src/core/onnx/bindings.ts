import { Element } from './elements';
import type { DeclaredDim, ElementType, Model } from './model';

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
 * not, by its place (`x[0]`); a symbol wins over a place of the same spelling. An input that is one whole number
 * (`sr`, on which a model may branch) is given its value by its own name.
 */
export function resolveBindings(model: Model, dims: Readonly<Record<string, number>>): ResolvedBindings {
  const symbols = new Map<string, string>();
  for (const { name, shape, type } of model.graph.inputs) {
    if (holdsOneNumber(shape, type)) symbols.set(name, name);
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

/** Whether a graph input is a single integer or truth value. */
export function holdsOneNumber(shape: readonly DeclaredDim[] | null, type: ElementType): boolean {
  const isWhole = type === Element.int64 || type === Element.int32 || type === Element.bool;
  return isWhole && (shape?.every((dim) => dim === 1) ?? false);
}
