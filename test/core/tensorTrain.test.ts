import assert from 'node:assert/strict';
import { test } from 'node:test';
import { contractCores } from '../../src/core/tensor/coreChain';
import { LinalgError } from '../../src/core/tensor/linalg';
import { createMlMatrix } from '../../src/core/tensor/mlMatrix';
import { type Tensor, tensor, unfold } from '../../src/core/tensor/tensor';
import { clipTrainRanks, tensorTrain } from '../../src/core/tensor/tensorTrain';
import { truncatedSvd } from '../../src/core/tensor/truncatedSvd';
import { double, single } from './linalgCases';
import { coreNorms, decaying, randomCores, randomTensor, relativeDistance } from './tensorCases';

const linalg = createMlMatrix();
const largeEnough = (dims: readonly number[]) => dims.slice(1).map(() => 1e6);

for (const dims of [[7], [5, 8], [8, 5], [4, 5, 6], [6, 3, 3, 5], [3, 2, 4, 2, 3], [1, 4, 1, 3], [1, 1]]) {
  for (const precision of [single, double] as const) {
    test(`${dims.join(' × ')}, ${precision.name}: full ranks are exact`, () => {
      const x = randomTensor<Float32Array | Float64Array>(precision, dims);
      const { cores, ranks, bound, error } = tensorTrain(linalg, x, largeEnough(dims));
      assert.ok(relativeDistance(x, contractCores(linalg, cores)) < 30 * precision.epsilon * dims.length);
      assert.ok(error < 30 * precision.epsilon * dims.length && bound === 0, `${error}, ${bound}`);
      assert.ok(cores.every(({ data }) => data.constructor === x.data.constructor));
      assert.deepEqual(
        cores.map((core) => core.dims),
        dims.map((n, k) => [ranks[k - 1] ?? 1, n, ranks[k] ?? 1]),
      );
    });
  }
}

/** ‖x‖-relative tails of x's own unfoldings, by bond. */
function tails(x: Tensor<Float64Array>, ranks: readonly number[]): number[] {
  const energy = x.data.reduce((sum, value) => sum + value * value, 0);
  return ranks.map((rank, k) => {
    const { sigma } = truncatedSvd(
      linalg,
      unfold(
        x,
        Array.from({ length: k + 1 }, (_, axis) => axis),
      ),
      0,
    );
    return Math.sqrt(sigma.slice(rank).reduce((sum, s) => sum + s * s, 0) / energy);
  });
}

for (const [dims, ranks] of [
  [
    [6, 7, 8],
    [3, 4],
  ],
  [
    [16, 3, 3, 12],
    [6, 12, 5],
  ],
  [
    [12, 3, 3, 16],
    [1, 1, 1],
  ],
  [
    [4, 3, 5, 3, 4],
    [2, 3, 4, 2],
  ],
  [[9, 14], [4]],
] as const) {
  for (const [name, x] of [
    ['random', randomTensor(double, dims, 3)],
    ['decaying', decaying(dims, 1.2)],
  ] as const) {
    test(`${dims.join(' × ')} at ${ranks.join(', ')}, ${name}: the error is between its bounds, and is the one measured`, () => {
      const { cores, ranks: used, bound, error } = tensorTrain(linalg, x, ranks);
      const measured = relativeDistance(x, contractCores(linalg, cores));
      assert.ok(Math.abs(error - measured) < 1e-12);
      assert.ok(error <= bound * (1 + 1e-7) && error > bound * (1 - 1e-7), `${error}, bound ${bound}`);
      const own = tails(x, used);
      assert.ok(error <= Math.hypot(...own) * (1 + 1e-9), 'theorem 2.2');
      assert.ok(error >= Math.max(...own) * (1 - 1e-9), 'no train of these ranks is closer');
      const norms = coreNorms(cores);
      assert.ok(Math.max(...norms) / Math.min(...norms) < 1 + 1e-9);
    });
  }
}

test('both ends: a tensor and its reverse have the same error, and the cheaper end is the same one', () => {
  const x = randomTensor(double, [3, 4, 5, 9], 8);
  const reversed = tensor(x.dims.toReversed(), unfold(x, [3, 2, 1, 0]).data);
  const [one, other] = [tensorTrain(linalg, x, [2, 5, 4]), tensorTrain(linalg, reversed, [4, 5, 2])];
  assert.ok(Math.abs(one.error - other.error) < 1e-10);
});

test('a tensor of just these train ranks is recovered', () => {
  for (const ranks of [
    [2, 3, 2],
    [1, 1, 1],
    [4, 4, 4],
  ]) {
    const x = contractCores(linalg, randomCores([5, 6, 4, 5], [1, ...ranks, 1], 21));
    const { error } = tensorTrain(linalg, x, ranks);
    assert.ok(error < 1e-12, `${ranks}: ${error}`);
    const more = tensorTrain(linalg, x, [5, 6, 5]);
    assert.ok(more.error < 1e-12, `more than enough: ${more.error}`);
  }
});

test('ranks are clipped to what their neighbours allow', () => {
  assert.deepEqual(clipTrainRanks([4, 3, 2], [99, 99]), [4, 2]);
  assert.deepEqual(clipTrainRanks([4, 3, 2], [1, 99]), [1, 2]);
  assert.deepEqual(clipTrainRanks([9, 3, 2], [9, 1]), [3, 1]);
  assert.deepEqual(clipTrainRanks([2, 2, 2, 2], [8, 8, 8]), [2, 4, 2]);
  assert.deepEqual(clipTrainRanks([5], []), []);
});

test('zero, huge and tiny tensors; NaN, infinity and ranks that do not fit are refused', () => {
  const zero = tensorTrain(linalg, tensor([3, 4, 2], new Float32Array(24)), [2, 2]);
  assert.deepEqual([zero.error, zero.bound], [0, 0]);
  assert.ok(zero.cores.every(({ data }) => data.every((value) => value === 0 || Number.isFinite(value))));
  assert.ok(contractCores(linalg, zero.cores).data.every((value) => value === 0));
  const plain = randomTensor(double, [4, 5, 3], 2);
  const reference = tensorTrain(linalg, plain, [2, 2]).error;
  for (const scale of [1e-250, 1e250]) {
    const x = tensor(
      plain.dims,
      plain.data.map((value) => value * scale),
    );
    assert.ok(Math.abs(tensorTrain(linalg, x, [2, 2]).error - reference) < 1e-12);
  }
  const bad = (data: Float32Array, ranks: readonly number[], code: string) =>
    assert.throws(
      () => tensorTrain(linalg, tensor([2, 2], data), ranks),
      (error) => error instanceof LinalgError && error.code === code,
    );
  bad(Float32Array.of(1, 2, Number.NaN, 4), [1], 'not-finite');
  bad(Float32Array.of(1, 2, Number.NEGATIVE_INFINITY, 4), [1], 'not-finite');
  bad(Float32Array.of(1, 2, 3, 4), [0], 'bad-argument');
  bad(Float32Array.of(1, 2, 3, 4), [1, 1], 'bad-argument');
});
