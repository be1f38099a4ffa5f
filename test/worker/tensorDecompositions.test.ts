import assert from 'node:assert/strict';
import test from 'node:test';
import { contractCores } from '../../src/core/tensor/coreChain';
import { matrix, type Numbers } from '../../src/core/tensor/matrix';
import { fold, type Tensor, tensor, unfold } from '../../src/core/tensor/tensor';
import { tensorRing } from '../../src/core/tensor/tensorRing';
import { tensorTrain } from '../../src/core/tensor/tensorTrain';
import { type Tucker2, tucker2 } from '../../src/core/tensor/tucker2';
import { createLapack } from '../../src/worker/lapack';
import { departure, normals, single } from '../core/linalgCases';
import { coreNorms, randomTensor, relativeDistance } from '../core/tensorCases';
import { lapackModules } from './lapackModules';

/** The decompositions on the fast engine, in single precision, at the sizes of a network's layers. */
for (const { name, module } of lapackModules()) {
  const linalg = createLapack(module);

  /** A layer's weights as training leaves them: a few strong directions of either channels, many weak ones. */
  const layer = (
    dims: readonly [number, number, ...number[]],
    power: number,
    seed = 1,
  ): Tensor<Float32Array> => {
    const next = normals(seed);
    let x = randomTensor(single, dims, seed);
    for (const mode of [0, 1]) {
      const n = dims[mode]!;
      const { q } = linalg.qr(matrix(n, n, Float32Array.from({ length: n * n }, next)));
      const a = unfold(x, [mode]);
      const weighted = a.data.map((value, at) => value * (Math.floor(at / a.cols) + 1) ** -power);
      x = fold(linalg.multiply(q, matrix(n, a.cols, weighted)), [mode], dims);
    }
    return x;
  };
  const inDouble = ({ dims, data }: Tensor): Tensor<Float64Array> => tensor(dims, Float64Array.from(data));
  const expand = ({ factors, core }: Tucker2<Numbers>) =>
    [0, 1].reduce((x, mode) => {
      const dims = x.dims.map((n, axis) => (axis === mode ? factors[mode]!.rows : n));
      const factor = matrix(factors[mode]!.rows, factors[mode]!.cols, Float64Array.from(factors[mode]!.data));
      return fold(linalg.multiply(factor, unfold(x, [mode])), [mode], dims);
    }, inDouble(core));

  for (const [dims, ranks, power] of [
    [[64, 64, 3, 3], [32, 32], 0.3],
    [[128, 64, 3, 3], [32, 24], 0.6],
    [[48, 96, 5, 5], [12, 40], 1.5],
    [[64, 80, 1, 3], [64, 20], 0.5],
    [[150, 40, 3], [100, 10], 3],
  ] as const) {
    test(`${name}: tucker2 of ${dims.join(' × ')} at ${ranks}`, () => {
      const x = layer(dims, power);
      const result = tucker2(linalg, x, [0, 1], ranks);
      const measured = relativeDistance(x, expand(result));
      assert.ok(Math.abs(result.error / measured - 1) < 1e-4, `${result.error}, measured ${measured}`);
      assert.ok(result.error <= result.startError);
      for (const factor of result.factors) assert.ok(departure(factor, 'columns') < 1e-5);
      const { error: long } = tucker2(linalg, inDouble(x), [0, 1], ranks, { maxSweeps: 500, tolerance: 0 });
      assert.ok(Math.abs(result.error / long - 1) < 1e-4, `${result.error}, in the long run ${long}`);
    });
  }

  for (const [dims, ranks] of [
    [
      [64, 3, 3, 48],
      [24, 40, 16],
    ],
    [
      [48, 3, 3, 64],
      [24, 40, 16],
    ],
    [
      [16, 16, 16, 12],
      [10, 40, 8],
    ],
    [[128, 200], [40]],
  ] as const) {
    test(`${name}: tensor train and tensor ring of ${dims.join(' × ')}`, () => {
      const x = layer(dims, 0.5);
      const train = tensorTrain(linalg, x, ranks);
      const trainMeasured = relativeDistance(x, contractCores(linalg, train.cores.map(inDouble)));
      assert.ok(Math.abs(train.error / trainMeasured - 1) < 1e-5, `${train.error}, ${trainMeasured}`);
      assert.ok(Math.abs(train.error / train.bound - 1) < 1e-4, `${train.error}, ${train.bound}`);
      const exact = tensorTrain(
        linalg,
        x,
        ranks.map(() => 1e6),
      );
      assert.ok(exact.error < 1e-6 && exact.bound === 0, `${exact.error}`);

      const closed = tensorRing(linalg, x, [1, ...ranks], { maxSweeps: 8 });
      assert.ok(closed.error <= train.error * (1 + 1e-5), `${closed.error}, train ${train.error}`);
      const ring = tensorRing(linalg, x, [3, ...ranks.map((rank) => Math.ceil(rank / 3))], { maxSweeps: 8 });
      const ringMeasured = relativeDistance(x, contractCores(linalg, ring.cores.map(inDouble)));
      assert.ok(Math.abs(ring.error / ringMeasured - 1) < 1e-5, `${ring.error}, ${ringMeasured}`);
      assert.ok(ring.errors.every((e, i) => e <= (ring.errors[i - 1] ?? Infinity)));
      assert.ok(ring.error <= ring.startError * (1 + 1e-5));
      for (const cores of [train.cores, closed.cores, ring.cores]) {
        const norms = coreNorms(cores);
        assert.ok(Math.max(...norms) / Math.min(...norms) < 1 + 1e-5, `${norms}`);
        assert.ok(cores.every(({ data }) => data instanceof Float32Array));
      }
    });
  }
}
