import type { Linalg } from '../../tensor/linalg';
import { tensor } from '../../tensor/tensor';
import { transpose } from '../../tensor/transpose';
import { point, spanning } from '../conv/chain';
import type { ConvForm } from '../layer';
import { balance } from './balance';
import type { CalibratedMethod } from './calibratedMethod';
import { principal } from './explained';
import { inputSpectrum } from './inputMethod';
import { outputSpectrum } from './outputMethod';
import { scaledOutputs, unscaleOutputs } from './outputMetric';
import { splitPatch } from './patchSplit';
import { groupSize } from './patchWeights';
import { type RankTable, sumTables } from './rankTable';
import type { Regression } from './regression';
import { type SharedBasis, sharedBasis, solveFeatures } from './sharedBasis';
import { sumSpectra } from './sumSpectra';
import { writeGroups } from './writeGroups';

/**
 * `tucker2` (Kim et al. 2016, §3.1) in the norm of the data: the shared basis of `input-channel`, then a reduced-rank
 * regression (Izenman 1975, theorem 1) of the outputs on the features it makes, so that of the two ranks the second is
 * the best for the first. The predicted error is that of outputs projected on their subspace of all features, for all
 * pairs of ranks at once; what `factor` gives, with a subspace for the features kept, is never above it.
 */
export function tuckerMethod(form: ConvForm): CalibratedMethod {
  const { groupChannels, kernel } = form;
  const split = splitPatch(form);
  const { outputs } = groupSize(form);
  const ones = kernel.map(() => 1);
  const full = Math.min(groupChannels, outputs * split.t);
  return {
    measure(linalg, regressions, onProgress = () => {}) {
      const groups = regressions.map((regression, i) => {
        const report = (done: number) => onProgress((i + done) / regressions.length);
        const scaled = scaledOutputs(regression);
        const shared = sharedBasis(linalg, scaled, split, full, report);
        return {
          ofInputs: inputSpectrum(shared, full, scaled.total),
          ofOutputs: outputSpectrum(linalg, scaled),
          table: tableOf(linalg, scaled, shared),
        };
      });
      const ofOutputs = sumSpectra(groups.map((group) => group.ofOutputs));
      // What all ranks leave is left once, not by either of them.
      const total = ofOutputs.energies.reduce((sum, energy) => sum + energy, 0);
      return {
        spectra: [sumSpectra(groups.map((group) => group.ofInputs)), { ...ofOutputs, total }],
        table: sumTables(groups.map((group) => group.table)),
      };
    },
    factor(linalg, regressions, [r1 = 0, r2 = 0], onProgress = () => {}) {
      const groups = regressions.map((regression, i) => {
        const report = (done: number) => onProgress((i + done) / regressions.length);
        const shared = sharedBasis(linalg, scaledOutputs(regression), split, r1, report);
        const { basis, targets } = shared;
        const scatter = linalg.gram(targets, undefined, { transposeFirst: true });
        const directions = linalg.eigh(scatter, r2).vectors;
        const projected = linalg.multiply(targets, directions, { transposeB: true });
        const weights = solveFeatures(linalg, shared, projected);
        const vectors = unscaleOutputs(linalg, regression, directions);
        balance(basis.data, weights.data, r1);
        const core = transpose(weights);
        balance(core.data, vectors.data, r2);
        return [
          tensor([r1, groupChannels, ...ones], basis.data),
          tensor([r2, r1, ...kernel], core.data),
          tensor([outputs, r2, ...ones], transpose(vectors).data),
        ];
      });
      const steps = [point(form, groupChannels, r1), spanning(form, r1, r2), point(form, r2, outputs)];
      return writeGroups(form, steps, groups);
    },
  };
}

/** The error where the first r₁ · t features give the first r₂ principal directions of all that can be explained. */
function tableOf(
  linalg: Linalg,
  { explained, best, total }: Regression,
  { basis, targets }: SharedBasis,
): RankTable {
  const first = basis.rows;
  const second = Math.min(best.rows, best.cols);
  const { vectors } = principal(linalg, explained, second);
  const { data } = linalg.multiply(targets, vectors, { transposeB: true });
  const width = second + 1;
  const t = targets.rows / first;
  const errors = new Float64Array((first + 1) * width).fill(total, 0, width);
  for (let r1 = 1; r1 <= first; r1++) {
    let gained = 0;
    errors[r1 * width] = total;
    for (let r2 = 1; r2 <= second; r2++) {
      for (let row = (r1 - 1) * t; row < r1 * t; row++) gained += data[row * second + r2 - 1]! ** 2;
      errors[r1 * width + r2] = Math.max(0, errors[(r1 - 1) * width + r2]! - gained);
    }
  }
  return { first, second, errors };
}
