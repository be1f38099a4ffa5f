import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { countDecisions } from '../../src/worker/countDecisions';
import { outputComparison } from '../../src/worker/outputComparison';
import { seededArray } from '../support/onnxModel';

/** Scores that choose, and the same a little off: [rows, width]. */
const scores = (rows: number, width: number, seed: number, spread = 6) =>
  Float32Array.from(seededArray(rows * width, seed), (value) => spread * value);

function softmax(values: Float32Array, width: number): Float32Array {
  const out = new Float32Array(values.length);
  for (let at = 0; at < values.length; at += width) {
    const row = [...values.subarray(at, at + width)].map(Math.exp);
    const sum = row.reduce((a, b) => a + b, 0);
    out.set(
      row.map((value) => value / sum),
      at,
    );
  }
  return out;
}

/** Rows whose largest stands at the same place. */
function agreeing(a: Float32Array, b: Float32Array, width: number): number {
  const best = (data: Float32Array, row: number) => {
    const own = [...data.subarray(row * width, (row + 1) * width)];
    return own.indexOf(Math.max(...own));
  };
  let kept = 0;
  for (let row = 0; row < a.length / width; row++) if (best(a, row) === best(b, row)) kept++;
  return kept;
}

/** [rows, width] with the classes in front of `inner` places: [rows / inner, width, inner]. */
function classesInFront(data: Float32Array, width: number, inner: number): Float32Array {
  return data.map((_, at) => {
    const [block, within] = [Math.floor(at / (width * inner)), at % (width * inner)];
    const [j, place] = [Math.floor(within / inner), within % inner];
    return data[(block * inner + place) * width + j]!;
  });
}

function counted(dims: readonly number[], a: ArrayLike<number>, b: ArrayLike<number>, samples: number) {
  const count = countDecisions();
  count.add('y', { dims, data: a }, b, samples);
  return count.result();
}

/** What is chosen; the scores behind it are another matter. */
function decided(...of: Parameters<typeof counted>) {
  const { scoreError: _, ...decisions } = counted(...of) ?? {};
  return counted(...of) && decisions;
}

describe('decisions', () => {
  const [rows, width] = [24, 7];
  const a = scores(rows, width, 1);
  const b = a.map((value, i) => value + scores(rows, width, 2, 3)[i]!);
  const kept = agreeing(a, b, width);
  assert.ok(kept > 3 && kept < rows - 3, 'some change, some do not');
  const [p, q] = [softmax(a, width), softmax(b, width)];

  it('are the largest of a row of probabilities, wherever the classes stand, and of their logarithms', () => {
    const count = rows;
    const log = (data: Float32Array) => data.map(Math.log);
    for (const [dims, one, other, samples, shape] of [
      [[24, 7], p, q, 24, 'one'],
      [[24, 7, 1, 1], p, q, 24, 'one'],
      [[4, 6, 7], p, q, 4, 'steps'],
      [[6, 4, 7], p, q, 4, 'steps'],
      [[24, 1, 7], p, q, 1, 'steps'],
      [[2, 3, 4, 7], p, q, 2, 'map'],
      [[4, 7, 6], classesInFront(p, 7, 6), classesInFront(q, 7, 6), 4, 'steps'],
      [[4, 7, 2, 3], classesInFront(p, 7, 6), classesInFront(q, 7, 6), 4, 'map'],
      [[4, 6, 7], log(p), log(q), 4, 'steps'],
    ] as const)
      assert.deepEqual(decided(dims, one, other, samples), { kept, count, samples, shape }, dims.join());
  });

  it('are the largest of a row of scores for each sample, if the scores choose', () => {
    assert.deepEqual(decided([24, 7], a, b, 24), { kept, count: 24, samples: 24, shape: 'one' });
    const flat = a.map((value) => value / 50);
    assert.equal(decided([24, 7], flat, b, 24), undefined, 'an embedding');
    assert.equal(decided([4, 6, 7], a, b, 4), undefined, 'values of a sequence');
    assert.equal(decided([24, 1], a.subarray(0, 24), b, 24), undefined, 'one value each');
  });

  it('count the same in one run as in several, and those of several outputs together', () => {
    const parts = countDecisions();
    for (const [from, to] of [
      [0, 5],
      [5, 24],
    ] as const) {
      const part = (data: Float32Array) => data.subarray(from * width, to * width);
      parts.add('y', { dims: [to - from, width], data: part(a) }, part(b), to - from);
      parts.add('z', { dims: [to - from, width], data: part(p) }, part(p), to - from);
      parts.add('state', { dims: [to - from, width], data: part(a).slice().fill(0.1) }, part(a), to - from);
    }
    const { scoreError, ...decisions } = parts.result()!;
    assert.equal(scoreError, 0, 'of the probabilities, which are the same');
    assert.deepEqual(decisions, { kept: kept + rows, count: 2 * rows, samples: rows, shape: 'one' });
  });

  it('tell how far the scores behind probabilities are apart, though these are as good as 0 and 1', () => {
    const [one, other] = [
      [12, -3, 0],
      [6, 3, 0],
    ] as const;
    // Around their means, 3 and 3: (9, −6, −3) and (3, 0, −3).
    const expected = Math.sqrt((36 + 36) / (81 + 36 + 9));
    const exact = (values: readonly number[]) => softmax(Float32Array.from(values), 3);
    const { kept: same, scoreError } = counted([1, 3], exact(one), exact(other), 1)!;
    assert.equal(same, 1);
    assert.ok(Math.abs(scoreError! - expected) < 1e-4, `${scoreError} and ${expected}`);
    assert.equal(counted([24, 7], a, b, 24)!.scoreError, undefined);
  });

  it('leave rows out that the original has no numbers for; a class that is ruled out by −∞ is one', () => {
    const broken = p.slice();
    broken[3] = Number.NaN;
    const others = agreeing(p.subarray(width), q.subarray(width), width);
    assert.deepEqual(decided([24, 7], broken, q, 24), { kept: others, count: 23, samples: 24, shape: 'one' });
    const masked = [Math.log(0.25), -Infinity, Math.log(0.75)];
    assert.deepEqual(decided([1, 1, 3], masked, masked, 1), {
      kept: 1,
      count: 1,
      samples: 1,
      shape: 'one',
    });
  });
});

describe('a comparison of outputs', () => {
  const output = (data: readonly number[]) =>
    new Map([['y', { type: 'float32', dims: [1, data.length], data: Float32Array.from(data) }]]);

  it('leaves out what the original computes no number for, and counts it', () => {
    const comparison = outputComparison('small.onnx');
    comparison.add(output([Number.NaN, Infinity]), output([1, 2]), 1);
    comparison.add(output([3, Number.NaN]), output([3, Number.NaN]), 1);
    comparison.add(output([0, 4]), output([0, 2]), 1);
    const { outputError } = comparison.result();
    assert.deepEqual(outputError, {
      relative: 2 / 5,
      cosine: 17 / (5 * Math.sqrt(13)),
      max: 2,
      notFinite: 3,
    });
  });

  it('is refused with a sentence where nothing is left, or the other computes no number', () => {
    const nothing = outputComparison('small.onnx');
    nothing.add(output([Number.NaN]), output([1]), 1);
    assert.throws(
      () => nothing.result(),
      /small\.onnx can't be compared: .* nothing but NaN and infinity\.$/,
    );
    assert.throws(
      () => outputComparison('small.onnx').add(output([1]), output([Number.NaN]), 1),
      /small\.onnx computes NaN in its output "y", where the original computes 1\.$/,
    );
  });
});
