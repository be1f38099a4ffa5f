import { printTarget } from '../../core/compress/plan';
import { ModelError } from '../../core/onnx/modelError';
import type { CalibrationData } from '../calibration/calibrationData';
import { type Labels, readLabels } from '../calibration/labels';
import type { CompressRequest } from '../engine';

/** The labels that a request names. Throws 'bad-data' where they are missing, though its goal counts right answers. */
export function labelsOf(
  { path, target, calibration, plan }: Pick<CompressRequest, 'path' | 'target' | 'calibration' | 'plan'>,
  data: CalibrationData | undefined,
): Labels | undefined {
  if (data && calibration?.labels !== undefined) return readLabels(calibration.labels, data.count);
  if (target.kind !== 'accuracy' || plan) return undefined;
  throw new ModelError(
    'bad-data',
    `${path}: the goal ${printTarget(target)} takes calibration data and its labels.`,
  );
}
