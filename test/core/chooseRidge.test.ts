import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createAccumulator } from '../../src/core/compress/calibrated/accumulator';
import { chooseRidge } from '../../src/core/compress/calibrated/chooseRidge';
import { regress } from '../../src/core/compress/calibrated/regression';
import { type Matrix, matrix } from '../../src/core/tensor/matrix';
import { createMlMatrix } from '../../src/core/tensor/mlMatrix';
import { seededNormals } from '../../src/core/tensor/seeded';

const linalg = createMlMatrix();
const [D, S] = [24, 6];

function random(rows: number, cols: number, seed: number, scale = 1): Matrix<Float64Array> {
  const normal = seededNormals(seed);
  return matrix(
    rows,
    cols,
    Float64Array.from({ length: rows * cols }, () => scale * normal()),
  );
}

const plus = (a: Matrix<Float64Array>, b: Matrix<Float64Array>) =>
  matrix(
    a.rows,
    a.cols,
    a.data.map((value, i) => value + b.data[i]!),
  );

/** The moments of `count` samples of y = truth · p + 1 + noise. */
function samples(truth: Matrix<Float64Array>, count: number, seed: number, noise: number) {
  const p = random(D, count, seed);
  const y = plus(linalg.multiply(truth, p) as Matrix<Float64Array>, random(S, count, seed + 1, noise));
  const sums = createAccumulator(linalg, { inputs: D, outputs: S });
  sums.add(
    p,
    matrix(
      S,
      count,
      y.data.map((value) => value + 1),
    ),
  );
  const moments = sums.finish();
  if (moments.kind !== 'pairs') throw new Error('There are no moments.');
  return moments;
}

test('the ridge is the weaker the more samples there are, and the farther the truth is from the weight', () => {
  const weight = random(S, D, 1);
  const near = plus(weight, random(S, D, 2, 0.05));
  const far = plus(weight, random(S, D, 3, 2));
  const choose = (truth: Matrix<Float64Array>, count: number) =>
    chooseRidge(
      linalg,
      [weight],
      [{ fit: samples(truth, count, 10, 0.5), check: samples(truth, 2000, 20, 0.5) }],
    )!;
  assert.ok(choose(near, 30) >= 1, `${choose(near, 30)}`);
  assert.equal(choose(far, 30), 0.01);
  assert.equal(choose(far, 4000), 0.01);
  assert.ok(choose(near, 4000) <= choose(near, 30));
});

test('it is the one with the least error on the samples kept apart', () => {
  const weight = random(S, D, 1);
  const truth = plus(weight, random(S, D, 2, 0.3));
  const fit = samples(truth, 40, 10, 0.5);
  const p = random(D, 500, 30);
  const y = plus(linalg.multiply(truth, p) as Matrix<Float64Array>, random(S, 500, 31, 0.5));
  const sums = createAccumulator(linalg, { inputs: D, outputs: S });
  sums.add(p, y);
  const check = sums.finish();
  if (check.kind !== 'pairs') throw new Error('There are no moments.');
  const errors = new Map(
    [0.01, 0.1, 1, 10].map((alpha) => {
      const regression = regress(linalg, weight, fit, { alpha });
      if (regression.kind === 'unusable') throw new Error(regression.reason);
      const { best } = regression;
      let error = 0;
      for (let k = 0; k < 500; k++) {
        for (let s = 0; s < S; s++) {
          let value = fit.outputMean[s]!;
          for (let i = 0; i < D; i++) value += best.data[s * D + i]! * (p.data[i * 500 + k]! - fit.mean[i]!);
          error += (y.data[s * 500 + k]! - value) ** 2;
        }
      }
      return [alpha, error];
    }),
  );
  const [least] = [...errors].sort((a, b) => a[1] - b[1])[0]!;
  assert.equal(chooseRidge(linalg, [weight], [{ fit, check }]), least);
});
