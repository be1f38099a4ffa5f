import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { accumulatorBytes, createAccumulator } from '../../src/core/compress/calibrated/accumulator';
import { mergeMoments } from '../../src/core/compress/calibrated/mergeMoments';
import type { Moments, PairMoments, Unusable } from '../../src/core/compress/calibrated/moments';
import type { SampleLayout } from '../../src/core/compress/calibrated/sampleBuffer';
import { columnsOf } from '../../src/core/tensor/dense';
import type { Linalg } from '../../src/core/tensor/linalg';
import { type Matrix, matrix, type Numbers } from '../../src/core/tensor/matrix';
import { transpose } from '../../src/core/tensor/transpose';
import { activations, centred, layerOutputs, meanOf } from './calibratedCases';
import { distance, double, naive, norm, type Precision, random, single } from './linalgCases';

/** Moments by two passes over all samples. */
function direct(inputs: Matrix, outputs: Matrix) {
  const [p, y] = [centred(inputs), centred(outputs)];
  const covariance = (a: Matrix, b: Matrix) => {
    const product = naive(a, b, false, true);
    return matrix(
      product.rows,
      product.cols,
      product.data.map((value) => value / inputs.cols),
    );
  };
  const ofOutputs = covariance(y, y);
  return {
    mean: meanOf(inputs),
    covariance: covariance(p, p),
    outputMean: meanOf(outputs),
    outputVariance: Float64Array.from({ length: y.rows }, (_, i) => ofOutputs.data[i * (y.rows + 1)]!),
    cross: covariance(y, p),
  };
}

function usable(moments: Moments | Unusable): PairMoments {
  if (moments.kind !== 'pairs') assert.fail(`${moments.kind}`);
  return moments;
}

function collect(
  linalg: Linalg,
  inputs: Matrix,
  outputs: Matrix,
  cuts: readonly number[],
  layout: SampleLayout = 'columns',
): PairMoments {
  const accumulator = createAccumulator(linalg, { inputs: inputs.rows, outputs: outputs.rows }, layout);
  const lay = (m: Matrix) => (layout === 'rows' ? transpose(m) : m);
  const edges = [0, ...cuts, inputs.cols];
  for (const [i, to] of edges.slice(1).entries()) {
    const part = (m: Matrix) => lay(columnsOf(m, edges[i]!, to - edges[i]!));
    accumulator.add(part(inputs), part(outputs));
  }
  assert.equal(accumulator.count, inputs.cols);
  return usable(accumulator.finish());
}

function close(actual: PairMoments, expected: ReturnType<typeof direct>, tolerance: number): void {
  for (const part of ['covariance', 'cross'] as const) {
    const error = distance(actual[part], expected[part]) / norm(expected[part].data);
    assert.ok(error < tolerance, `${part}: ${error}`);
  }
  for (const part of ['mean', 'outputMean', 'outputVariance'] as const) {
    const row = (data: Float64Array) => matrix(1, data.length, data);
    const error = distance(row(actual[part]), row(expected[part])) / norm(expected[part]);
    assert.ok(error < tolerance, `${part}: ${error}`);
  }
}

/** Registers the tests of accumulated moments, for an engine. */
export function testMoments(name: string, linalg: Linalg): void {
  describe(`${name}: moments`, () => {
    const weight = random(double, 5, 11, 3);
    const bias = new Float64Array(5).fill(0.5);
    const inputs = activations(11, 2500, 4);
    const outputs = layerOutputs(weight, bias, inputs);

    for (const precision of [double, single] as const) {
      const cast = ({ rows, cols, data }: Matrix) =>
        matrix<Numbers>(rows, cols, (precision as Precision).from(data));
      const [p, y] = [cast(inputs), cast(outputs)];
      const expected = direct(p, y);
      const tolerance = precision === double ? 1e-13 : 1e-6;

      for (const layout of ['columns', 'rows'] as const) {
        for (const cuts of [[], [1], [1024], [700, 1400, 1401, 2300], [1023, 2048, 2049]]) {
          test(`${precision.name}, ${layout}, cut at ${cuts.join(', ') || 'nothing'}: those of two passes`, () => {
            const moments = collect(linalg, p, y, cuts, layout);
            close(moments, expected, tolerance);
            assert.equal(moments.count, 2500);
            const { rows: d, data } = moments.covariance;
            for (let i = 0; i < d; i++)
              for (let j = 0; j < i; j++) assert.equal(data[i * d + j], data[j * d + i], 'symmetric');
          });
        }
      }

      test(`${precision.name}: a mean that is large against the deviations`, () => {
        const far = (m: Matrix) =>
          cast(
            matrix(
              m.rows,
              m.cols,
              Float64Array.from(m.data, (x) => x + 1e4),
            ),
          );
        const [farP, farY] = [far(inputs), far(outputs)];
        close(collect(linalg, farP, farY, [300, 1500]), direct(farP, farY), tolerance);
      });
    }

    test('inputs alone give the same, without outputs', () => {
      const accumulator = createAccumulator(linalg, { inputs: 11 });
      accumulator.add(inputs);
      const moments = accumulator.finish();
      assert.ok(moments.kind === 'inputs');
      const { covariance, mean } = collect(linalg, inputs, outputs, []);
      assert.deepEqual([moments.covariance, moments.mean], [covariance, mean]);
    });

    test('merged from parts, in any order and grouping', () => {
      const parts = [
        [0, 3],
        [3, 900],
        [900, 2500],
      ].map(([from, to]) =>
        collect(linalg, columnsOf(inputs, from!, to! - from!), columnsOf(outputs, from!, to! - from!), []),
      );
      const [a, b, c] = parts as [PairMoments, PairMoments, PairMoments];
      const expected = direct(inputs, outputs);
      for (const merged of [
        mergeMoments(mergeMoments(a, b), c),
        mergeMoments(a, mergeMoments(c, b)),
        mergeMoments(c, mergeMoments(a, b)),
      ]) {
        close(merged, expected, 1e-13);
        assert.equal(merged.count, 2500);
      }
      assert.throws(() => mergeMoments<Moments>(a, { ...b, kind: 'inputs' }), RangeError);
    });

    test('what does not vary has no covariance, exactly', () => {
      const constant = matrix(3, 50, new Float32Array(150).fill(1e7 / 3));
      const accumulator = createAccumulator(linalg, { inputs: 3 });
      accumulator.add(constant);
      accumulator.add(constant);
      const moments = accumulator.finish();
      assert.ok(moments.kind === 'inputs' && moments.covariance.data.every((value) => value === 0));
      assert.equal(moments.mean[0], Math.fround(1e7 / 3));
    });

    test('trouble is a sentence; sizes that do not fit are an error', () => {
      const sentence = (moments: Moments | Unusable) => (moments.kind === 'unusable' ? moments.reason : '');
      assert.match(sentence(createAccumulator(linalg, { inputs: 3 }).finish()), /No calibration data/);
      for (const bad of [Number.NaN, Infinity, -Infinity]) {
        for (const which of [0, 1]) {
          const accumulator = createAccumulator(linalg, { inputs: 3, outputs: 2 });
          const batch = [random(single, 3, 40), random(single, 2, 40)] as const;
          accumulator.add(...batch);
          batch[which]!.data[7] = bad;
          accumulator.add(...batch);
          accumulator.add(random(single, 3, 40), random(single, 2, 40));
          assert.match(sentence(accumulator.finish()), /not finite/);
        }
      }
      const accumulator = createAccumulator(linalg, { inputs: 3, outputs: 2 });
      const [p, y] = [random(single, 3, 4), random(single, 2, 4)];
      assert.throws(() => accumulator.add(y, y), RangeError);
      assert.throws(() => accumulator.add(p, p), RangeError);
      assert.throws(() => accumulator.add(p), RangeError);
      assert.throws(() => accumulator.add(p, random(single, 2, 5)), RangeError);
      assert.throws(() => createAccumulator(linalg, { inputs: 3 }).add(p, y), RangeError);
    });

    test('memory grows with the sums, not with the samples', () => {
      assert.ok(accumulatorBytes({ inputs: 4608, outputs: 512 }) < 600 * 2 ** 20);
      assert.ok(accumulatorBytes({ inputs: 64 }) < 2 ** 20);
    });
  });
}
