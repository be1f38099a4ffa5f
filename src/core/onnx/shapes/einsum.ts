import { require } from './call';
import { add, type Dim, mul } from './dim';
import { broadcast } from './fold';

/** An Einsum equation against its operands: the letters of each operand, and the sizes they stand for. */
interface Bound {
  readonly operands: readonly (readonly string[])[];
  readonly output: readonly string[];
  readonly sizes: ReadonlyMap<string, Dim>;
}

/** The shape of an Einsum's output; null where an operand's order is unknown and the equation cannot do without. */
export function einsumShape(
  equation: string,
  shapes: readonly (readonly Dim[] | null)[],
): readonly Dim[] | null {
  const bound = bind(equation, shapes);
  return bound ? bound.output.map((label) => bound.sizes.get(label) ?? null) : null;
}

/** Multiply-accumulates of an Einsum: the product of all label sizes, operands taken in pairs from the left. */
export function einsumMacs(equation: string, shapes: readonly (readonly Dim[] | null)[]): Dim {
  const bound = bind(equation, shapes);
  if (!bound) return null;
  const volume = (labels: Iterable<string>) =>
    [...new Set(labels)].reduce<Dim>((p, label) => mul(p, bound.sizes.get(label) ?? null), 1);
  const { operands, output } = bound;
  if (operands.length === 1) return 0;
  let total: Dim = 0;
  let left = operands[0]!;
  for (let i = 1; i < operands.length; i++) {
    const labels: string[] = [...left, ...operands[i]!];
    const step: Dim = volume(labels);
    total = add(total, step);
    const needed = new Set([...output, ...operands.slice(i + 1).flat()]);
    left = [...new Set(labels)].filter((label) => needed.has(label));
  }
  return total;
}

function bind(equation: string, shapes: readonly (readonly Dim[] | null)[]): Bound | null {
  const [inputs, result, ...rest] = equation.replace(/\s/g, '').split('->');
  require(rest.length === 0 && inputs !== undefined);
  const texts = inputs.split(',');
  require(texts.length === shapes.length);
  const tokens = texts.map(labelsOf);
  // An ellipsis stands for as many axes as the letters leave over; they are named from the right.
  let spread = 0;
  const operands: (readonly string[])[] = [];
  const sizes = new Map<string, Dim>();
  let ellipsisKnown = true;
  tokens.forEach((labels, i) => {
    const shape = shapes[i]!;
    const at = labels.indexOf('...');
    if (shape === null) {
      if (at >= 0) ellipsisKnown = false;
      operands.push(labels.filter((label) => label !== '...'));
      return;
    }
    const extra = shape.length - (labels.length - (at >= 0 ? 1 : 0));
    require(at >= 0 ? extra >= 0 : extra === 0);
    spread = Math.max(spread, at >= 0 ? extra : 0);
    const names = at < 0 ? labels : [...labels.slice(0, at), ...ellipsis(extra), ...labels.slice(at + 1)];
    operands.push(names);
    names.forEach((name, axis) => {
      const size = shape[axis]!;
      const other = sizes.get(name);
      sizes.set(name, other === undefined ? size : joined(other, size));
    });
  });
  const hasEllipsis = tokens.some((labels) => labels.includes('...'));
  if (hasEllipsis && !ellipsisKnown && (result === undefined || result.includes('...'))) return null;
  const output = (result === undefined ? implicitOutput(tokens, hasEllipsis) : labelsOf(result)).flatMap(
    (label) => (label === '...' ? ellipsis(spread) : [label]),
  );
  const mentioned = new Set(operands.flat());
  require(output.every((label) => mentioned.has(label)) && new Set(output).size === output.length);
  return { operands, output, sizes };
}

/** Letters and the ellipsis of one term. */
function labelsOf(text: string): readonly string[] {
  const labels = text.match(/\.\.\.|[a-zA-Z]/g) ?? [];
  require(labels.join('') === text && labels.filter((label) => label === '...').length <= 1);
  return labels;
}

function ellipsis(count: number): readonly string[] {
  return Array.from({ length: count }, (_, i) => `.${count - i}`);
}

/** Without an arrow: the ellipsis, then the letters that occur once, in alphabetical order. */
function implicitOutput(terms: readonly (readonly string[])[], hasEllipsis: boolean): readonly string[] {
  const letters = terms.flat().filter((label) => label !== '...');
  const once = letters.filter((label) => letters.indexOf(label) === letters.lastIndexOf(label)).sort();
  return hasEllipsis ? ['...', ...once] : once;
}

/** Axes of one name are equal, or 1 and stretched. */
function joined(a: Dim, b: Dim): Dim {
  return broadcast([[a], [b]])![0]!;
}
