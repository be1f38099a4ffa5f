/**
 * A size: a number, an expression in the symbols of the graph's inputs, or null where nothing is known.
 * Expressions are canonical: equal sizes, written differently, have equal keys.
 */
export type Dim = number | Expression | null;

/** A sum of products with integer coefficients. Symbols stand for sizes, so they are taken to be 1 or more. */
export interface Expression {
  readonly terms: readonly Term[];
  /** The expression as text: `2*N + 1`, `floor((H + 1)/2)`. */
  readonly key: string;
}

interface Term {
  readonly coefficient: number;
  /** Sorted by key; a power is a repeated factor; the constant term has none. */
  readonly factors: readonly Factor[];
  readonly key: string;
}

type Known = number | Expression;

/** What products are made of: a symbol, or an operation that no sum of products expresses. */
type Factor =
  | { readonly kind: 'symbol'; readonly key: string }
  | { readonly kind: 'floor'; readonly key: string; readonly numerator: Known; readonly denominator: Known }
  | { readonly kind: 'min' | 'max'; readonly key: string; readonly operands: readonly Known[] };

/** Larger expressions become null: nobody could read them, and products must not explode. */
const MAX_TERMS = 64;
const MAX_KEY = 2000;

/** The size called `name`. */
export function symbol(name: string): Expression {
  return sum([term(1, [{ kind: 'symbol', key: name }])]) as Expression;
}

/** Whether the size still depends on symbols. */
export function isSymbolic(dim: Dim): dim is Expression {
  return typeof dim === 'object' && dim !== null;
}

/** Whether the size is a minimum or a maximum that could not be decided. */
export function isExtreme(dim: Dim): boolean {
  const only = isSymbolic(dim) && dim.terms.length === 1 ? dim.terms[0]! : undefined;
  const kind = only?.factors.length === 1 ? only.factors[0]!.kind : undefined;
  return kind === 'min' || kind === 'max';
}

/** Whether two sizes are known to be the same; two unknown ones are not. */
export function sameDim(a: Dim, b: Dim): boolean {
  if (a === null || b === null) return false;
  return isSymbolic(a) && isSymbolic(b) ? a.key === b.key : a === b;
}

/** A size as text: `640`, `2*N + 1`, `?`. */
export function printDim(dim: Dim): string {
  return dim === null ? '?' : isSymbolic(dim) ? dim.key : String(dim);
}

export function add(a: Dim, b: Dim): Dim {
  if (a === null || b === null) return null;
  if (!isSymbolic(a) && !isSymbolic(b)) return a + b;
  return sum([...termsOf(a), ...termsOf(b)]);
}

export function sub(a: Dim, b: Dim): Dim {
  return add(a, mul(b, -1));
}

export function mul(a: Dim, b: Dim): Dim {
  // No element, whatever the other size is.
  if (a === 0 || b === 0) return 0;
  if (a === null || b === null) return null;
  if (!isSymbolic(a) && !isSymbolic(b)) return a * b;
  const left = termsOf(a);
  const right = termsOf(b);
  if (left.length * right.length > MAX_TERMS * 4) return null;
  return sum(left.flatMap((x) => right.map((y) => product(x, y))));
}

/** The sum of sizes: 0 for none. Long lists are put in order once. */
export function sumOf(dims: readonly Dim[]): Dim {
  const terms: Term[] = [];
  let constant = 0;
  for (const dim of dims) {
    if (dim === null) return null;
    if (isSymbolic(dim)) for (const t of dim.terms) terms.push(t);
    else constant += dim;
  }
  return terms.length === 0 ? constant : sum([...terms, term(constant, [])]);
}

/** The product of sizes: 1 for none. */
export function productOf(dims: readonly Dim[]): Dim {
  return dims.reduce<Dim>(mul, 1);
}

/** ⌊a/b⌋; null for a division by zero. */
export function floorDiv(a: Dim, b: Dim): Dim {
  if (a === null || b === null || b === 0) return null;
  if (!isSymbolic(a) && !isSymbolic(b)) return Math.floor(a / b);
  if (isSymbolic(b)) return exactQuotient(a, b) ?? floorOf(a, b);
  if (!Number.isSafeInteger(b) || b < 0) return null;
  const whole: Term[] = [];
  const rest: Term[] = [];
  for (const t of termsOf(a)) {
    // The whole multiples leave; what stays has coefficients in [0, b), which makes the form canonical.
    const quotient = Math.floor(t.coefficient / b);
    whole.push(term(quotient, t.factors));
    rest.push(term(t.coefficient - quotient * b, t.factors));
  }
  return add(sum(whole), reducedFloor(sum(rest), b));
}

/** ⌈a/b⌉ for a positive b. */
export function ceilDiv(a: Dim, b: Dim): Dim {
  return floorDiv(add(a, sub(b, 1)), b);
}

export function min(a: Dim, b: Dim): Dim {
  return extreme('min', a, b);
}

export function max(a: Dim, b: Dim): Dim {
  return extreme('max', a, b);
}

/** A number that the size never goes below: −∞ where nothing can be said. */
export function lowerBound(dim: Dim): number {
  if (dim === null) return -Infinity;
  if (!isSymbolic(dim)) return dim;
  let total = 0;
  for (const { coefficient, factors } of dim.terms) {
    const bounds = factors.map(factorBound);
    if (factors.length > 0 && (coefficient < 0 || bounds.some((b) => b < 0))) return -Infinity;
    total += bounds.reduce((p, b) => p * b, coefficient);
  }
  return total;
}

/** The size with symbols replaced: a number when all of its symbols are in `bindings`. */
export function bindDim(dim: Dim, bindings: ReadonlyMap<string, number>): Dim {
  if (!isSymbolic(dim)) return dim;
  return dim.terms
    .map((t) => productOf([t.coefficient, ...t.factors.map((f) => bindFactor(f, bindings))]))
    .reduce<Dim>(add, 0);
}

/** The symbols a size depends on. */
export function symbolsOf(dim: Dim): ReadonlySet<string> {
  const found = new Set<string>();
  const visit = (d: Known): void => {
    if (!isSymbolic(d)) return;
    for (const f of d.terms.flatMap((t) => t.factors)) {
      if (f.kind === 'symbol') found.add(f.key);
      else if (f.kind === 'floor') [f.numerator, f.denominator].forEach(visit);
      else f.operands.forEach(visit);
    }
  };
  if (dim !== null) visit(dim);
  return found;
}

function termsOf(dim: Known): readonly Term[] {
  return isSymbolic(dim) ? dim.terms : [term(dim, [])];
}

function term(coefficient: number, factors: readonly Factor[]): Term {
  return { coefficient, factors, key: printProduct(factors) };
}

function product(a: Term, b: Term): Term {
  const factors = [...a.factors, ...b.factors].sort((x, y) => compare(x.key, y.key));
  return term(a.coefficient * b.coefficient, factors);
}

/** Adds up terms of one kind and puts them in order: highest degree first, the constant last. */
function sum(terms: readonly Term[]): Dim {
  const byKey = new Map<string, Term>();
  for (const t of terms) {
    const other = byKey.get(t.key);
    byKey.set(t.key, other ? { ...t, coefficient: other.coefficient + t.coefficient } : t);
  }
  const kept = [...byKey.values()].filter((t) => t.coefficient !== 0);
  if (kept.length > MAX_TERMS || kept.some((t) => !Number.isSafeInteger(t.coefficient))) return null;
  if (kept.every((t) => t.factors.length === 0)) return kept[0]?.coefficient ?? 0;
  kept.sort((a, b) => b.factors.length - a.factors.length || compare(a.key, b.key));
  const key = printSum(kept);
  return key.length > MAX_KEY ? null : { terms: kept, key };
}

/** ⌊rest/b⌋ where the coefficients of `rest` are in [0, b). */
function reducedFloor(rest: Dim, b: number): Dim {
  if (!isSymbolic(rest)) return rest === null ? null : 0;
  const constant = rest.terms.find((t) => t.factors.length === 0)?.coefficient ?? 0;
  const variable = rest.terms.filter((t) => t.factors.length > 0);
  const divisor = variable.reduce((g, t) => gcd(g, t.coefficient), b);
  if (divisor > 1) {
    const smaller = sum(variable.map((t) => term(t.coefficient / divisor, t.factors)));
    return floorDiv(add(smaller, Math.floor(constant / divisor)), b / divisor);
  }
  const only = variable.length === 1 && variable[0]!.coefficient === 1 ? variable[0]!.factors : [];
  const inner = only.length === 1 ? only[0]! : undefined;
  if (inner?.kind === 'floor' && typeof inner.denominator === 'number') {
    // ⌊(⌊x/d⌋ + c)/b⌋ = ⌊(x + c·d)/(b·d)⌋
    return floorDiv(add(inner.numerator, constant * inner.denominator), b * inner.denominator);
  }
  return floorOf(rest, b);
}

function floorOf(numerator: Known, denominator: Known): Dim {
  const key = `floor(${group(numerator)}/${group(denominator)})`;
  return sum([term(1, [{ kind: 'floor', key, numerator, denominator }])]);
}

/** a/b as polynomials where nothing remains: what the −1 of a Reshape is. */
function exactQuotient(a: Known, b: Expression): Dim {
  const lead = b.terms[0]!;
  let rest: Dim = a;
  let quotient: Dim = 0;
  for (let step = 0; step < MAX_TERMS; step++) {
    if (rest === 0) return quotient;
    if (!isSymbolic(rest)) return null;
    const next = dividedTerm(rest.terms[0]!, lead);
    if (!next) return null;
    const part = sum([next]);
    quotient = add(quotient, part);
    rest = sub(rest, mul(part, b));
  }
  return null;
}

function dividedTerm(a: Term, b: Term): Term | undefined {
  if (a.coefficient % b.coefficient !== 0) return undefined;
  const factors = [...a.factors];
  for (const factor of b.factors) {
    const at = factors.findIndex((f) => f.key === factor.key);
    if (at < 0) return undefined;
    factors.splice(at, 1);
  }
  return term(a.coefficient / b.coefficient, factors);
}

function extreme(kind: 'min' | 'max', a: Dim, b: Dim): Dim {
  if (a === null || b === null) return null;
  if (!isSymbolic(a) && !isSymbolic(b)) return kind === 'min' ? Math.min(a, b) : Math.max(a, b);
  if (lowerBound(sub(b, a)) >= 0) return kind === 'min' ? a : b;
  if (lowerBound(sub(a, b)) >= 0) return kind === 'min' ? b : a;
  const byKey = new Map([...operandsOf(kind, a), ...operandsOf(kind, b)].map((d) => [printDim(d), d]));
  const numbers = [...byKey.values()].filter((d) => typeof d === 'number');
  const operands: Known[] = [...byKey.values()].filter(isSymbolic).sort((x, y) => compare(x.key, y.key));
  if (numbers.length > 0) operands.push(kind === 'min' ? Math.min(...numbers) : Math.max(...numbers));
  const key = `${kind}(${operands.map(printDim).join(', ')})`;
  return sum([term(1, [{ kind, key, operands }])]);
}

/** min(min(x, y), z) is one minimum of three. */
function operandsOf(kind: 'min' | 'max', dim: Known): readonly Known[] {
  const only = isSymbolic(dim) && dim.terms.length === 1 ? dim.terms[0]! : undefined;
  const factor = only?.coefficient === 1 && only.factors.length === 1 ? only.factors[0]! : undefined;
  return factor?.kind === kind ? (factor as { operands: readonly Known[] }).operands : [dim];
}

function factorBound(factor: Factor): number {
  switch (factor.kind) {
    case 'symbol':
      // A declared size beyond 2^53 is a symbol of its digits.
      return /^\d{16,}$/.test(factor.key) ? Number(factor.key) : 1;
    case 'floor': {
      const { numerator, denominator } = factor;
      if (typeof denominator === 'number') return Math.floor(lowerBound(numerator) / denominator);
      return lowerBound(numerator) >= 0 && lowerBound(denominator) > 0 ? 0 : -Infinity;
    }
    case 'min':
      return Math.min(...factor.operands.map(lowerBound));
    case 'max':
      return Math.max(...factor.operands.map(lowerBound));
  }
}

function bindFactor(factor: Factor, bindings: ReadonlyMap<string, number>): Dim {
  switch (factor.kind) {
    case 'symbol':
      return bindings.get(factor.key) ?? symbol(factor.key);
    case 'floor':
      return floorDiv(bindDim(factor.numerator, bindings), bindDim(factor.denominator, bindings));
    default: {
      const operands = factor.operands.map((d) => bindDim(d, bindings));
      return operands.slice(1).reduce((a, b) => extreme(factor.kind, a, b), operands[0]!);
    }
  }
}

function printSum(terms: readonly Term[]): string {
  let text = '';
  for (const { coefficient, key } of terms) {
    const size = Math.abs(coefficient);
    const body = key === '' ? String(size) : size === 1 ? key : `${size}*${key}`;
    if (text === '') text = coefficient < 0 ? `-${body}` : body;
    else text += coefficient < 0 ? ` - ${body}` : ` + ${body}`;
  }
  return text;
}

function printProduct(factors: readonly Factor[]): string {
  const powers = new Map<string, number>();
  for (const f of factors) powers.set(f.key, (powers.get(f.key) ?? 0) + 1);
  return [...powers].map(([key, power]) => (power === 1 ? key : `${key}^${power}`)).join('*');
}

/** In brackets where a slash beside it would bind tighter than what is inside. */
function group(dim: Known): string {
  const text = printDim(dim);
  return isSymbolic(dim) && (dim.terms.length > 1 || /[*/-]/.test(text.replace(/^\w+\(.*\)$/, '')))
    ? `(${text})`
    : text;
}

function gcd(a: number, b: number): number {
  return b === 0 ? a : gcd(b, a % b);
}

/** By code units: the order must not depend on the machine's language. */
function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
