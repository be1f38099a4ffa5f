import type { Candidate, Ranks } from '../method';
import type { Spectrum } from '../spectrum';

/**
 * Of several ranks for one method those with the least predicted ‖W − Ŵ‖², the first of equals; undefined without any.
 *
 * @param known one spectrum per series of the candidate; may be empty where there is no choice to make
 */
export function leastError(
  candidate: Candidate,
  known: readonly Spectrum[],
  options: readonly Ranks[],
): Ranks | undefined {
  if (options.length < 2) return options[0];
  const errors = options.map((ranks) => candidate.error(known, ranks));
  return options[errors.indexOf(Math.min(...errors))];
}
