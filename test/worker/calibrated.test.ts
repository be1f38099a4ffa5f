import { createLapack } from '../../src/worker/lapack';
import { testCalibrated } from '../core/calibratedProperties';
import { testMoments } from '../core/momentProperties';
import { lapackModules } from './lapackModules';

for (const { name, module } of lapackModules()) {
  const linalg = createLapack(module);
  testMoments(name, linalg);
  testCalibrated(name, linalg);
}
