import type { Tensor } from '../../tensor/tensor';
import type { ConvStep } from '../conv/chain';
import { writtenFactor } from '../conv/kernels';
import type { ConvForm } from '../layer';

/** The factors of all groups, each `[out, in, …kernel]` and one per step of the chain, as they are written. */
export function writeGroups(
  form: ConvForm,
  steps: readonly ConvStep[],
  groups: readonly (readonly Tensor<Float64Array>[])[],
): readonly Float64Array[] {
  return steps.map((step, i) =>
    writtenFactor(
      form,
      step,
      groups.map((factors) => factors[i]!),
    ),
  );
}
