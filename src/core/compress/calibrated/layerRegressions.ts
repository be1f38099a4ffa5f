import type { Linalg } from '../../tensor/linalg';
import type { Numbers } from '../../tensor/matrix';
import type { Moments, Unusable } from './moments';
import type { OutputMetric } from './outputMetric';
import { type CalibratedForm, groupCount, patchWeights } from './patchWeights';
import { type Regression, type RegressionOptions, regress } from './regression';

/** The regressions of a layer, one per group. */
export interface LayerRegressions {
  readonly kind: 'regressions';
  readonly form: CalibratedForm;
  readonly groups: readonly Regression[];
}

/**
 * The regressions of a layer from the moments of its groups, or why its weight has to be factored without them: one
 * group without usable moments is enough. `weight` is the effective weight as the layer holds it; a bias is that of all
 * groups, metrics are one for each. A node that scales its product (Gemm's alpha) is taken without: moments of outputs
 * are divided by it.
 */
export function layerRegressions(
  linalg: Linalg,
  form: CalibratedForm,
  weight: Numbers,
  moments: readonly Moments[],
  {
    bias,
    outputMetrics,
    onProgress = () => {},
    ...options
  }: Omit<RegressionOptions, 'outputMetric'> & {
    readonly outputMetrics?: readonly (OutputMetric | undefined)[];
  } = {},
): LayerRegressions | Unusable {
  const count = groupCount(form);
  if (moments.length !== count)
    throw new RangeError(`A layer of ${count} groups has moments of ${moments.length}.`);
  const groups: Regression[] = [];
  for (const [i, w] of patchWeights(form, weight).entries()) {
    const part = (values: Float64Array) => values.subarray(i * w.rows, (i + 1) * w.rows);
    const own = {
      ...(bias ? { bias: part(bias) } : {}),
      outputMetric: outputMetrics?.[i],
    };
    const report = (done: number) => onProgress((i + done) / count);
    const group = regress(linalg, w, moments[i]!, { ...options, ...own, onProgress: report });
    if (group.kind === 'unusable') return group;
    groups.push(group);
  }
  return { kind: 'regressions', form, groups };
}
