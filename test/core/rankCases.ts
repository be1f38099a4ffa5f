import { candidateOf } from '../../src/core/compress/candidates';
import type { Form } from '../../src/core/compress/layer';
import { type Candidate, METHOD_IDS } from '../../src/core/compress/method';
import type { Spectrum } from '../../src/core/compress/spectrum';
import { unfoldedSize } from '../../src/core/compress/unfolding';

/** A convolution of an input of `size` × 1.5 `size` positions. */
export function convForm(
  outChannels: number,
  groupChannels: number,
  kernel: readonly number[],
  { size = 8, stride = 1, groups = 1, isTransposed = false } = {},
): Form {
  const inputSize = [size, 1.5 * size].slice(0, kernel.length);
  const outputSize = inputSize.map((n) => (isTransposed ? n * stride : Math.ceil(n / stride)));
  const calls = [{ batch: 2, inputSize, outputSize }];
  return { kind: 'conv', isTransposed, outChannels, groupChannels, groups, kernel, calls };
}

export function matrixForm(inner: number, outer: number): Form {
  const more = { lead: [], vectors: 3, isTransposed: false, isFused: false, inputOrder: 2 };
  return { kind: 'matmul', side: 'right', inner, outer, ...more };
}

/** Layers of all kinds, narrow and wide, with strides and groups. */
export const FORMS: Readonly<Record<string, Form>> = {
  'matrix 7 x 5': matrixForm(7, 5),
  'matrix 96 x 160': matrixForm(96, 160),
  embedding: { kind: 'embedding', count: 300, width: 40, lookups: 6 },
  'conv 3': convForm(24, 16, [3, 3]),
  'conv 3, stride 2': convForm(48, 40, [3, 3], { stride: 2 }),
  'conv 5, stride 4': convForm(20, 33, [5, 5], { stride: 4, size: 16 }),
  'conv 1 x 7, stride 2': convForm(32, 32, [1, 7], { stride: 2 }),
  'conv 1': convForm(64, 80, [1, 1]),
  'conv 1, stride 2': convForm(64, 80, [1, 1], { stride: 2 }),
  'conv in 4 groups': convForm(64, 8, [3, 3], { groups: 4, stride: 2 }),
  'conv along one axis': convForm(40, 32, [5], { stride: 2 }),
  'transposed, stride 2': convForm(24, 48, [4, 4], { stride: 2, isTransposed: true }),
  'wide conv': convForm(128, 96, [3, 3], { stride: 2 }),
  'one channel': convForm(32, 1, [3, 3]),
};

/** Every method on every one of these layers that it fits. */
export function allCandidates(): readonly { readonly name: string; readonly candidate: Candidate }[] {
  return Object.entries(FORMS).flatMap(([name, form]) =>
    METHOD_IDS.flatMap((method) => {
      const candidate = candidateOf(form, method);
      return typeof candidate === 'string' ? [] : [{ name: `${name}, ${method}`, candidate }];
    }),
  );
}

/** Spectra of all series of a candidate whose energies fall by `ratio` from step to step. */
export function decayingSpectra(
  { series, method, fullRanks }: Candidate,
  ratio: number,
): readonly Spectrum[] {
  return series.map(({ unfolding }) => {
    const size = unfolding && unfoldedSize(unfolding);
    // Atoms; or more steps than any method has settings to try.
    const length = size ? Math.min(size.rows, size.cols) : method === 'dcf' ? fullRanks[0]! : 32;
    const energies = Float64Array.from({ length }, (_, k) => ratio ** k);
    return { energies, total: energies.reduce((sum, e) => sum + e, 0) };
  });
}
