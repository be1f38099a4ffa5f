import { type Matrix, matrix, type Numbers, zerosLike } from '../../tensor/matrix';
import { tensor } from '../../tensor/tensor';
import { transpose } from '../../tensor/transpose';
import { groupKernels, weightOfKernels } from '../conv/kernels';
import type { ConvForm, MatMulForm } from '../layer';
import { product } from '../method';
import { matricesOf } from '../unfolding';

/** The layers that calibration data says something about: those that multiply. */
export type CalibratedForm = ConvForm | MatMulForm;

/** How many separate problems a layer is: groups of a convolution, matrices of a batch. */
export function groupCount(form: CalibratedForm): number {
  return form.kind === 'conv' ? form.groups : product(form.lead);
}

/** Sizes of one group's problem: outputs S, and the length d of an input. */
export function groupSize(form: CalibratedForm): { readonly outputs: number; readonly inputs: number } {
  return form.kind === 'conv'
    ? { outputs: form.outChannels / form.groups, inputs: form.groupChannels * product(form.kernel) }
    : { outputs: form.outer, inputs: form.inner };
}

/**
 * A layer's weight as the matrices W of y = W · p, S × d, one per group, in double. For a convolution p is the patch
 * `[in, …kernel]`; for a transposed one, likewise, the inputs that reach an output position, zero where the stride
 * leaves gaps.
 */
export function patchWeights(form: CalibratedForm, weight: Numbers): readonly Matrix<Float64Array>[] {
  const { outputs, inputs } = groupSize(form);
  if (form.kind === 'conv')
    return groupKernels(form, weight).map(({ data }) => matrix(outputs, inputs, Float64Array.from(data)));
  return matricesOf(weight, {
    dims: [groupCount(form), ...(isOutputFirst(form) ? [outputs, inputs] : [inputs, outputs])],
    permutation: isOutputFirst(form) ? [0, 1, 2] : [0, 2, 1],
    batchAxes: 1,
    rowAxes: 1,
  }).map(({ rows, cols, data }) => matrix(rows, cols, Float64Array.from(data)));
}

/** The weight as the layer holds it, in the precision of `like`: the inverse of {@link patchWeights}. */
export function weightOfPatches<T extends Numbers>(
  form: CalibratedForm,
  matrices: readonly Matrix<Float64Array>[],
  like: T,
): T {
  const inPrecision = (data: Float64Array) => {
    const out = zerosLike(like, data.length);
    out.set(data);
    return out;
  };
  if (form.kind === 'conv') {
    const { outputs } = groupSize(form);
    const dims = [outputs, form.groupChannels, ...form.kernel];
    return weightOfKernels(
      form,
      matrices.map(({ data }) => tensor(dims, inPrecision(data))),
    );
  }
  const { outputs, inputs } = groupSize(form);
  const out = zerosLike(like, matrices.length * outputs * inputs);
  matrices.forEach((w, i) => {
    out.set((isOutputFirst(form) ? w : transpose(w)).data, i * outputs * inputs);
  });
  return out;
}

/** Whether a matrix is stored S × d: W · x as it is, x · W where the file holds Wᵀ. */
function isOutputFirst({ side, isTransposed }: MatMulForm): boolean {
  return (side === 'left') !== isTransposed;
}
