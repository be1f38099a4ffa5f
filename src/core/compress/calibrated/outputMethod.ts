import type { Linalg } from '../../tensor/linalg';
import { tensor } from '../../tensor/tensor';
import { transpose } from '../../tensor/transpose';
import { point, spanning } from '../conv/chain';
import type { Spectrum } from '../spectrum';
import { balance } from './balance';
import type { CalibratedMethod } from './calibratedMethod';
import { principal } from './explained';
import { scaledOutputs, unscaleOutputs } from './outputMetric';
import { type CalibratedForm, groupSize } from './patchWeights';
import type { Regression } from './regression';
import { sumSpectra } from './sumSpectra';
import { writeGroups } from './writeGroups';

/**
 * `svd` and `channel` in the norm of the data: reduced-rank regression (Izenman 1975, theorem 1), the best there is at
 * its rank. With U the leading eigenvectors of (R + λW)(Σ + λI)⁻¹(R + λW)ᵀ, Ŵ = U · Uᵀ W*, and the error falls by an
 * eigenvalue with each rank. Where y = W · p + b these are the principal components of the outputs (Zhang et al. 2015,
 * §3.1; Masana et al. 2017); else the solution of the asymmetric problem (Zhang et al. 2015, §3.3).
 */
export function outputMethod(form: CalibratedForm): CalibratedMethod {
  return {
    measure(linalg, regressions, onProgress = () => {}) {
      const spectra = regressions.map((regression, i) => {
        const spectrum = outputSpectrum(linalg, scaledOutputs(regression));
        onProgress((i + 1) / regressions.length);
        return spectrum;
      });
      return { spectra: [sumSpectra(spectra)] };
    },
    factor(linalg, regressions, [rank = 0], onProgress = () => {}) {
      const { outputs, inputs } = groupSize(form);
      const groups = regressions.map((regression, i) => {
        const { explained, best } = scaledOutputs(regression);
        const directions = principal(linalg, explained, rank).vectors;
        const first = linalg.multiply(directions, best);
        const vectors = unscaleOutputs(linalg, regression, directions);
        balance(first.data, vectors.data, rank);
        onProgress((i + 1) / regressions.length);
        return { first, last: transpose(vectors) };
      });
      if (form.kind === 'conv') {
        const steps = [spanning(form, form.groupChannels, rank), point(form, rank, outputs)];
        return writeGroups(
          form,
          steps,
          groups.map(({ first, last }) => [
            tensor([rank, form.groupChannels, ...form.kernel], first.data),
            tensor([outputs, rank, ...form.kernel.map(() => 1)], last.data),
          ]),
        );
      }
      // W · x takes the factors as they are, x · W their transposes.
      const isRight = form.side === 'right';
      return (['first', 'last'] as const).map((which) => {
        const written = new Float64Array(groups.length * rank * (which === 'first' ? inputs : outputs));
        groups.forEach((group, i) => {
          const { data } = isRight ? transpose(group[which]) : group[which];
          written.set(data, i * data.length);
        });
        return written;
      });
    },
  };
}

/** What each rank of the outputs' subspace explains of one group. */
export function outputSpectrum(linalg: Linalg, { explained, best, total }: Regression): Spectrum {
  const { values } = principal(linalg, explained, 0);
  const energies = values.slice(0, Math.min(best.rows, best.cols)).map((value) => Math.max(0, value));
  return { energies, total };
}
