import path from 'node:path';
import { plannedPreprocessing } from '../../src/worker/calibration/preprocessing';
import type { CompressRequest, Engine } from '../../src/worker/engine';

/** What of a request says how its result is looked at. */
export type Written = Pick<
  CompressRequest,
  'path' | 'output' | 'dims' | 'plan' | 'planPath' | 'seed' | 'calibration'
>;

/** The call that looks at what a request led to, on the same samples or numbers. */
export function verifyRequest({
  path: original,
  output,
  dims,
  plan,
  planPath,
  ...request
}: Written): Parameters<Engine['verify']>[0] {
  const seed = plan?.seed ?? request.seed;
  const calibration = plan?.calibration
    ? {
        ...request.calibration,
        path:
          request.calibration?.path ?? path.join(path.dirname(planPath ?? original), plan.calibration.file),
        preprocessing: plannedPreprocessing(plan.calibration),
        limit: plan.calibration.samples,
      }
    : request.calibration;
  return {
    original,
    compressed: output,
    ...(dims ? { dims } : {}),
    ...(seed === undefined ? {} : { seed }),
    ...(calibration ? { calibration } : {}),
  };
}
