import { atomEnergies, dctBasis, expandInBasis } from '../../tensor/dct';
import { matrix, zerosLike } from '../../tensor/matrix';
import { tensor } from '../../tensor/tensor';
import { point, spanning } from '../conv/chain';
import { convCandidate } from '../conv/convCandidate';
import { groupKernels } from '../conv/kernels';
import type { ConvForm } from '../layer';
import { type Candidate, product, type Series } from '../method';
import { byTails } from '../prediction';

/**
 * Decomposed convolutional filters (Qiu et al. 2018, §3): every channel is convolved with the same K fixed atoms, then
 * a 1 × 1 convolution mixes channels and atoms: K · k² + S · C · K parameters. The atoms are those of the cosine basis
 * that hold most of the weight; as the basis is orthonormal, the error is what the others hold. The channels stand
 * in the batch while they meet the atoms, so that one filter bank serves them all.
 */
export function dcf(form: ConvForm): Candidate {
  const { groupChannels: channels, outChannels: out, kernel } = form;
  const extent = product(kernel);
  const series: Series = {
    key: `dct:${kernel.join('x')}`,
    work: channels * out * extent * extent,
    measure(linalg, weight) {
      const [whole] = groupKernels(form, weight);
      const energies = atomEnergies(linalg, whole!).sort().reverse();
      return { energies, total: energies.reduce((sum, e) => sum + e, 0) };
    },
  };
  return convCandidate(form, {
    method: 'dcf',
    rankNames: ['atoms'],
    fullRanks: [extent],
    ...byTails([series], [extent]),
    steps: ([atoms = 0]) => [
      { kind: 'split', parts: channels },
      spanning(form, 1, atoms),
      { kind: 'join' },
      point(form, channels * atoms, out),
    ],
    decompose(linalg, kernelTensor, [count = 0]) {
      const energies = atomEnergies(linalg, kernelTensor);
      const atoms = [...energies.keys()].sort((a, b) => energies[b]! - energies[a]! || a - b).slice(0, count);
      const basis = dctBasis(kernel).data;
      const filters = zerosLike(kernelTensor.data, count * extent);
      for (const [k, atom] of atoms.entries()) {
        filters.set(basis.subarray(atom * extent, (atom + 1) * extent), k * extent);
      }
      const { data } = expandInBasis(linalg, kernelTensor, atoms);
      return [
        tensor([count, 1, ...kernel], filters),
        tensor([out, channels * count, ...kernel.map(() => 1)], data),
      ];
    },
    recompose(linalg, [filters, mixing]) {
      const count = filters!.dims[0]!;
      const coefficients = matrix(out * channels, count, mixing!.data);
      const { data } = linalg.multiply(coefficients, matrix(count, extent, filters!.data));
      return tensor([out, channels, ...kernel], data);
    },
  });
}
