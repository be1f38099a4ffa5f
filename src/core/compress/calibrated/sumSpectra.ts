import type { Spectrum } from '../spectrum';

/** The spectrum of groups that all take the same rank. */
export function sumSpectra(spectra: readonly Spectrum[]): Spectrum {
  const [first, ...rest] = spectra;
  const energies = first!.energies.slice();
  for (const other of rest)
    for (let k = 0; k < energies.length; k++) energies[k] = energies[k]! + other.energies[k]!;
  return { energies, total: spectra.reduce((sum, { total }) => sum + total, 0) };
}
