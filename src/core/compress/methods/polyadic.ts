import { cp as decompose } from '../../tensor/cp';
import type { Matrix, Numbers } from '../../tensor/matrix';
import { type Tensor, tensor } from '../../tensor/tensor';
import { transpose } from '../../tensor/transpose';
import { type ConvStep, chainCost, denseCost, point } from '../conv/chain';
import { convCandidate } from '../conv/convCandidate';
import type { ConvForm } from '../layer';
import { type Candidate, type MethodId, product } from '../method';
import { byTrial } from '../prediction';
import { rungs, trialSeries } from '../trial';

/** Shares of the largest rank that are tried where a rank has to be found. */
const SHARES = [1 / 16, 1 / 8, 1 / 4, 3 / 8, 1 / 2, 3 / 4, 1];

/**
 * A CP decomposition of a convolution: what `cp` and `cp3` share.
 *
 * @param spatialModes the spatial axes of the kernel, those that share a mode together
 * @param depthwise the convolutions between the two 1 × 1 ones
 */
export function polyadic(
  form: ConvForm,
  method: MethodId,
  spatialModes: readonly (readonly number[])[],
  depthwise: (rank: number) => readonly ConvStep[],
): Candidate {
  const { groupChannels, groups, kernel } = form;
  const out = form.outChannels / groups;
  const modes = [out, groupChannels, ...spatialModes.map(product)];
  const steps = (rank: number) => [
    point(form, groupChannels, rank),
    ...depthwise(rank),
    point(form, rank, out),
  ];
  const parameters = (rank: number) => chainCost(form, steps(rank)).parameters;
  const breakEven = Math.ceil(denseCost(form).parameters / parameters(1)) - 1;
  const most = Math.max(1, Math.min(breakEven, Math.max(out, groupChannels)));
  const settings = rungs(most, SHARES).map((rank) => [rank]);
  const reshaped = <T extends Numbers>({ data }: Tensor<T>) => tensor(modes, data);
  const work = settings.reduce((sum, [rank = 0]) => sum + 60 * groups * product(modes) * rank, 0);
  const series = trialSeries(
    form,
    method,
    settings,
    work,
    (linalg, whole, [rank = 0], onProgress) => decompose(linalg, reshaped(whole), rank, { onProgress }).error,
  );
  return convCandidate(form, {
    method,
    rankNames: ['rank'],
    fullRanks: [Math.max(1, breakEven)],
    ...byTrial(
      series,
      settings,
      ([rank = 0]) => rank,
      [Number.POSITIVE_INFINITY],
      (rank) => [[rank]],
    ),
    steps: ([rank = 0]) => steps(rank),
    decompose<T extends Numbers>(
      linalg: Parameters<Candidate['factor']>[0],
      whole: Tensor<T>,
      [rank = 0]: readonly number[],
      onProgress: (done: number) => void,
    ) {
      const { factors } = decompose(linalg, reshaped(whole), rank, { onProgress });
      const [last, first, ...between] = factors as readonly Matrix<T>[];
      const ones = kernel.map(() => 1);
      return [
        tensor([rank, groupChannels, ...ones], transpose(first!).data),
        ...between.map((factor, i) => {
          const extents =
            spatialModes.length === 1 ? kernel : ones.map((_, axis) => (axis === i ? kernel[axis]! : 1));
          return tensor([rank, 1, ...extents], transpose(factor).data);
        }),
        tensor([out, rank, ...ones], last!.data),
      ];
    },
  });
}
