import assert from 'node:assert/strict';
import test from 'node:test';
import { createAccumulator } from '../../src/core/compress/calibrated/accumulator';
import { calibratedMethod } from '../../src/core/compress/calibrated/calibratedMethod';
import { factorCalibrated } from '../../src/core/compress/calibrated/factorCalibrated';
import { layerRegressions } from '../../src/core/compress/calibrated/layerRegressions';
import { byTable } from '../../src/core/compress/calibrated/rankTable';
import { matrix } from '../../src/core/tensor/matrix';
import { createMlMatrix } from '../../src/core/tensor/mlMatrix';
import { createLapack } from '../../src/worker/lapack';
import { forms, regressionsOf, scene, waysOf } from '../core/calibratedCases';
import { testCalibrated } from '../core/calibratedProperties';
import { normals, random, single } from '../core/linalgCases';
import { testMoments } from '../core/momentProperties';
import { convForm as conv } from '../support/forms';
import { lapackModules } from './lapackModules';

const same = <T>(x: T) => x;

for (const { name, module } of lapackModules()) {
  const linalg = createLapack(module);
  testMoments(name, linalg);
  testCalibrated(name, linalg);

  test(`${name}: the engines agree`, () => {
    const oracle = createMlMatrix();
    for (const [what, form] of forms) {
      const layer = scene(form, { distortion: 0.3 });
      const [ours, theirs] = [linalg, oracle].map((engine) => regressionsOf(engine, layer));
      for (const { method: id, axis, candidate } of waysOf(form)) {
        const method = calibratedMethod(form, id, axis)!;
        const ranks = candidate.fullRanks.map((full) => Math.ceil(full / 2));
        const [one, other] = [
          factorCalibrated(linalg, layer.weight, ours!, { candidate, method }, ranks, same),
          factorCalibrated(oracle, layer.weight, theirs!, { candidate, method }, ranks, same),
        ];
        // Factors may differ by signs; what they stand for may not.
        const [a, b] = [one, other].map(({ factors }) => candidate.expand(oracle, factors, ranks));
        const gap = Math.max(...a!.map((value, i) => Math.abs(value - b![i]!)));
        assert.ok(gap < 1e-7, `${id} of ${what}: ${gap}`);
        assert.ok(Math.abs(one.outputError - other.outputError) < 1e-8);
      }
    }
  });

  // A layer of a network, in single precision, with fewer samples than a patch has elements.
  test(`${name}: 64 × 48 × 3 × 3 on 400 samples`, (t) => {
    const form = conv(64, 48, [3, 3]);
    const [d, n] = [432, 400];
    const next = normals(4);
    const sources = matrix(
      40,
      n,
      Float32Array.from({ length: 40 * n }, (_, at) => next() / (1 + Math.floor(at / n) / 3)),
    );
    const inputs = linalg.multiply(random(single, d, 40, 5), sources);
    const seen = matrix(
      d,
      n,
      inputs.data.map((value) => Math.max(0, value + 0.3 * next())),
    );
    inputs.data.forEach((value, at) => {
      inputs.data[at] = Math.max(0, value);
    });
    const weight = random(single, 64, d, 6);
    const outputs = linalg.multiply(weight, inputs);
    const accumulator = createAccumulator(linalg, { inputs: d, outputs: 64 });
    accumulator.add(seen, outputs);
    const moments = accumulator.finish();
    assert.ok(moments.kind === 'pairs');
    const regressions = layerRegressions(linalg, form, weight.data, [moments]);
    assert.ok(regressions.kind === 'regressions');
    for (const { method: id, axis, candidate } of waysOf(form)) {
      const method = calibratedMethod(form, id, axis)!;
      const { spectra, table } = method.measure(linalg, regressions.groups);
      for (const share of [8, 2]) {
        const ranks = candidate.fullRanks.map((full) => Math.ceil(full / share));
        const aware = factorCalibrated(
          linalg,
          weight.data,
          regressions,
          { candidate, method },
          ranks,
          same<Float32Array>,
        );
        // The samples themselves, in double.
        const w = candidate.expand(linalg, aware.factors, ranks);
        const image = linalg.multiply(matrix(64, d, w), seen);
        let [residual, variance] = [0, 0];
        for (let i = 0; i < 64; i++) {
          const mean = outputs.data.subarray(i * n, (i + 1) * n).reduce((sum, y) => sum + y, 0) / n;
          for (let k = i * n; k < (i + 1) * n; k++) {
            residual += (outputs.data[k]! - image.data[k]! - aware.bias[i]!) ** 2;
            variance += (outputs.data[k]! - mean) ** 2;
          }
        }
        const error = Math.sqrt(residual / variance);
        assert.ok(Math.abs(aware.outputError - error) < 1e-4, `${aware.outputError}, measured ${error}`);
        const predicted = (table ? byTable(table) : candidate).error(spectra, ranks) / spectra[0]!.total;
        assert.ok(residual / variance < predicted * 1.5, `${residual / variance}, predicted ${predicted}`);
        t.diagnostic(
          `${id}${axis === 1 ? ', second axis first' : ''} at ${ranks}: output error ${error.toFixed(4)}, ` +
            `with the ridge's share ${Math.sqrt(predicted).toFixed(4)}`,
        );
      }
    }
  });
}
