/**
 * What the steps of a series of approximations of a weight bring: singular values of an unfolding, one by one, or
 * the settings of an iterative method. Summed over the groups of a weight.
 */
export interface Spectrum {
  /** energies[k]: by how much step k lowers ‖W − Ŵ‖²; σ²_k for singular values, then descending. */
  readonly energies: Float64Array;
  /** ‖W‖². */
  readonly total: number;
}

const known = new WeakMap<Spectrum, Float64Array>();

/** tails[r] = ‖W − Ŵ‖² after r steps; one entry more than there are steps. Not to be modified. */
export function tailsOf(spectrum: Spectrum): Float64Array {
  let tails = known.get(spectrum);
  if (!tails) {
    const { energies, total } = spectrum;
    tails = new Float64Array(energies.length + 1);
    // From the end, so that small tails are not lost in the rounding of a long sum.
    const rest = total - energies.reduce((sum, e) => sum + e, 0);
    tails[energies.length] = Math.max(0, rest);
    for (let k = energies.length - 1; k >= 0; k--) tails[k] = tails[k + 1]! + energies[k]!;
    known.set(spectrum, tails);
  }
  return tails;
}

/** Share of ‖W‖² that the first `rank` steps hold; 1 for a zero weight. */
export function energyOfRank(spectrum: Spectrum, rank: number): number {
  const tails = tailsOf(spectrum);
  return spectrum.total === 0 ? 1 : 1 - tails[Math.min(rank, tails.length - 1)]! / tails[0]!;
}

/** The smallest rank (never below 1) whose tail is at most `budget`; undefined when even the last one's is larger. */
export function rankOfTail(spectrum: Spectrum, budget: number): number | undefined {
  const tails = tailsOf(spectrum);
  const last = tails.length - 1;
  if (last < 1 || tails[last]! > budget) return undefined;
  let low = 1;
  let high = last;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (tails[middle]! <= budget) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** The smallest rank (never below 1) whose energy is at least `share`; the last one when none is. */
export function rankOfEnergy(spectrum: Spectrum, share: number): number {
  return rankOfTail(spectrum, (1 - share) * tailsOf(spectrum)[0]!) ?? spectrum.energies.length;
}
