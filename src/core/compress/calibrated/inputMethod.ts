import { tensor } from '../../tensor/tensor';
import { transpose } from '../../tensor/transpose';
import { point, spanning } from '../conv/chain';
import type { ConvForm } from '../layer';
import type { Spectrum } from '../spectrum';
import { balance } from './balance';
import type { CalibratedMethod } from './calibratedMethod';
import { scaledOutputs, unscaleOutputs } from './outputMetric';
import { splitPatch } from './patchSplit';
import { groupSize } from './patchWeights';
import { type SharedBasis, sharedBasis, solveFeatures } from './sharedBasis';
import { sumSpectra } from './sumSpectra';
import { writeGroups } from './writeGroups';

/**
 * `input-channel`, or with an `axis` `spatial` with that axis first, in the norm of the data: a basis of the inputs
 * that all other positions of the kernel share, then the best weights on what it makes (see `sharedBasis.ts`). The
 * error falls by the t rows of T that a rank adds: e(r) = 1 − Σ (first r · t rows of T)² / total.
 */
export function inputMethod(form: ConvForm, axis?: 0 | 1): CalibratedMethod {
  const split = splitPatch(form, axis);
  const { outputs } = groupSize(form);
  const full = Math.min(split.g, outputs * split.t);
  const along = (isFirst: boolean) => form.kernel.map((extent, i) => ((i === axis) === isFirst ? extent : 1));
  return {
    measure(linalg, regressions, onProgress = () => {}) {
      const spectra = regressions.map((regression, i) => {
        const report = (done: number) => onProgress((i + done) / regressions.length);
        const scaled = scaledOutputs(regression);
        return inputSpectrum(sharedBasis(linalg, scaled, split, full, report), full, scaled.total);
      });
      return { spectra: [sumSpectra(spectra)] };
    },
    factor(linalg, regressions, [rank = 0], onProgress = () => {}) {
      const groups = regressions.map((regression, i) => {
        const report = (done: number) => onProgress((i + done) / regressions.length);
        const shared = sharedBasis(linalg, scaledOutputs(regression), split, rank, report);
        const { basis } = shared;
        const weights = unscaleOutputs(linalg, regression, solveFeatures(linalg, shared, shared.targets));
        balance(basis.data, weights.data, rank);
        return [
          tensor([rank, form.groupChannels, ...along(true)], basis.data),
          tensor([outputs, rank, ...along(false)], transpose(weights).data),
        ];
      });
      const steps =
        axis === undefined
          ? [point(form, form.groupChannels, rank), spanning(form, rank, outputs)]
          : [
              spanning(form, form.groupChannels, rank, { axis }),
              spanning(form, rank, outputs, { axis: 1 - axis }),
            ];
      return writeGroups(form, steps, groups);
    },
  };
}

/** What each rank of the inputs' basis explains of one group. */
export function inputSpectrum({ targets }: SharedBasis, rank: number, total: number): Spectrum {
  const energies = new Float64Array(rank);
  const perRank = targets.data.length / rank;
  for (let at = 0; at < targets.data.length; at++) {
    const k = Math.floor(at / perRank);
    energies[k] = energies[k]! + targets.data[at]! ** 2;
  }
  return { energies, total };
}
