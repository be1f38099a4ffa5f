import { denseSteps } from '../conv/chain';
import { chainWork } from '../conv/chainWork';
import type { Pick } from '../makePlan';
import type { Ranks } from '../method';
import { countsChannels, LARGEST_BLOCK } from '../ranks/rankMultiple';
import type { CostMeasure } from './measure';

/** Multiply-adds in the time that it takes to fetch a weight, where it is used once or a few times. */
const PER_WEIGHT = 6;

/** The same for a node, however small: its call, and its result that goes through memory. */
const PER_NODE = 120_000;

/**
 * How long a runtime on a processor takes for a layer, without measuring it, in multiply-adds: those that kernels have time for
 * ({@link chainWork}; of matrices those of whole blocks), what it takes to fetch the weights, and something for each node, two
 * for one that ends within a block, as its result has to be brought into another order. Good for telling settings of like loss
 * apart, not for how many milliseconds it will be. The constants are of ONNX Runtime's kernels for AVX-512, one thread.
 */
export const workMeasure: CostMeasure = ({ form }, cost, pick) => {
  if (cost.macs === null) return null;
  const { parameters, macs } = pick ? pick.choice.candidate.cost(filledRanks(pick)) : cost;
  if (!pick) {
    const work = form.kind === 'conv' ? chainWork(form, denseSteps(form)) : macs;
    return work! + PER_WEIGHT * parameters + PER_NODE;
  }
  const { candidate } = pick.choice;
  const filled = filledRanks(pick);
  const broken = pick.ranks.filter((rank, i) => rank !== filled[i]).length;
  const nodes = candidate.shapes(filled).length + broken;
  return (candidate.work?.(filled) ?? macs!) + PER_WEIGHT * parameters + PER_NODE * nodes;
};

/** Ranks as kernels compute them: whole blocks. */
function filledRanks({ choice: { candidate }, ranks }: Pick): Ranks {
  if (!countsChannels(candidate)) return ranks;
  return ranks.map((rank, i) =>
    Math.min(candidate.fullRanks[i]!, Math.ceil(rank / LARGEST_BLOCK) * LARGEST_BLOCK),
  );
}
