import type { ConvForm } from '../layer';
import { spatial } from '../methods/spatial';

/**
 * The axes that may come first in `spatial` factors with nobody noticing but the error: the first, and the second where
 * the factors are as large then and take as many MACs.
 */
export function spatialAxes(form: ConvForm): readonly (0 | 1)[] {
  if (form.kernel.length !== 2 || form.kernel.some((extent) => extent === 1)) return [0];
  const [one, other] = [spatial(form, 0).cost([1]), spatial(form, 1).cost([1])];
  return one.parameters === other.parameters && one.macs === other.macs ? [0, 1] : [0];
}
