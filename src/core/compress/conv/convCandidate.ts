import type { Linalg, OnProgress } from '../../tensor/linalg';
import type { Numbers } from '../../tensor/matrix';
import type { Tensor } from '../../tensor/tensor';
import type { ConvForm } from '../layer';
import type { Candidate, MethodId, Prediction, Ranks } from '../method';
import { type ChainStep, chainCost, convSteps, denseCost, stepShape } from './chain';
import { chainNodes } from './chainNodes';
import { chainWork } from './chainWork';
import { composed, factorsWritten, groupKernels, weightOfKernels, writtenFactor } from './kernels';

/** What a decomposition of convolutions states; {@link convCandidate} derives the rest. */
export interface ConvMethod extends Prediction {
  readonly method: MethodId;
  readonly rankNames: readonly string[];
  readonly fullRanks: Ranks;
  takes?(ranks: Ranks): string | undefined;
  /** The chain that takes the convolution's place. */
  steps(ranks: Ranks): readonly ChainStep[];
  /** The factors of one group's kernel `[out, in, …kernel]`: one `[out, in / groups, …kernel]` per convolution of the chain. */
  decompose<T extends Numbers>(
    linalg: Linalg,
    kernel: Tensor<T>,
    ranks: Ranks,
    onProgress: OnProgress,
  ): readonly Tensor<T>[];
  /** The kernel that the factors of one group stand for, where there is a shorter way than composing the chain. */
  recompose?<T extends Numbers>(linalg: Linalg, factors: readonly Tensor<T>[]): Tensor<T>;
}

/** A decomposition of one convolution: each of its groups is factored by itself. */
export function convCandidate(
  form: ConvForm,
  { steps, decompose, recompose, ...method }: ConvMethod,
): Candidate {
  return {
    ...method,
    dense: denseCost(form),
    cost: (ranks) => chainCost(form, steps(ranks)),
    work: (ranks) => chainWork(form, steps(ranks)),
    shapes: (ranks) => convSteps(steps(ranks)).map((step) => stepShape(form, step)),
    factor(linalg, weight, ranks, onProgress = () => {}) {
      const kernels = groupKernels(form, weight);
      const groups = kernels.map((kernel, g) =>
        decompose(linalg, kernel, ranks, (done) => onProgress((g + done) / kernels.length)),
      );
      return convSteps(steps(ranks)).map((step, i) =>
        writtenFactor(
          form,
          step,
          groups.map((factors) => factors[i]!),
        ),
      );
    },
    expand(linalg, factors, ranks) {
      const chain = steps(ranks);
      const groups = convSteps(chain).map((step, i) => factorsWritten(form, step, factors[i]!));
      const kernels = Array.from({ length: form.groups }, (_, g) => {
        const own = groups.map((group) => group[g]!);
        return recompose ? recompose(linalg, own) : composed(linalg, form, chain, own);
      });
      return weightOfKernels(form, kernels);
    },
    nodes: (node, weights, ranks, context) => chainNodes(form, node, steps(ranks), weights, context),
  };
}
