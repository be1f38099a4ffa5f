import { type Spectrum, tailsOf } from '../spectrum';

/** What empirical variational Bayesian matrix factorisation says of a matrix. */
export type Evbmf =
  | {
      readonly kind: 'rank';
      /** At least 1, and below the full rank. */
      readonly rank: number;
      /** Estimated variance of the noise, per element. */
      readonly noiseVariance: number;
      /** The singular values that stand out from the noise, less what it added to them; before weakening. */
      readonly shrunk: Float64Array;
    }
  /** No suggestion; `reason` is a sentence. */
  | { readonly kind: 'none'; readonly reason: string };

/** How EVBMF's ranks are used. */
export interface EvbmfOptions {
  /** From 0, EVBMF's own rank, to 1, the full one: r + w · (full − r) (weakening as in Gusak et al. 2019, MUSCO). */
  readonly weakening?: number;
}

/**
 * The rank of a rows × cols matrix by empirical variational Bayesian matrix factorisation with unknown noise: the
 * global solution of Nakajima et al. 2013 (JMLR 14) in the closed form of Nakajima et al. 2015 (JMLR 16). Needs
 * nothing but the singular values. `spectrum` may hold fewer than min(rows, cols) of them; what it holds not counts as noise.
 *
 * Where a weight has groups, a spectrum is the sum over them: then it is the rank of the matrix whose squared singular
 * values are their means (a matrix of noise has almost the same values in each group), and the variance is too large
 * by the number of groups. Never throws for a finite spectrum.
 */
export function evbmfRank(
  spectrum: Spectrum,
  rows: number,
  cols: number,
  { weakening = 0 }: EvbmfOptions = {},
): Evbmf {
  const full = Math.min(rows, cols);
  const wide = Math.max(rows, cols);
  if (spectrum.total === 0) return { kind: 'none', reason: 'The weight is zero.' };
  const { rank, noiseVariance, shrunk } = solve(spectrum, full, wide);
  if (rank === 0)
    return { kind: 'none', reason: 'No singular value stands out from the noise (EVBMF gives 0).' };
  const weakened = rank + Math.round(weakening * (full - rank));
  if (weakened >= full) return { kind: 'none', reason: `EVBMF gives the full rank, ${full}.` };
  return { kind: 'rank', rank: weakened, noiseVariance, shrunk };
}

/**
 * With L ≤ M the sides, α = L / M, x = γ² / (M s) for a singular value γ at noise variance s: γ is kept where x is above
 * the threshold, and then becomes γ̃ = M s τ(x) / γ. Twice the free energy over M, constants left out, is
 * L log s + ‖W‖² / (M s) + Σ (log(1 + τ) + α log(1 + τ/α) − τ) over those kept. Its slope vanishes where
 * M s (L + Σ τ) = ‖W‖². Between the variances at which another value is kept it is smooth: each such piece is searched.
 * As x − τ = 1 + α + α/τ, only the energy of the values not kept enters, however small beside that of the others.
 */
function solve(spectrum: Spectrum, sideL: number, sideM: number) {
  const { energies } = spectrum;
  const alpha = sideL / sideM;
  const leastTau = leastTauOf(alpha);
  const threshold = (1 + leastTau) * (1 + alpha / leastTau);
  // No more values than this are ever kept (Nakajima et al. 2015, bounds of the noise variance).
  const most = Math.min(Math.ceil(sideL / (1 + alpha)) - 1, energies.length);
  const tails = tailsOf(spectrum);
  const positive = energies.findIndex((e) => e <= 0);
  if (positive >= 0 && positive <= most && tails[positive]! === 0)
    return { rank: positive, noiseVariance: 0, shrunk: energies.slice(0, positive).map(Math.sqrt) };
  // In units of the largest possible variance, so that nothing depends on the scale.
  const unit = tails[0]! / (sideL * sideM);
  const scaled = energies.map((e) => e / unit / sideM);
  const rest = (k: number) => tails[k]! / unit / sideM;
  const breakAt = (k: number) => (k < energies.length ? scaled[k]! / threshold : 0);
  let best = { rank: 0, variance: 1, energy: sideL };
  for (let rank = 1; rank <= most; rank++) {
    const kept = scaled.subarray(0, rank);
    const sum = (s: number, term: (tau: number) => number) =>
      kept.reduce((total, e) => total + term(shrinkage(e / s, alpha)), 0);
    const slope = (s: number) => s * (sideL - sum(s, (tau) => 1 + alpha + alpha / tau)) - rest(rank);
    // As α/τ lies between 0 and what it is at the threshold, so does the root between these.
    const low = rest(rank) / (sideL - rank * (1 + alpha));
    const room = sideL - rank * (1 + alpha + alpha / leastTau);
    const high = room > 0 ? (1 + 1e-9) * (rest(rank) / room) : Number.POSITIVE_INFINITY;
    const variance = rootOf(slope, Math.max(low, breakAt(rank)), Math.min(high, breakAt(rank - 1)));
    if (variance === undefined) continue;
    const energy =
      sideL * Math.log(variance) + rest(rank) / variance + sum(variance, (tau) => energyOf(tau, alpha));
    if (energy < best.energy) best = { rank, variance, energy };
  }
  const { rank, variance } = best;
  const noiseVariance = variance * unit;
  const shrunk = energies
    .slice(0, rank)
    .map((e, h) => (sideM * noiseVariance * shrinkage(scaled[h]! / variance, alpha)) / Math.sqrt(e));
  return { rank, noiseVariance, shrunk };
}

/** τ(x; α): γ γ̃ / (M s), which is the larger root of (1 + τ)(1 + α/τ) = x. */
function shrinkage(x: number, alpha: number): number {
  const b = x - (1 + alpha);
  return (b + Math.sqrt(Math.max(0, b * b - 4 * alpha))) / 2;
}

/** What a kept value adds to twice the free energy over M. */
function energyOf(tau: number, alpha: number): number {
  return Math.log1p(tau) + alpha * Math.log1p(tau / alpha) + 1 + alpha + alpha / tau;
}

/** τ at which keeping a value is as good as not: the zero of Φ(τ) + Φ(τ/α) with Φ(z) = log(1 + z)/z − ½. */
function leastTauOf(alpha: number): number {
  const phi = (z: number) => Math.log1p(z) / z - 0.5;
  // Φ falls and is 0 between 2.5 and 2.6. At α = 1 that is the answer; below, it lies between α times it and it.
  return rootOf((z) => -phi(z) - phi(z / alpha), 2.5 * alpha, 2.6)!;
}

/** Where `f` rises through 0 between two positive numbers, to all digits; undefined if it doesn't. */
function rootOf(f: (x: number) => number, low: number, high: number): number | undefined {
  if (!(low < high) || f(low) > 0 || f(high) < 0) return undefined;
  for (let i = 0; i < 200; i++) {
    const middle = Math.sqrt(low) * Math.sqrt(high);
    if (middle <= low || middle >= high) break;
    if (f(middle) <= 0) low = middle;
    else high = middle;
  }
  return low;
}
