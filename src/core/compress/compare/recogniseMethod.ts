import { candidateOf } from '../candidates';
import type { Form } from '../layer';
import { type Candidate, checkRanks, METHOD_IDS, type MethodId, type Ranks } from '../method';

/** So many combinations of ranks are tried for one method, no more. */
const MOST_TRIES = 4096;

/** A decomposition and its ranks. */
export interface Recognised {
  readonly method: MethodId;
  readonly ranks: Ranks;
  readonly candidate: Candidate;
}

/**
 * The decompositions that give factors of these shapes for a layer of this form, with their ranks: each method is asked what
 * it would write at ranks that stand in the shapes. In the order of `METHOD_IDS`.
 */
export function* recogniseMethods(
  form: Form,
  shapes: readonly (readonly number[])[],
): Generator<Recognised, undefined> {
  if (shapes.length === 0) return;
  const wanted = JSON.stringify(shapes);
  const numbers = possibleRanks(form, shapes);
  for (const method of METHOD_IDS) {
    const candidate = candidateOf(form, method);
    if (typeof candidate === 'string') continue;
    const ranks = ranksOf(candidate, numbers, shapes, wanted);
    if (ranks) yield { method, ranks, candidate };
  }
}

/** Ranks are dimensions of factors, or what remains of one divided by groups or by another rank. */
function possibleRanks(form: Form, shapes: readonly (readonly number[])[]): readonly number[] {
  const dims = [...new Set(shapes.flat())];
  const sizes = [...dims, ...(form.kind === 'conv' ? [form.groups, form.groupChannels] : [])];
  const over = (divisors: readonly number[]) =>
    sizes.flatMap((a) => divisors.map((b) => a / b)).filter((n) => Number.isInteger(n) && n > 0);
  const quotients = over(sizes);
  return [...new Set([...dims, ...quotients, ...over(quotients)])].sort((a, b) => a - b);
}

function ranksOf(
  candidate: Candidate,
  numbers: readonly number[],
  shapes: readonly (readonly number[])[],
  wanted: string,
): Ranks | undefined {
  const count = candidate.rankNames.length;
  const choices = candidate.limits.map((limit) => numbers.filter((n) => n <= limit));
  let tries = 0;
  const search = (ranks: readonly number[]): Ranks | undefined => {
    if (ranks.length < count) {
      for (const rank of choices[ranks.length]!) {
        const found = search([...ranks, rank]);
        if (found || tries > MOST_TRIES) return found;
      }
      return undefined;
    }
    tries++;
    if (checkRanks(candidate, ranks) !== undefined) return undefined;
    const written = candidate.shapes(ranks);
    return written.length === shapes.length && JSON.stringify(written) === wanted ? ranks : undefined;
  };
  return search([]);
}
