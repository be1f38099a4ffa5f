import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  type CalibratedMethod,
  calibratedMethod,
  type Measured,
} from '../../src/core/compress/calibrated/calibratedMethod';
import { explainedVariances, inCoordinates, principal } from '../../src/core/compress/calibrated/explained';
import { factorCalibrated } from '../../src/core/compress/calibrated/factorCalibrated';
import { type LayerRegressions, layerRegressions } from '../../src/core/compress/calibrated/layerRegressions';
import { measureLayer } from '../../src/core/compress/calibrated/measureLayer';
import type { InputMoments } from '../../src/core/compress/calibrated/moments';
import {
  type OutputMetric,
  outputMetric,
  scaledOutputs,
} from '../../src/core/compress/calibrated/outputMetric';
import { splitPatch } from '../../src/core/compress/calibrated/patchSplit';
import { patchWeights, weightOfPatches } from '../../src/core/compress/calibrated/patchWeights';
import { byTable } from '../../src/core/compress/calibrated/rankTable';
import { refit } from '../../src/core/compress/calibrated/refit';
import { type Regression, regress } from '../../src/core/compress/calibrated/regression';
import { sumSpectra } from '../../src/core/compress/calibrated/sumSpectra';
import type { ConvForm } from '../../src/core/compress/layer';
import type { Candidate, Ranks } from '../../src/core/compress/method';
import { tailsOf } from '../../src/core/compress/spectrum';
import { decodeFloats, encodeFloats } from '../../src/core/onnx/tensorData';
import type { Linalg } from '../../src/core/tensor/linalg';
import { type Matrix, matrix } from '../../src/core/tensor/matrix';
import { permuteAxes } from '../../src/core/tensor/permute';
import { transpose } from '../../src/core/tensor/transpose';
import { convForm as conv, matmulForm as matmul } from '../support/forms';
import {
  activations,
  centred,
  forms,
  layerOutputs,
  meanOf,
  momentsOf,
  regressionsOf,
  residualOf,
  type Scene,
  scene,
  unevenMetrics,
  waysOf,
} from './calibratedCases';
import { distance, double, naive, norm, normals, type Precision, random, single } from './linalgCases';

const same = <T>(x: T) => x;
const identityOf = (size: number) =>
  Float64Array.from({ length: size * size }, (_, at) => (at % (size + 1) === 0 ? 1 : 0));

/** The factors, the weight they stand for, and the errors of a way to factor. */
function factored(
  linalg: Linalg,
  { weight, form }: Scene,
  regressions: LayerRegressions,
  { candidate, method }: { candidate: Candidate; method: CalibratedMethod },
  ranks: Ranks,
) {
  const result = factorCalibrated(linalg, weight, regressions, { candidate, method }, ranks, same);
  const shapes = candidate.shapes(ranks).map((dims) => dims.reduce((a, b) => a * b, 1));
  assert.deepEqual(
    result.factors.map(({ length }) => length),
    shapes,
  );
  return {
    ...result,
    matrices: patchWeights(form, candidate.expand(linalg, result.factors, ranks)),
  };
}

/** E|y − ŷ|² + λ‖Ŵ − W‖² of a group, from the samples, in the metric of its outputs. */
function objective(group: Regression, samples: Scene['groups'][number], w: Matrix<Float64Array>): number {
  const mean = meanOf(samples.inputs);
  const image = naive(w, matrix(mean.length, 1, mean)).data;
  const bias = meanOf(samples.outputs).map((value, i) => value - image[i]!);
  const difference = matrix(
    w.rows,
    w.cols,
    w.data.map((value, at) => value - group.weight.data[at]!),
  );
  const metric = group.outputMetric;
  const change = norm((metric ? naive(transpose(metric.lower), difference) : difference).data) ** 2;
  return residualOf(w, bias, samples, metric) + group.lambda * change;
}

const objectives = (
  { groups }: LayerRegressions,
  layer: Scene,
  matrices: readonly Matrix<Float64Array>[],
): number => groups.reduce((sum, group, i) => sum + objective(group, layer.groups[i]!, matrices[i]!), 0);

function totalOf({ groups }: LayerRegressions): number {
  return groups.reduce((sum, group) => sum + scaledOutputs(group).total, 0);
}

/** What is predicted at these ranks: from the table, where there is one. */
function predicted(candidate: Candidate, { spectra, table }: Measured, ranks: Ranks): number {
  return table ? byTable(table).error(spectra, ranks) : candidate.error(spectra, ranks);
}

/** Some ranks, the full ones among them. */
function someRanks({ fullRanks }: Candidate): Ranks[] {
  const shares = [0, 0.3, 0.7, 1];
  const at = (full: number, share: number) => Math.max(1, Math.round(full * share));
  const [one = 1, other] = fullRanks;
  if (other === undefined) return shares.map((share) => [at(one, share)]);
  return shares.flatMap((first) => shares.map((second) => [at(one, first), at(other, second)]));
}

/** Registers the tests of regression and factoring in the norm of the data, for an engine. */
export function testCalibrated(name: string, linalg: Linalg): void {
  describe(`${name}: regression`, () => testRegression(linalg));
  describe(`${name}: factors in the norm of the data`, () => testFactors(linalg));
  describe(`${name}: outputs' subspace`, () => testOutputs(linalg));
  describe(`${name}: shared bases`, () => testShared(linalg));
  describe(`${name}: equivariance`, () => testEquivariance(linalg));
}

/** One matrix of 9 × 12 on the left, whose weight is W as it stands. */
const plain = matmul(12, 9, { side: 'left' });

function testRegression(linalg: Linalg): void {
  const layer = scene(plain, { distortion: 0.3 });
  const [samples] = layer.groups;
  const w = matrix(9, 12, layer.weight);
  const solve = (alpha: number, moments = momentsOf(linalg, layer)[0]!) => {
    const regression = regress(linalg, w, moments, { alpha });
    if (regression.kind === 'unusable') assert.fail(regression.reason);
    return regression;
  };

  test('without a ridge it is least squares', () => {
    const { best } = solve(0);
    const { x } = linalg.leastSquares(
      transpose(centred(samples!.inputs)),
      transpose(centred(samples!.outputs)),
    );
    assert.ok(distance(best, transpose(x)) < 1e-7 * norm(best.data));
  });

  for (const alpha of [1e-4, 1e-2, 1]) {
    test(`a ridge of ${alpha} is least squares with samples of the weight itself`, () => {
      const { best, lambda } = solve(alpha);
      const p = centred(samples!.inputs);
      const trace = p.data.reduce((sum, value) => sum + value * value, 0) / p.cols;
      assert.ok(Math.abs(lambda / ((alpha * trace) / 12) - 1) < 1e-12);
      // √(nλ) · e_j, with outputs √(nλ) · W e_j.
      const scale = Math.sqrt(p.cols * lambda);
      const rows = transpose(p);
      const targets = transpose(centred(samples!.outputs));
      const more = matrix(p.cols + 12, 12, new Float64Array((p.cols + 12) * 12));
      const moreTargets = matrix(p.cols + 12, 9, new Float64Array((p.cols + 12) * 9));
      more.data.set(rows.data);
      moreTargets.data.set(targets.data);
      for (let j = 0; j < 12; j++) {
        more.data[(p.cols + j) * 12 + j] = scale;
        for (let i = 0; i < 9; i++) moreTargets.data[(p.cols + j) * 9 + i] = scale * w.data[i * 12 + j]!;
      }
      const { x } = linalg.leastSquares(more, moreTargets);
      assert.ok(distance(best, transpose(x)) < 1e-10 * norm(best.data));
    });
  }

  test('the weight is found again from its own outputs, whatever the ridge', () => {
    const exact = scene(plain, { n: 2000 });
    const weight = matrix(9, 12, exact.weight);
    for (const alpha of [0, 1e-6, 1e-2, 1]) {
      const found = regress(linalg, weight, momentsOf(linalg, exact)[0]!, { alpha });
      assert.ok(found.kind === 'regression');
      assert.ok(distance(found.best, weight) < 1e-6 * norm(weight.data), `α = ${alpha}`);
    }
  });

  test('of inputs alone what pairs of them with their own outputs give', () => {
    const exact = scene(plain);
    const weight = matrix(9, 12, exact.weight);
    const [inputs, pairs] = [false, true].map((p) => {
      const regression = regress(linalg, weight, momentsOf(linalg, exact, { pairs: p })[0]!, {
        bias: exact.bias,
      });
      if (regression.kind === 'unusable') assert.fail(regression.reason);
      return regression;
    }) as [Regression, Regression];
    for (const part of ['best', 'cross'] as const)
      assert.ok(distance(inputs[part], pairs[part]) < 1e-10 * norm(pairs[part].data), part);
    const [one, other] = [inputs, pairs].map(({ explained }) => {
      assert.ok(explained.kind === 'square');
      return explained.matrix;
    });
    assert.ok(distance(one!, other!) < 1e-10 * norm(other!.data), 'explained');
    for (const part of ['lambda', 'variance', 'total'] as const)
      assert.ok(Math.abs(inputs[part] / pairs[part] - 1) < 1e-10, part);
    inputs.outputMean.forEach((value, i) => {
      assert.ok(Math.abs(value - pairs.outputMean[i]!) < 1e-10);
    });
  });

  test('with more outputs than inputs half of the explained is held, and says the same as the whole', () => {
    const wide = scene(matmul(6, 20, { side: 'left' }), { distortion: 0.3 });
    const lower = matrix(20, 20, new Float64Array(400));
    for (let i = 0; i < 20; i++) for (let j = 0; j <= i; j++) lower.data[i * 20 + j] = 1 / (1 + i - j);
    for (const pairs of [false, true]) {
      const found = regress(linalg, matrix(20, 6, wide.weight), momentsOf(linalg, wide, { pairs })[0]!);
      assert.ok(found.kind === 'regression' && found.explained.kind === 'half');
      const { explained, cross, best } = found;
      // (R + λW)(Σ + λI)⁻¹(R + λW)ᵀ = (R + λW) W*ᵀ.
      const whole = naive(cross, transpose(best));
      const close = (a: Matrix, b: Matrix) => assert.ok(distance(a, b) < 1e-9 * norm(b.data));
      close(naive(transpose(explained.half), explained.half), whole);
      const values = linalg.eigh(whole, 0).values;
      for (const count of [0, 4]) {
        const own = principal(linalg, explained, count);
        for (let k = 0; k < 6; k++) assert.ok(Math.abs(own.values[k]! - values[k]!) < 1e-9 * values[0]!);
        for (let k = 0; k < count; k++) {
          const v = matrix(1, 20, own.vectors.data.slice(20 * k, 20 * (k + 1)));
          const scaled = matrix(
            1,
            20,
            v.data.map((value) => value * values[k]!),
          );
          assert.ok(distance(naive(v, whole), scaled) < 1e-9 * values[0]!);
        }
      }
      const turned = naive(transpose(lower), naive(whole, lower));
      const inOther = inCoordinates(linalg, explained, lower);
      assert.ok(inOther.kind === 'half');
      close(naive(transpose(inOther.half), inOther.half), turned);
      explainedVariances(explained).forEach((value, i) => {
        assert.ok(Math.abs(value - whole.data[21 * i]!) < 1e-9 * norm(whole.data));
      });
    }
  });

  test('where inputs never go, the weight stays', () => {
    // Inputs within 5 of 12 dimensions.
    const mixing = random(double, 12, 5, 3);
    const inputs = naive(mixing, activations(5, 400, 6));
    const outputs = layerOutputs(w, new Float64Array(9), naive(mixing, activations(5, 400, 7)));
    const across = nullSpace(linalg, mixing);
    for (const alpha of [0, 1e-4, 1e-2]) {
      const moments = momentsOf(linalg, { ...layer, groups: [{ inputs, outputs }] })[0]!;
      const { best } = solve(alpha, moments);
      const change = naive(
        matrix(
          9,
          12,
          best.data.map((value, i) => value - w.data[i]!),
        ),
        across,
      );
      assert.ok(
        norm(change.data) < (alpha === 0 ? 1e-3 : 1e-9) * norm(w.data),
        `α = ${alpha}: ${norm(change.data)}`,
      );
      assert.ok(alpha === 0 || distance(best, w) > 1e-3, 'but elsewhere it moves');
    }
  });

  test('moments that say too little are refused with a sentence', () => {
    const reason = (moments: Parameters<typeof regress>[2], weight = w, options = {}) => {
      const result = regress(linalg, weight, moments, options);
      return result.kind === 'unusable' ? result.reason : '';
    };
    const [moments] = momentsOf(linalg, layer);
    const [few] = momentsOf(linalg, scene(plain, { n: 15 }));
    assert.match(reason(few!), /15 samples for inputs of length 12; it takes 16\./);
    assert.equal(reason(few!, w, { leastSamples: 10 }), '');
    const zero = { kind: 'inputs', count: 99, mean: new Float64Array(12).fill(3) } as const;
    const still: InputMoments = { ...zero, covariance: matrix(12, 12, new Float64Array(144)) };
    assert.match(reason(still), /inputs do not vary/);
    // What single precision leaves of a mean of 3.
    still.covariance.data[5 * 13] = (3 * 2 ** -25) ** 2;
    assert.match(reason(still), /inputs do not vary/);
    assert.match(reason(moments!, matrix(9, 12, new Float64Array(108))), /^$/);
    const [inputs] = momentsOf(linalg, layer, { pairs: false });
    assert.match(reason(inputs!, matrix(9, 12, new Float64Array(108))), /outputs do not vary/);
    const spoiled = { ...moments!, covariance: matrix(12, 12, moments!.covariance.data.slice()) };
    spoiled.covariance.data[7] = Number.NaN;
    assert.match(reason(spoiled), /not finite/);
    // No covariance at all: indefinite far beyond rounding.
    const indefinite = moments!.covariance.data.map((value, at) => (at % 13 === 0 ? value : 100 * value));
    assert.match(reason({ ...moments!, covariance: matrix(12, 12, indefinite) }), /too close to singular/);
    assert.throws(() => regress(linalg, transpose(w), moments!), RangeError);
  });

  test('a metric of outputs cuts elsewhere, and leaves the fit as it is; an even one changes nothing', () => {
    const moments = momentsOf(linalg, layer)[0]!;
    const solveWith = (metric?: OutputMetric) => {
      const regression = regress(linalg, w, moments, { outputMetric: metric });
      return regression.kind === 'regression' ? regression : assert.fail(regression.reason);
    };
    const method = calibratedMethod(plain, 'svd')!;
    const weightOf = (group: Regression) => {
      const [first, last] = method.factor(linalg, [group], [3]);
      return naive(matrix(9, 3, last!), matrix(3, 12, first!));
    };
    const [without, alike, uneven] = [
      solveWith(),
      solveWith(outputMetric(linalg, matrix(9, 9, identityOf(9)))),
      solveWith(unevenMetrics(plain, true)[0]),
    ];
    assert.ok(distance(weightOf(alike), weightOf(without)) < 1e-10);
    assert.ok(distance(weightOf(uneven), weightOf(without)) > 1e-2);
    assert.deepEqual(uneven.best, without.best);
    assert.throws(() => solveWith({ lower: matrix(8, 8, identityOf(8)) }), RangeError);
    assert.equal(outputMetric(linalg, matrix(9, 9, new Float64Array(81))), undefined);
    assert.equal(outputMetric(linalg, matrix(9, 9, new Float64Array(81).fill(Number.NaN))), undefined);
  });

  test('one group without usable moments is enough to refuse a layer', () => {
    const grouped = scene(conv(10, 3, [1, 3], { groups: 2 }));
    const [one, other] = momentsOf(linalg, grouped);
    const answer = (moments: Parameters<typeof layerRegressions>[3]) =>
      layerRegressions(linalg, grouped.form, grouped.weight, moments).kind;
    assert.equal(answer([one!, other!]), 'regressions');
    assert.equal(answer([one!, { ...other!, count: 1 }]), 'unusable');
    assert.throws(() => answer([one!]), RangeError);
  });

  for (const [name, form] of forms) {
    test(`${name}: a layer refitted to what it sees`, () => {
      const shifted = scene(form, { distortion: 0.5 });
      const regressions = regressionsOf(linalg, shifted);
      const { weight, bias, outputError } = refit(linalg, shifted.weight, regressions, same);
      const [fitted, original] = [weight, shifted.weight].map((each) => patchWeights(form, each));
      const share = bias.length / shifted.groups.length;
      let [residual, before, variance] = [0, 0, 0];
      for (const [i, group] of shifted.groups.entries()) {
        const [from, to] = [i * share, (i + 1) * share];
        residual += residualOf(fitted![i]!, bias.subarray(from, to), group);
        before += residualOf(original![i]!, shifted.bias.subarray(from, to), group);
        variance += norm(centred(group.outputs).data) ** 2 / group.outputs.cols;
        assert.ok(distance(fitted![i]!, regressions.groups[i]!.best) < 1e-13);
      }
      assert.ok(residual < 0.9 * before, `${residual}, before ${before}`);
      assert.ok(Math.abs(outputError - Math.sqrt(residual / variance)) < 1e-9);
      // What has not been distorted stays as it is.
      const still = scene(form);
      const again = refit(linalg, still.weight, regressionsOf(linalg, still, { pairs: false }), same);
      assert.deepEqual([again.weight, again.outputError, again.weightError], [still.weight, 0, 0]);
      again.bias.forEach((value, i) => {
        assert.ok(Math.abs(value - still.bias[i]!) < 1e-12);
      });
    });

    test(`${name}: to patches and back`, () => {
      const { weight } = scene(form);
      assert.deepEqual(weightOfPatches(form, patchWeights(form, weight), weight), weight);
    });
  }
}

/** The columns of a matrix, completed to a square one by random ones. */
function fullBasis({ rows, cols, data }: Matrix): Float64Array {
  const filler = random(double, rows, rows, 99).data;
  return filler.map((value, at) =>
    at % rows < cols ? data[Math.floor(at / rows) * cols + (at % rows)]! : value,
  );
}

/** Orthonormal columns across those of a matrix. */
function nullSpace(linalg: Linalg, a: Matrix): Matrix<Float64Array> {
  const { q } = linalg.qr(matrix(a.rows, a.rows, fullBasis(a)));
  const width = a.rows - a.cols;
  return matrix(
    a.rows,
    width,
    Float64Array.from(
      { length: a.rows * width },
      (_, at) => q.data[Math.floor(at / width) * a.rows + a.cols + (at % width)]!,
    ),
  );
}

function testFactors(linalg: Linalg): void {
  for (const [name, form] of forms) {
    for (const { method: id, axis, candidate } of waysOf(form)) {
      const method = calibratedMethod(form, id, axis)!;
      const title = `${id}${axis === 1 ? ', second axis first,' : ''} of ${name}`;
      const way = { candidate, method };

      for (const [what, options] of [
        ['symmetric', { pairs: false, distortion: 0 }],
        ['asymmetric', { pairs: true, distortion: 0.4 }],
        ['almost without a ridge', { pairs: true, distortion: 0.4, alpha: 1e-9 }],
        ['outputs weighed', { pairs: true, distortion: 0.4, outputMetrics: unevenMetrics(form, false) }],
        [
          'outputs weighed, symmetric',
          { pairs: false, distortion: 0, outputMetrics: unevenMetrics(form, true) },
        ],
      ] as const) {
        test(`${title}, ${what}: what is predicted is what the samples say`, () => {
          const { distortion, ...how } = options;
          const layer = scene(form, { distortion });
          const regressions = regressionsOf(linalg, layer, how);
          const measured = method.measure(linalg, regressions.groups);
          const total = totalOf(regressions);
          for (const ranks of someRanks(candidate)) {
            const { matrices, bias, outputError } = factored(linalg, layer, regressions, way, ranks);
            const actual = objectives(regressions, layer, matrices);
            const error = predicted(candidate, measured, ranks);
            // Exact, but that of two ranks the second is chosen for the first.
            assert.ok(actual <= error + 1e-9 * total, `${ranks}: ${actual}, predicted ${error}`);
            if (id !== 'tucker2') assert.ok(actual >= error - 1e-9 * total, `${ranks}: ${actual}, ${error}`);
            if (id === 'tucker2') assert.ok(error <= candidate.error(measured.spectra, ranks) + 1e-9 * total);
            // The output error is that of the samples, and so is the mean.
            const share = bias.length / matrices.length;
            let [residual, variance] = [0, 0];
            for (const [i, group] of layer.groups.entries()) {
              const own = bias.subarray(i * share, (i + 1) * share);
              residual += residualOf(matrices[i]!, own, group);
              variance += norm(centred(group.outputs).data) ** 2 / group.outputs.cols;
              const means = [meanOf(layerOutputs(matrices[i]!, own, group.inputs)), meanOf(group.outputs)];
              means[0]!.forEach((value, k) => {
                assert.ok(Math.abs(value - means[1]![k]!) < 1e-9, 'the mean of the outputs');
              });
            }
            assert.ok(Math.abs(outputError ** 2 - residual / variance) < 1e-9, `${outputError}`);
            if (what === 'almost without a ridge' && id !== 'tucker2')
              assert.ok(Math.abs(error / total - residual / variance) < 1e-6, 'relative to the variance');
          }
          // At full rank W* itself.
          const { matrices } = factored(linalg, layer, regressions, way, candidate.fullRanks);
          regressions.groups.forEach(({ best }, i) => {
            const error = distance(matrices[i]!, best) / norm(best.data);
            assert.ok(error < (what === 'almost without a ridge' ? 1e-4 : 1e-7), `W*: ${error}`);
          });
        });
      }

      test(`${title}: errors fall with the ranks, from all there is to what W* leaves`, () => {
        const layer = scene(form, { distortion: 0.4 });
        const regressions = regressionsOf(linalg, layer);
        const { spectra, table } = method.measure(linalg, regressions.groups);
        const total = totalOf(regressions);
        const best = regressions.groups.map((group) => group.best);
        const least = objectives(regressions, layer, best);
        assert.deepEqual(
          spectra.map(({ energies }) => energies.length),
          candidate.fullRanks,
        );
        assert.ok(Math.abs(spectra[0]!.total / total - 1) < 1e-12);
        for (const { energies } of spectra) assert.ok(energies.every((energy) => energy >= 0));
        const tails = tailsOf(spectra[0]!);
        assert.ok(Math.abs(tails.at(-1)! - least) < 1e-9 * total, `${tails.at(-1)}, ${least}`);
        const atFull = candidate.error(spectra, candidate.fullRanks);
        assert.ok(Math.abs(atFull - least) < 1e-9 * total, 'what is left is counted once');
        if (!table) return;
        const { first, second, errors } = table;
        for (let i = 0; i <= first; i++) {
          for (let k = 0; k <= second; k++) {
            const at = i * (second + 1) + k;
            if (i === 0 || k === 0) assert.equal(errors[at], total);
            else
              assert.ok(errors[at]! <= Math.min(errors[at - 1]!, errors[at - second - 1]!) + 1e-12 * total);
          }
        }
        assert.ok(Math.abs(errors.at(-1)! - least) < 1e-9 * total);
        // Full in one of the ranks, it is the method that cuts the other one.
        for (let i = 1; i <= first; i++)
          assert.ok(Math.abs(errors[i * (second + 1) + second]! - tails[i]!) < 1e-9 * total);
        const prediction = byTable(table);
        for (const share of [0.5, 0.1, 1e-6]) {
          const budget = least + share * (total - least);
          const ranks = prediction.within(spectra, budget, (r) => candidate.cost(r).parameters)!;
          assert.ok(prediction.error(spectra, ranks) <= budget);
          const cost = candidate.cost(ranks).parameters;
          for (let i = 1; i <= first; i++) {
            for (let k = 1; k <= second; k++) {
              if (errors[i * (second + 1) + k]! > budget) continue;
              assert.ok(candidate.cost([i, k]).parameters >= cost, `${i}, ${k} is cheaper than ${ranks}`);
            }
          }
        }
        assert.equal(
          prediction.within(spectra, 0.5 * least, () => 0),
          undefined,
        );
      });

      test(`${title}: single precision, and half for the factors`, () => {
        const layer = scene(form, { distortion: 0.2 });
        const ranks = candidate.fullRanks.map((full) => Math.ceil(full / 2));
        const exact = factored(linalg, layer, regressionsOf(linalg, layer), way, ranks);
        const weight = Float32Array.from(layer.weight);
        const regressions = regressionsOf(linalg, layer, { precision: single as Precision });
        const rough = factorCalibrated(linalg, weight, regressions, way, ranks, same);
        assert.ok(rough.factors.every((factor) => factor instanceof Float32Array));
        for (const part of ['outputError', 'weightError'] as const)
          assert.ok(Math.abs(rough[part] - exact[part]) < 1e-5, `${part}: ${rough[part]}, ${exact[part]}`);
        const toHalf = (x: Float32Array) => decodeFloats(10, encodeFloats(10, x)) as Float32Array;
        const half = factorCalibrated(linalg, weight, regressions, way, ranks, toHalf);
        assert.ok(Math.abs(half.outputError - exact.outputError) < 1e-3);
        // The bias belongs to the rounded factors.
        const [w] = patchWeights(form, candidate.expand(linalg, half.factors, ranks));
        const { inputs, outputs } = layer.groups[0]!;
        const means = [meanOf(layerOutputs(w!, half.bias.subarray(0, w!.rows), inputs)), meanOf(outputs)];
        means[0]!.forEach((value, k) => {
          assert.ok(Math.abs(value - means[1]![k]!) < 1e-5);
        });
      });
    }
  }

  for (const [name, form] of forms) {
    test(`${name}: all methods at once give what each gives`, () => {
      const { groups, ...rest } = regressionsOf(linalg, scene(form));
      const progress: number[] = [];
      const all = measureLayer(linalg, { ...rest, groups }, (done) => progress.push(done));
      const offered = waysOf(form).filter(
        ({ axis }) => axis === 0 || (form.kind === 'conv' && form.kernel.every((extent) => extent > 1)),
      );
      const key = ({ method, axis }: { method: string; axis: number }) => `${method} ${axis}`;
      assert.deepEqual(
        all.map(({ method, firstAxis }) => key({ method, axis: firstAxis })).sort(),
        offered.map(key).sort(),
      );
      for (const { method, firstAxis, measured } of all) {
        const alone = calibratedMethod(form, method, firstAxis)!.measure(linalg, groups);
        alone.spectra.forEach(({ energies, total }, k) => {
          const { spectra } = measured;
          assert.ok(Math.abs(spectra[k]!.total / total - 1) < 1e-12);
          energies.forEach((energy, i) => {
            assert.ok(Math.abs(energy - spectra[k]!.energies[i]!) < 1e-9 * total, `${method}: ${i}`);
          });
        });
      }
      assert.ok(
        progress.every((done, i) => done <= 1 && done >= (progress[i - 1] ?? 0)),
        `${progress}`,
      );
    });
  }

  test('methods that the norm of the data is not known for', () => {
    const square = conv(8, 8, [3, 3]);
    for (const id of ['cp', 'cp3', 'tt', 'tr', 'btd', 'group', 'dcf', 'svd'] as const)
      assert.equal(calibratedMethod(square, id), undefined);
    assert.equal(calibratedMethod(matmul(4, 4), 'tt'), undefined);
    assert.equal(calibratedMethod(conv(8, 8, [1, 1]), 'channel'), undefined);
    assert.equal(calibratedMethod(conv(8, 8, [5]), 'spatial'), undefined);
  });
}

function testOutputs(linalg: Linalg): void {
  const layer = scene(plain, { distortion: 0.4 });
  const regressions = regressionsOf(linalg, layer);
  const [group] = regressions.groups;
  const { candidate } = waysOf(plain)[0]!;
  const method = calibratedMethod(plain, 'svd')!;
  const [spectrum] = method.measure(linalg, regressions.groups).spectra;

  test('by another way: the singular values of W* on whitened inputs', () => {
    const { inputs, lambda, best } = group!;
    const sigma = inputs.covariance.data.map((value, at) => value + (at % 13 === 0 ? lambda : 0));
    // The symmetric square root, from eigenvectors.
    const { values, vectors } = linalg.eigh(matrix(12, 12, sigma), 12);
    const scaled = vectors.data.map((value, at) => value * Math.sqrt(values[Math.floor(at / 12)]!));
    const root = naive(vectors, matrix(12, 12, scaled), true);
    const { sigma: singular, u } = linalg.svd(naive(best, root), 9);
    singular.forEach((value, i) => {
      assert.ok(Math.abs(value ** 2 - spectrum!.energies[i]!) < 1e-10 * spectrum!.total);
    });
    for (const rank of [1, 4, 8]) {
      const { matrices } = factored(linalg, layer, regressions, { candidate, method }, [rank]);
      const leading = matrix(
        9,
        rank,
        u.data.filter((_, at) => at % 9 < rank),
      );
      const projected = naive(leading, naive(leading, best, true));
      assert.ok(distance(matrices[0]!, projected) < 1e-9 * norm(best.data), `rank ${rank}`);
    }
  });

  for (const outputMetrics of [undefined, unevenMetrics(plain, true)])
    test(`nothing else of the rank comes nearer, outputs ${outputMetrics ? 'weighed' : 'alike'}`, () => {
      const next = normals(5);
      const weighed = regressionsOf(linalg, layer, outputMetrics ? { outputMetrics } : {});
      const [group] = weighed.groups;
      for (const rank of [1, 3, 6]) {
        const { factors, matrices } = factored(linalg, layer, weighed, { candidate, method }, [rank]);
        const least = objective(group!, layer.groups[0]!, matrices[0]!);
        const [first, last] = factors as [Float64Array, Float64Array];
        for (let attempt = 0; attempt < 40; attempt++) {
          const size = 10 ** (-attempt / 10);
          const jolt = (data: Float64Array) =>
            data.map((value) => value + (size * norm(data) * next()) / Math.sqrt(data.length));
          const other = naive(matrix(9, rank, jolt(last)), matrix(rank, 12, jolt(first)));
          assert.ok(objective(group!, layer.groups[0]!, other) >= least * (1 - 1e-12), `step ${size}`);
        }
      }
    });

  test('subspaces are nested, and each rank projects W* on its own', () => {
    const { explained, best } = group!;
    const { vectors } = principal(linalg, explained, 9);
    for (let rank = 1; rank <= 9; rank++) {
      const { matrices } = factored(linalg, layer, regressions, { candidate, method }, [rank]);
      const rows = matrix(rank, 9, vectors.data.subarray(0, rank * 9));
      const projected = naive(rows, naive(rows, best), true);
      assert.ok(distance(matrices[0]!, projected) < 1e-9 * norm(best.data));
    }
  });

  test('better on the data than the best for the weight, at every rank', () => {
    const exact = scene(plain, { n: 1000 });
    const own = regressionsOf(linalg, exact, { pairs: false });
    for (let rank = 1; rank < 9; rank++) {
      const aware = factored(linalg, exact, own, { candidate, method }, [rank]);
      const factors = candidate.factor(linalg, exact.weight, [rank]);
      const expanded = candidate.expand(linalg, factors, [rank]);
      const [w] = patchWeights(plain, expanded);
      const blind = objective(own.groups[0]!, exact.groups[0]!, w!);
      assert.ok(objective(own.groups[0]!, exact.groups[0]!, aware.matrices[0]!) <= blind * (1 + 1e-9));
      const blindError = norm(weightResidual(exact.weight, expanded)) / norm(exact.weight);
      assert.ok(aware.weightError >= blindError - 1e-9, 'at the price of an error of the weight');
    }
  });
}

function weightResidual(a: Float64Array, b: Float64Array): Float64Array {
  return a.map((value, i) => value - b[i]!);
}

function testShared(linalg: Linalg): void {
  const square = conv(7, 4, [3, 3]);
  const ways = waysOf(square).filter(({ method }) => method !== 'channel');

  for (const { method: id, axis, candidate } of ways) {
    const method = calibratedMethod(square, id, axis)!;
    const title = `${id}${axis === 1 ? ', second axis first' : ''}`;

    test(`${title}: for inputs that are all alike it is the decomposition of the weight`, () => {
      const layer = scene(square);
      // Σ = σ²I: the norm of the data is that of the weight.
      const white: InputMoments = {
        kind: 'inputs',
        count: 1000,
        mean: new Float64Array(36).fill(0.3),
        covariance: matrix(
          36,
          36,
          Float64Array.from({ length: 36 * 36 }, (_, at) => (at % 37 === 0 ? 2 : 0)),
        ),
      };
      const regressions = layerRegressions(linalg, square, layer.weight, [white], { bias: layer.bias });
      assert.ok(regressions.kind === 'regressions');
      const { spectra } = method.measure(linalg, regressions.groups);
      candidate.series.forEach((series, k) => {
        const { energies, total } = series.measure(linalg, layer.weight, () => {});
        energies.forEach((energy, i) => {
          assert.ok(
            Math.abs(energy / total - spectra[k]!.energies[i]! / spectra[0]!.total) < 1e-9,
            `${k}, ${i}`,
          );
        });
      });
      if (id === 'tucker2') return;
      for (const [rank] of someRanks(candidate)) {
        const aware = factored(linalg, layer, regressions, { candidate, method }, [rank!]);
        const factors = candidate.factor(linalg, layer.weight, [rank!]);
        const expanded = candidate.expand(linalg, factors, [rank!]);
        const actual = candidate.expand(linalg, aware.factors, [rank!]);
        const gap = norm(weightResidual(actual, expanded));
        assert.ok(gap < 1e-7 * norm(layer.weight), `rank ${rank}: ${gap}`);
      }
    });

    test(`${title}: for positions that are alike and independent it is the best there is`, () => {
      const layer = scene(square);
      const split = splitPatch(square, id === 'spatial' ? axis : undefined);
      const { g, t, index } = split;
      const { covariance: shared } = momentsOf(linalg, scene(matmul(g, 2)), { pairs: false })[0]!;
      const covariance = matrix(36, 36, new Float64Array(36 * 36));
      for (let position = 0; position < t; position++) {
        for (let i = 0; i < g; i++) {
          for (let k = 0; k < g; k++)
            covariance.data[index[position * g + i]! * 36 + index[position * g + k]!] =
              shared.data[i * g + k]!;
        }
      }
      const moments: InputMoments = { kind: 'inputs', count: 1000, mean: new Float64Array(36), covariance };
      const regressions = layerRegressions(linalg, square, layer.weight, [moments]);
      assert.ok(regressions.kind === 'regressions');
      const [group] = regressions.groups;
      // Rows (o, t), inputs whitened by the Cholesky factor of the shared covariance: an ordinary low-rank problem.
      const unfolded = matrix(
        7 * t,
        g,
        Float64Array.from(
          { length: 7 * 36 },
          (_, at) =>
            layer.weight[Math.floor(at / (t * g)) * 36 + index[(Math.floor(at / g) % t) * g + (at % g)]!]!,
        ),
      );
      const ridged = shared.data.map((value, at) => value + (at % (g + 1) === 0 ? group!.lambda : 0));
      const whitened = naive(unfolded, linalg.cholesky(matrix(g, g, ridged)));
      const { sigma } = linalg.svd(whitened, 0);
      const [spectrum] = method.measure(linalg, regressions.groups).spectra;
      sigma.forEach((value, i) => {
        const energy = spectrum!.energies[i]!;
        assert.ok(Math.abs(value ** 2 - energy) < 1e-10 * spectrum!.total, `${i}: ${value ** 2}, ${energy}`);
      });
    });

    test(`${title}: a weight that has the rank is found, whatever the data`, () => {
      const ranks = id === 'tucker2' ? [2, 3] : [2];
      const next = normals(8);
      const factors = candidate
        .shapes(ranks)
        .map((dims) => Float64Array.from({ length: dims.reduce((a, b) => a * b, 1) }, next));
      const layer = scene(square);
      const weight = candidate.expand(linalg, factors, ranks);
      const exact: Scene = {
        ...layer,
        weight,
        groups: layer.groups.map(({ inputs }) => ({
          inputs,
          outputs: layerOutputs(patchWeights(square, weight)[0]!, layer.bias, inputs),
        })),
      };
      for (const pairs of [false, true]) {
        const regressions = regressionsOf(linalg, exact, { pairs });
        const result = factored(linalg, exact, regressions, { candidate, method }, ranks);
        assert.ok(result.outputError < 1e-6, `${result.outputError}`);
        const error = predicted(candidate, method.measure(linalg, regressions.groups), ranks);
        assert.ok(error < 1e-9 * totalOf(regressions), `${error}`);
      }
    });

    test(`${title}: for its basis the last factor is the best`, () => {
      const layer = scene(square, { distortion: 0.4 });
      const regressions = regressionsOf(linalg, layer);
      const next = normals(3);
      for (const ranks of someRanks(candidate)) {
        const { factors, matrices } = factored(linalg, layer, regressions, { candidate, method }, ranks);
        const least = objectives(regressions, layer, matrices);
        // Of tucker2 the last two factors together: a step in either is uphill.
        for (let which = 1; which < factors.length; which++) {
          for (let attempt = 0; attempt < 6; attempt++) {
            const other = factors.map((factor, i) =>
              i === which
                ? factor.map((value) => value + 10 ** -(attempt / 2) * norm(factor) * 0.1 * next())
                : factor,
            );
            const moved = patchWeights(square, candidate.expand(linalg, other, ranks));
            assert.ok(objectives(regressions, layer, moved) >= least * (1 - 1e-12));
          }
        }
      }
    });

    test(`${title}: better on the data than the best for the weight`, () => {
      const layer = scene(square, { n: 1000 });
      const regressions = regressionsOf(linalg, layer, { pairs: false });
      for (const ranks of someRanks(candidate)) {
        if (ranks.every((rank, i) => rank === candidate.fullRanks[i])) continue;
        const { matrices } = factored(linalg, layer, regressions, { candidate, method }, ranks);
        const factors = candidate.factor(linalg, layer.weight, ranks);
        const blind = patchWeights(square, candidate.expand(linalg, factors, ranks));
        const [aware, before] = [matrices, blind].map((each) => objectives(regressions, layer, each));
        // The start is not the optimum of both factors, but on data that are far from white it wins.
        assert.ok(aware! <= before! * (1 + 1e-9), `${ranks}: ${aware}, ${before}`);
      }
    });
  }
}

function testEquivariance(linalg: Linalg): void {
  const square = conv(7, 4, [3, 3]);
  const base = scene(square, { distortion: 0.3 });
  const errorsOf = (
    layer: Scene,
    id: 'channel' | 'input-channel' | 'spatial' | 'tucker2',
    axis: 0 | 1 = 0,
  ) => {
    const { groups } = regressionsOf(linalg, layer);
    const { spectra, table } = calibratedMethod(layer.form, id, axis)!.measure(linalg, groups);
    const total = spectra[0]!.total;
    return [...(table?.errors ?? []), ...spectra[0]!.energies].map((value) => value / total);
  };
  const alike = (one: readonly number[], other: readonly number[], what: string) => {
    assert.equal(one.length, other.length);
    one.forEach((value, i) => {
      assert.ok(Math.abs(value - other[i]!) < 1e-9, `${what}: ${value}, ${other[i]}`);
    });
  };
  const changed = (
    change: (w: Matrix<Float64Array>) => Matrix<Float64Array>,
    ofInputs: (p: Matrix<Float64Array>) => Matrix<Float64Array>,
    ofOutputs: (y: Matrix<Float64Array>) => Matrix<Float64Array>,
  ): Scene => ({
    ...base,
    weight: weightOfPatches(square, patchWeights(square, base.weight).map(change), base.weight),
    groups: base.groups.map(({ inputs, outputs }) => ({
      inputs: ofInputs(inputs),
      outputs: ofOutputs(outputs),
    })),
  });
  const rotation = (n: number, seed: number) => linalg.qr(random(double, n, n, seed)).q;
  const scaled =
    (factor: number, shift = 0) =>
    (m: Matrix) =>
      matrix(
        m.rows,
        m.cols,
        Float64Array.from(m.data, (value) => factor * value + shift),
      );
  const ids = ['channel', 'input-channel', 'spatial', 'tucker2'] as const;

  for (const id of ids) {
    const before = errorsOf(base, id);

    test(`${id}: outputs rotated, scaled and shifted`, () => {
      const q = rotation(7, 1);
      const turn = (m: Matrix<Float64Array>) => naive(q, m);
      alike(before, errorsOf(changed(turn, same, turn), id), 'rotated');
      const triple = scaled(3);
      alike(before, errorsOf(changed(triple, same, triple), id), 'scaled');
      alike(before, errorsOf(changed(same, same, scaled(1, 5)), id), 'shifted');
    });

    test(`${id}: inputs scaled and shifted, channels rotated`, () => {
      alike(before, errorsOf(changed(scaled(1 / 4), scaled(4), same), id), 'scaled');
      alike(before, errorsOf(changed(same, scaled(1, -3), same), id), 'shifted');
      // The same rotation of the channels at all positions: what any shared basis may do.
      const q = rotation(4, 2);
      const turn = (m: Matrix<Float64Array>) => {
        const patches = matrix(4, m.data.length / 4, m.data);
        return matrix(36, m.cols, naive(q, patches).data);
      };
      const turned = changed((w) => transpose(turn(transpose(w))), turn, same);
      alike(before, errorsOf(turned, id), 'rotated');
    });
  }

  test('channel: any rotation of the whole patch', () => {
    const q = rotation(36, 3);
    const turned = changed(
      (w) => naive(w, q, false, true),
      (p) => naive(q, p),
      same,
    );
    alike(errorsOf(base, 'channel'), errorsOf(turned, 'channel'), 'rotated');
  });

  test('spatial: the image on its side, the other axis first', () => {
    const aside: ConvForm = conv(7, 4, [3, 3]);
    const swap = (m: Matrix<Float64Array>) =>
      matrix(m.rows, m.cols, permuteAxes(m.data, [4, 3, 3, m.cols], [0, 2, 1, 3]));
    const turned = { ...changed((w) => transpose(swap(transpose(w))), swap, same), form: aside };
    alike(errorsOf(base, 'spatial', 0), errorsOf(turned, 'spatial', 1), 'on its side');
  });

  test('groups: each by itself, the errors added', () => {
    const form = conv(10, 3, [1, 3], { groups: 2 });
    const layer = scene(form, { distortion: 0.3 });
    const { groups } = regressionsOf(linalg, layer);
    for (const { method: id, axis } of waysOf(form)) {
      const method = calibratedMethod(form, id, axis)!;
      const [whole, ...parts] = [groups, [groups[0]!], [groups[1]!]].map(
        (each) => method.measure(linalg, each).spectra[0]!,
      );
      const { energies, total } = sumSpectra(parts);
      assert.deepEqual([whole!.energies, whole!.total], [energies, total]);
    }
  });
}
