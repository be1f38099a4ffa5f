import { LinalgError } from '../tensor/linalg';
import type { Numbers } from '../tensor/matrix';
import type { Tensor } from '../tensor/tensor';
import { sumOfSquares } from '../tensor/tensorScale';
import { groupKernels } from './conv/kernels';
import type { ConvForm } from './layer';
import type { Ranks, Series } from './method';

/**
 * The errors of an iterative method on a convolution at a few settings, as a series: step k leads to setting k. A
 * setting that degenerates, or that does no better than a cheaper one, brings nothing.
 *
 * @param relativeError the relative error ‖W − Ŵ‖ / ‖W‖ of one group's kernel at these ranks
 */
export function trialSeries(
  form: ConvForm,
  key: string,
  settings: readonly Ranks[],
  work: number,
  relativeError: (
    linalg: Parameters<Series['measure']>[0],
    kernel: Tensor<Numbers>,
    ranks: Ranks,
    onProgress: (done: number) => void,
  ) => number,
): Series {
  const { groups, outChannels, groupChannels, kernel, isTransposed } = form;
  const shape = [groups, outChannels, groupChannels, ...kernel, isTransposed ? 'transposed' : 'plain'];
  return {
    key: `${key}:${shape.join('x')}:${settings.map((ranks) => ranks.join('x')).join()}`,
    work,
    measure(linalg, weight, onProgress) {
      const kernels = groupKernels(form, weight);
      const norms = kernels.map(({ data }) => sumOfSquares(data));
      const total = norms.reduce((sum, norm) => sum + norm, 0);
      const energies = new Float64Array(settings.length);
      let remaining = total;
      for (const [i, ranks] of settings.entries()) {
        let error = 0;
        for (const [g, kernel] of kernels.entries()) {
          const share = (i + g / kernels.length) / settings.length;
          try {
            const report = (done: number) => onProgress(share + done / kernels.length / settings.length);
            error += relativeError(linalg, kernel, ranks, report) ** 2 * norms[g]!;
          } catch (cause) {
            if (!(cause instanceof LinalgError && cause.code === 'degenerate')) throw cause;
            error += norms[g]!;
          }
        }
        energies[i] = Math.max(0, remaining - error);
        remaining = Math.min(remaining, error);
      }
      return { energies, total };
    },
  };
}

/** Ranks of a tensor ring that are tried: the equations of a core have as many unknowns as the product of its two. */
export const RING_RANKS = [2, 3, 4, 6, 8, 12, 16, 24];

/** A ring that is not bound is a train, whose ranks follow other rules. */
export function refuseTrain([bond, ...others]: Ranks): string | undefined {
  return bond === 1 && others.some((rank) => rank > 1)
    ? 'With r0 = 1 it is a tensor train: use tt.'
    : undefined;
}

/** Whole numbers at these shares of `most`, each once, ascending: multiples of 8 where there is room for them. */
export function rungs(most: number, shares: readonly number[]): readonly number[] {
  const round = (value: number) =>
    most >= 32 ? 8 * Math.max(1, Math.round(value / 8)) : Math.max(1, Math.round(value));
  const values = shares.map((share) => Math.min(most, round(share * most))).filter((value) => value >= 1);
  return [...new Set(values)].sort((a, b) => a - b);
}
