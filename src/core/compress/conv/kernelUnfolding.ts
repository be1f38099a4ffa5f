import type { ConvForm } from '../layer';
import type { Unfolding } from '../unfolding';

/** An axis of a convolution's kernel: its output channels, its input channels of one group, or a spatial axis. */
export type KernelAxis = 'out' | 'in' | number;

/** A convolution weight with these axes of each group's kernel as rows and all others as columns. */
export function kernelUnfolding(
  { groups, groupChannels, outChannels, kernel, isTransposed }: ConvForm,
  rows: readonly KernelAxis[],
): Unfolding {
  const out = outChannels / groups;
  const axisOf = (axis: KernelAxis) => {
    if (typeof axis === 'number') return 3 + axis;
    return (axis === 'out') === isTransposed ? 2 : 1;
  };
  const all: readonly KernelAxis[] = ['out', 'in', ...kernel.keys()];
  const cols = all.filter((axis) => !rows.includes(axis));
  return {
    dims: [groups, ...(isTransposed ? [groupChannels, out] : [out, groupChannels]), ...kernel],
    permutation: [0, ...rows.map(axisOf), ...cols.map(axisOf)],
    batchAxes: 1,
    rowAxes: rows.length,
  };
}
