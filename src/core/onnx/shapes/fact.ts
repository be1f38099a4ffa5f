import { Element, isFloatType } from '../elements';
import type { ElementType } from '../model';
import { type Dim, isExtreme, productOf, sameDim } from './dim';

/** What is known about a tensor. */
export interface TensorFact {
  readonly kind: 'tensor';
  /** 0: unknown. */
  readonly type: ElementType;
  /** null: not even the number of dimensions is known. */
  readonly shape: readonly Dim[] | null;
  /**
   * The elements of a small constant, in row-major order; sizes taken from shapes may be symbolic, single
   * elements unknown. A function, because most weights are never asked for theirs.
   */
  readonly values?: () => readonly Dim[] | undefined;
}

/** What is known about a value that is a list or a map of values, or may be absent. */
export interface WrapperFact {
  readonly kind: 'sequence' | 'optional' | 'map';
  readonly element: Fact;
  /** The type of a map's keys. */
  readonly key?: ElementType;
  /** Of a sequence. */
  readonly length?: Dim;
}

/** What is known about a value. */
export type Fact = TensorFact | WrapperFact;

/** A tensor of which nothing is known. */
export const UNKNOWN: TensorFact = { kind: 'tensor', type: 0, shape: null };

/**
 * More elements than these are not computed with. Shapes, axes and indices are integers and short; floats
 * matter as scales and bounds only, longer ones are weights that should not even be read.
 */
export function foldLimit(type: ElementType): number {
  return isFloatType(type) ? 64 : 4096;
}

export function tensor(type: ElementType, shape: readonly Dim[] | null): TensorFact {
  return { kind: 'tensor', type, shape };
}

/** A constant whose elements are known. */
export function constant(type: ElementType, shape: readonly Dim[], values: readonly Dim[]): TensorFact {
  return { kind: 'tensor', type, shape, values: () => values };
}

export function int64(values: readonly Dim[]): TensorFact {
  return constant(Element.int64, [values.length], values);
}

/** The number of elements, where it is a number. */
export function countOf(fact: TensorFact): number | undefined {
  const count = fact.shape === null ? null : productOf(fact.shape);
  return typeof count === 'number' ? count : undefined;
}

/** What holds of both values: used where either may arrive (branches, iterations, lists). */
export function commonFact(a: Fact, b: Fact): Fact {
  if (a === b) return a;
  if (a.kind === 'tensor' && b.kind === 'tensor') {
    const type = a.type === b.type ? a.type : 0;
    const other = b.shape;
    if (a.shape === null || other === null || a.shape.length !== other.length) return tensor(type, null);
    return tensor(
      type,
      a.shape.map((d, i) => (sameDim(d, other[i]!) ? d : null)),
    );
  }
  if (a.kind === 'tensor' || b.kind === 'tensor' || a.kind !== b.kind) return UNKNOWN;
  const length = sameDim(a.length ?? null, b.length ?? null) ? { length: a.length! } : {};
  const key = a.key !== undefined && a.key === b.key ? { key: a.key } : {};
  return { kind: a.kind, element: commonFact(a.element, b.element), ...length, ...key };
}

/** Fills what `fact` leaves unknown with what `declared` says; where both speak, `fact` counts. */
export function filledFact(fact: Fact, declared: Fact): Fact {
  if (fact.kind !== 'tensor') {
    if (fact.kind !== declared.kind) return fact;
    return { ...fact, element: filledFact(fact.element, (declared as WrapperFact).element) };
  }
  if (declared.kind !== 'tensor') return fact.type === 0 && fact.shape === null ? declared : fact;
  const type = fact.type || declared.type;
  if (declared.shape === null) return type === fact.type ? fact : { ...fact, type };
  if (fact.shape === null) return { ...fact, type, shape: declared.shape };
  if (fact.shape.length !== declared.shape.length) return { ...fact, type };
  const other = declared.shape;
  return { ...fact, type, shape: fact.shape.map((d, i) => filledDim(d, other[i]!)) };
}

/** A size whose bound could not be decided (10 or less) is known no better than by what is declared. */
function filledDim(dim: Dim, declared: Dim): Dim {
  return dim === null || (isExtreme(dim) && typeof declared === 'number') ? declared : dim;
}

/** Whether two facts say the same, elements of constants apart. */
export function sameFact(a: Fact, b: Fact): boolean {
  if (a.kind === 'tensor' && b.kind === 'tensor') {
    if (a.type !== b.type) return false;
    if (a.shape === null || b.shape === null) return a.shape === b.shape;
    const other = b.shape;
    return (
      a.shape.length === other.length &&
      a.shape.every((d, i) => (d === null ? other[i] === null : sameDim(d, other[i]!)))
    );
  }
  return (
    a.kind !== 'tensor' &&
    b.kind !== 'tensor' &&
    a.kind === b.kind &&
    a.key === b.key &&
    sameFact(a.element, b.element)
  );
}
