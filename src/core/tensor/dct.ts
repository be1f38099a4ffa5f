import type { Linalg } from './linalg';
import { type Matrix, matrix, type Numbers, zerosLike } from './matrix';
import { type Tensor, tensor } from './tensor';

/**
 * The discrete cosine basis (type II) of a kernel of these dimensions, any number of axes: ∏ kernel atoms × ∏ kernel
 * positions, orthonormal rows, each a product of cosines along the axes, positions row-major. Atoms go from low to
 * high frequency: by Σ (uᵢ / nᵢ)² where atom u has uᵢ half-waves along axis i of length nᵢ; equal ones by u, first axis
 * first. Atom 0 is the constant one. No unit, exact up to rounding.
 *
 * It is the fixed spatial basis of decomposed convolutional filters (Qiu, Cheng, Calderbank & Sapiro 2018, "DCFNet"; they
 * use Fourier–Bessel functions, which fit a disc where the cosines fit the kernel's rectangle).
 */
export function dctBasis(kernel: readonly number[]): Matrix<Float64Array> {
  let atoms: { readonly frequency: number; readonly values: readonly number[] }[] = [
    { frequency: 0, values: [1] },
  ];
  for (const n of kernel) {
    const waves = Array.from({ length: n }, (_, u) => ({
      frequency: (u / n) ** 2,
      values: Array.from({ length: n }, (_, i) => cosine(n, u, i)),
    }));
    atoms = atoms.flatMap((atom) =>
      waves.map((wave) => ({
        frequency: atom.frequency + wave.frequency,
        values: atom.values.flatMap((a) => wave.values.map((b) => a * b)),
      })),
    );
  }
  // Sums of the same squares in another order differ by rounding only: that is no difference of frequency.
  atoms.sort((a, b) => (Math.abs(a.frequency - b.frequency) < 1e-9 ? 0 : a.frequency - b.frequency));
  return matrix(atoms.length, atoms.length, Float64Array.from(atoms.flatMap(({ values }) => values)));
}

/** Element i of the unit vector with u half-waves over n positions. */
function cosine(n: number, u: number, i: number): number {
  return Math.sqrt((u === 0 ? 1 : 2) / n) * Math.cos((Math.PI * u * (2 * i + 1)) / (2 * n));
}

/**
 * The energy ‖X ×ₖ atom‖² that each atom of {@link dctBasis} holds of `x` [S, C, ...kernel]: one number an atom, in
 * squares of x's unit, sums in double precision. They add up to ‖X‖² (Parseval). Throws LinalgError 'not-finite'.
 */
export function atomEnergies(linalg: Linalg, x: Tensor): Float64Array {
  const basis = dctBasis(x.dims.slice(2));
  // ‖X · dᵀ‖² = d · (Xᵀ · X) · dᵀ: one pass over X for all atoms.
  const gram = linalg.gram(filters(x, basis.cols), undefined, { transposeFirst: true });
  const image = linalg.multiply(basis, gram);
  return Float64Array.from({ length: basis.rows }, (_, atom) => {
    let sum = 0;
    for (let i = atom * basis.cols; i < (atom + 1) * basis.cols; i++) sum += basis.data[i]! * image.data[i]!;
    return Math.max(0, sum);
  });
}

/**
 * ‖X − X̂‖ / ‖X‖ of the expansion in these atoms alone, which is what the others hold, given all
 * {@link atomEnergies}; 0 for a zero tensor.
 */
export function errorOfAtoms(energies: Float64Array, atoms: readonly number[]): number {
  const kept = new Set(atoms);
  const total = energies.reduce((sum, energy) => sum + energy, 0);
  const lost = energies.reduce((sum, energy, atom) => (kept.has(atom) ? sum : sum + energy), 0);
  return total === 0 ? 0 : Math.sqrt(lost / total);
}

/**
 * The coefficients [S, C, K] of `x` [S, C, ...kernel] in K atoms of {@link dctBasis}, in the order given and in x's
 * unit and precision: X̂[s, c, ·] = Σₖ coefficient[s, c, k] · atom[k], the nearest expansion in them, with the error
 * {@link errorOfAtoms}. Throws LinalgError 'not-finite', and a RangeError for an atom that the kernel has not.
 */
export function expandInBasis<T extends Numbers>(
  linalg: Linalg,
  x: Tensor<T>,
  atoms: readonly number[],
): Tensor<T> {
  const basis = dctBasis(x.dims.slice(2));
  const chosen = matrix(atoms.length, basis.cols, zerosLike(x.data, atoms.length * basis.cols));
  for (const [k, atom] of atoms.entries()) {
    if (!(atom in basis.data) || atom >= basis.rows) {
      throw new RangeError(`The kernel ${x.dims.slice(2).join(' × ')} has no atom ${atom}.`);
    }
    chosen.data.set(basis.data.subarray(atom * basis.cols, (atom + 1) * basis.cols), k * basis.cols);
  }
  const coefficients = linalg.multiply(filters(x, basis.cols), chosen, { transposeB: true });
  return tensor([x.dims[0]!, x.dims[1]!, atoms.length], coefficients.data);
}

/** One row for each of the S · C filters. */
function filters<T extends Numbers>({ dims, data }: Tensor<T>, positions: number): Matrix<T> {
  return matrix(dims[0]! * dims[1]!, positions, data);
}
