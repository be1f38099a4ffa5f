import type { Linalg, OnProgress } from '../../tensor/linalg';
import type { MethodId } from '../method';
import { calibratedMethod, type Measured } from './calibratedMethod';
import type { LayerRegressions } from './layerRegressions';

/** A method on a layer, and the errors of all its ranks. */
export interface MeasuredMethod {
  readonly method: MethodId;
  /** Of `spatial`: the axis of the kernel that its first convolution acts on. */
  readonly firstAxis: 0 | 1;
  readonly measured: Measured;
}

/** All that {@link calibratedMethod} offers for a layer, measured; what two methods share is factored once. */
export function measureLayer(
  linalg: Linalg,
  { form, groups }: LayerRegressions,
  onProgress: OnProgress = () => {},
): readonly MeasuredMethod[] {
  const ways: (readonly [MethodId, 0 | 1])[] = [
    ['svd', 0],
    ['channel', 0],
    ['tucker2', 0],
    ['spatial', 0],
  ];
  // With one axis of extent 1 the other order says nothing new: it is `channel`.
  if (form.kind === 'conv' && form.kernel.every((extent) => extent > 1)) ways.push(['spatial', 1]);
  return ways.flatMap(([id, firstAxis], i) => {
    const method = calibratedMethod(form, id, firstAxis);
    if (!method) return [];
    const measured = method.measure(linalg, groups, (done) => onProgress((i + done) / ways.length));
    const result = { method: id, firstAxis, measured };
    if (id !== 'tucker2') return [result];
    // The input's cut of tucker2, with all outputs kept, is input-channel.
    return [{ method: 'input-channel', firstAxis, measured: { spectra: [measured.spectra[0]!] } }, result];
  });
}
