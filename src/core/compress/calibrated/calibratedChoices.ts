import type { Choice } from '../makePlan';
import type { Candidate, Ranks } from '../method';
import type { MeasuredMethod } from './measureLayer';
import type { CalibratedForm } from './patchWeights';
import { byTable } from './rankTable';
import { spatialAxes } from './spatialAxes';

/**
 * Methods with what the data says of their errors, in the place of what the weight alone says: all of planning takes
 * them as it takes others. Methods that were not measured are left away.
 */
export function calibratedChoices(
  form: CalibratedForm,
  candidates: readonly Candidate[],
  methods: readonly MeasuredMethod[],
): readonly Choice[] {
  return candidates.flatMap((candidate): Choice[] => {
    const own = methods.filter(({ method }) => method === candidate.method);
    const [first] = own;
    if (!first) return [];
    const { spectra, table } = first.measured;
    if (table) return [{ candidate: { ...candidate, ...byTable(table) }, known: spectra }];
    if (candidate.method !== 'spatial' || form.kind !== 'conv') return [{ candidate, known: spectra }];
    const axes = spatialAxes(form);
    const orders = own.filter(({ firstAxis }) => axes.includes(firstAxis));
    return [
      {
        candidate: bestOf(candidate, orders.length),
        known: orders.map(({ measured }) => measured.spectra[0]!),
      },
    ];
  });
}

/** The most that errors of one method are taken for larger or smaller than those of another. */
const MOST = 4;

/** A method with errors (‖y − ŷ‖², or ‖W − Ŵ‖²) that count for `factor` times as much, within bounds. */
export function scaledChoice({ candidate, known }: Choice, factor: number): Choice {
  const scale = Math.min(MOST, Math.max(1 / MOST, factor));
  return {
    known,
    candidate: {
      ...candidate,
      error: (spectra, ranks) => scale * candidate.error(spectra, ranks),
      within: (spectra, budget, price) => candidate.within(spectra, budget / scale, price),
    },
  };
}

/** A method of one rank that may be carried out in several ways, of which the best is taken: a spectrum for each. */
function bestOf(candidate: Candidate, ways: number): Candidate {
  if (ways === 1) return candidate;
  return {
    ...candidate,
    error: (known, ranks) => Math.min(...known.map((spectrum) => candidate.error([spectrum], ranks))),
    within(known, budget, price) {
      const found = known.flatMap((spectrum) => {
        const ranks = candidate.within([spectrum], budget, price);
        return ranks ? [ranks] : [];
      });
      return found.reduce<Ranks | undefined>(
        (best, ranks) => (best === undefined || ranks[0]! < best[0]! ? ranks : best),
        undefined,
      );
    },
  };
}
