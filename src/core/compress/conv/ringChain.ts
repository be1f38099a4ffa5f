import type { Numbers } from '../../tensor/matrix';
import { permuteAxes } from '../../tensor/permute';
import { type Tensor, tensor } from '../../tensor/tensor';
import type { ConvForm } from '../layer';
import type { Ranks } from '../method';
import { type ChainStep, point, spanning } from './chain';

/** The chain of a tensor ring over (in, kh, kw, out); a ring bound by r₀ = 1 is a train. The slices of r₀ stand in the batch. */
export function ringChain(form: ConvForm, [r0 = 1, r1 = 0, r2 = 0, r3 = 0]: Ranks): readonly ChainStep[] {
  const out = form.outChannels / form.groups;
  const between = [spanning(form, r1, r2, { axis: 0 }), spanning(form, r2, r3, { axis: 1 })];
  return [
    point(form, form.groupChannels, r0 * r1),
    ...(r0 > 1 ? [{ kind: 'split', parts: r0 } as const, ...between, { kind: 'join' } as const] : between),
    point(form, r0 * r3, out),
  ];
}

/** `[out, in, kh, kw]` as `[in, kh, kw, out]`. */
export function inRingOrder<T extends Numbers>({ dims, data }: Tensor<T>): Tensor<T> {
  const order = [1, 2, 3, 0];
  return tensor(
    order.map((axis) => dims[axis]!),
    permuteAxes(data, dims, order),
  );
}

/** Cores `[rᵢ, n, rᵢ₊₁]` of (in, kh, kw, out) as the weights of the chain. */
export function ringFactors<T extends Numbers>(
  [r0 = 1, r1 = 0, r2 = 0, r3 = 0]: Ranks,
  cores: readonly Tensor<T>[],
): readonly Tensor<T>[] {
  const [first, vertical, horizontal, last] = cores as readonly [Tensor<T>, Tensor<T>, Tensor<T>, Tensor<T>];
  const permuted = ({ dims, data }: Tensor<T>, order: readonly number[]) => permuteAxes(data, dims, order);
  return [
    tensor([r0 * r1, first.dims[1]!, 1, 1], permuted(first, [0, 2, 1])),
    tensor([r2, r1, vertical.dims[1]!, 1], permuted(vertical, [2, 0, 1])),
    tensor([r3, r2, 1, horizontal.dims[1]!], permuted(horizontal, [2, 0, 1])),
    tensor([last.dims[1]!, r0 * r3, 1, 1], permuted(last, [1, 2, 0])),
  ];
}
