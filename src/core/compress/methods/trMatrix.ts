import { tensorRing } from '../../tensor/tensorRing';
import { sumOfSquares } from '../../tensor/tensorScale';
import type { MatMulForm } from '../layer';
import type { Candidate, Ranks, Series } from '../method';
import { byTrial } from '../prediction';
import type { Spectrum } from '../spectrum';
import { RING_RANKS, refuseTrain } from '../trial';
import { asTensor, matrixRing, pairSizes, parametersOf, type RingModes } from './matrixRing';

/** The same as a tensor ring (Wang et al. 2018, §3.1): the last core is bound to the first by r₀. */
export function trMatrix(form: MatMulForm, modes: RingModes): Candidate {
  const sizes = pairSizes(modes);
  const uniform = (rank: number): Ranks => sizes.map(() => rank);
  const settings = RING_RANKS.map(uniform).filter(
    (ranks) => parametersOf(modes, ranks) < form.inner * form.outer,
  );
  const size = form.inner * form.outer;
  const series: Series = {
    key: `tr:${settings.map((ranks) => ranks.join('x')).join()}`,
    work: settings.reduce((sum, ranks) => sum + 60 * size * ranks[0]! * ranks[1]!, 0),
    measure(linalg, weight, onProgress): Spectrum {
      const x = asTensor(form, modes, weight);
      const total = sumOfSquares(weight);
      let remaining = total;
      const energies = Float64Array.from(settings, (ranks, i) => {
        const report = (done: number) => onProgress((i + done) / settings.length);
        const error = total * tensorRing(linalg, x, ranks, { onProgress: report }).error ** 2;
        const gain = Math.max(0, remaining - error);
        remaining -= gain;
        return gain;
      });
      return { energies, total };
    },
  };
  return matrixRing(form, modes, 'tr', {
    rankNames: sizes.map((_, i) => `r${i}`),
    fullRanks: uniform(Math.max(1, ...settings.map(([rank = 1]) => rank))),
    ...byTrial(
      series,
      settings,
      (ranks) => parametersOf(modes, ranks),
      uniform(Number.POSITIVE_INFINITY),
      (rank) => [uniform(rank)],
    ),
    takes: refuseTrain,
    bonds: (ranks) => ranks,
    decompose: (linalg, x, ranks, onProgress) => tensorRing(linalg, x, ranks, { onProgress }).cores,
  });
}
