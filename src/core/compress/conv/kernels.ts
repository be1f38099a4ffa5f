import type { Linalg } from '../../tensor/linalg';
import { matrix, type Numbers, zerosLike } from '../../tensor/matrix';
import { permuteAxes } from '../../tensor/permute';
import { type Tensor, tensor } from '../../tensor/tensor';
import type { ConvForm } from '../layer';
import { product } from '../method';
import { type ChainStep, type ConvStep, isTransposedStep, stepKernel, stepShape } from './chain';

/**
 * The weight of each group as a tensor `[out, in, …kernel]`, whichever way the convolution goes. A transposed
 * convolution is separated like a plain one: only the order of its two channel axes in the file differs.
 */
export function groupKernels<T extends Numbers>(form: ConvForm, weight: T): readonly Tensor<T>[] {
  const { groups, groupChannels, outChannels, kernel, isTransposed } = form;
  const out = outChannels / groups;
  const size = out * groupChannels * product(kernel);
  return Array.from({ length: groups }, (_, g) => {
    const block = weight.subarray(g * size, (g + 1) * size) as T;
    const dims = [out, groupChannels, ...kernel];
    return tensor(dims, isTransposed ? swapChannels(block, [groupChannels, out, ...kernel]) : block);
  });
}

/** The weight whose groups these are: the inverse of {@link groupKernels}. */
export function weightOfKernels<T extends Numbers>(form: ConvForm, kernels: readonly Tensor<T>[]): T {
  const parts = kernels.map(({ dims, data }) => (form.isTransposed ? swapChannels(data, dims) : data));
  return joined(parts);
}

/** Factors of a step, `[out, in / groups, …kernel]`, one per group of the original, as they are written. */
export function writtenFactor<T extends Numbers>(
  form: ConvForm,
  step: ConvStep,
  factors: readonly Tensor<T>[],
): T {
  if (!isTransposedStep(form, step)) return joined(factors.map(({ data }) => data));
  const { groups } = step;
  const dims = [groups, step.out / groups, step.in / groups, product(stepKernel(form, step))];
  return joined(factors.map(({ data }) => permuteAxes(data, dims, [0, 2, 1, 3])));
}

/** The factors of a step, one per group of the original, from what is written: the inverse of {@link writtenFactor}. */
export function factorsWritten<T extends Numbers>(
  form: ConvForm,
  step: ConvStep,
  written: T,
): readonly Tensor<T>[] {
  const { groups } = step;
  const kernel = stepKernel(form, step);
  const size = product(stepShape(form, step)) / form.groups;
  const dims = [step.out, step.in / groups, ...kernel];
  const transposed = [groups, step.in / groups, step.out / groups, product(kernel)];
  return Array.from({ length: form.groups }, (_, g) => {
    const block = written.subarray(g * size, (g + 1) * size) as T;
    return tensor(dims, isTransposedStep(form, step) ? permuteAxes(block, transposed, [0, 2, 1, 3]) : block);
  });
}

/** The kernel `[out, in, …kernel]` that a chain of convolutions amounts to; no two of them act on the same axis. */
export function composed<T extends Numbers>(
  linalg: Linalg,
  form: ConvForm,
  steps: readonly ChainStep[],
  factors: readonly Tensor<T>[],
): Tensor<T> {
  let state: Tensor<T> | undefined;
  let parts = 1;
  let at = 0;
  for (const step of steps) {
    if (step.kind === 'split') parts = step.parts;
    if (step.kind === 'join') parts = 1;
    if (step.kind !== 'conv') continue;
    const factor = factors[at++]!;
    if (state === undefined && parts * step.groups === 1) {
      state = factor;
    } else {
      // What enters the chain is each channel by itself: the identity.
      state ??= identity(factor.data, step.in * parts, form.kernel.length);
      state = applied(linalg, step, parts, factor, state);
    }
  }
  return state!;
}

/** A step behind what came before: `[out, in, …]` of the two together. */
function applied<T extends Numbers>(
  linalg: Linalg,
  { groups, in: from, out: to }: ConvStep,
  parts: number,
  factor: Tensor<T>,
  state: Tensor<T>,
): Tensor<T> {
  const [, channels = 0, ...before] = state.dims;
  const kernel = factor.dims.slice(2);
  const [groupIn, groupOut] = [from / groups, to / groups];
  const [extent, width] = [product(kernel), channels * product(before)];
  // Rows (out, kernel), so that one product per group does all positions of the kernel.
  const rows = permuteAxes(factor.data, [to, groupIn, extent], [0, 2, 1]);
  const blocks = Array.from({ length: parts * groups }, (_, block) => {
    const group = block % groups;
    const size = groupOut * extent * groupIn;
    const left = matrix(groupOut * extent, groupIn, rows.subarray(group * size, (group + 1) * size) as T);
    const inputs = state.data.subarray(block * groupIn * width, (block + 1) * groupIn * width) as T;
    return linalg.multiply(left, matrix(groupIn, width, inputs)).data;
  });
  // (out, new kernel axes, in, old kernel axes) to (out, in, axis by axis): of each pair one extent is 1.
  const order = kernel.length;
  const axes = kernel.flatMap((_, i) => [1 + i, 2 + order + i]);
  const data = permuteAxes(
    joined(blocks),
    [parts * to, ...kernel, channels, ...before],
    [0, 1 + order, ...axes],
  );
  return tensor([parts * to, channels, ...kernel.map((k, i) => k * before[i]!)], data);
}

function identity<T extends Numbers>(like: T, channels: number, order: number): Tensor<T> {
  const data = zerosLike(like, channels * channels);
  for (let i = 0; i < channels; i++) data[i * (channels + 1)] = 1;
  return tensor([channels, channels, ...new Array<number>(order).fill(1)], data);
}

/** Swaps the first two axes. */
function swapChannels<T extends Numbers>(data: T, [first = 1, second = 1, ...rest]: readonly number[]): T {
  return permuteAxes(data, [first, second, product(rest)], [1, 0, 2]);
}

function joined<T extends Numbers>(parts: readonly T[]): T {
  const [only] = parts;
  if (parts.length === 1) return only!;
  const out = zerosLike(
    only!,
    parts.reduce((sum, part) => sum + part.length, 0),
  );
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}
