import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { createAccumulator } from '../../src/core/compress/calibrated/accumulator';
import { calibratedMethod } from '../../src/core/compress/calibrated/calibratedMethod';
import { factorCalibrated } from '../../src/core/compress/calibrated/factorCalibrated';
import { layerRegressions } from '../../src/core/compress/calibrated/layerRegressions';
import { type CalibratedForm, groupCount } from '../../src/core/compress/calibrated/patchWeights';
import { rewriteModel } from '../../src/core/compress/rewrite';
import { memorySource } from '../../src/core/onnx/byteSource';
import { readModel } from '../../src/core/onnx/read';
import { encodeFloats } from '../../src/core/onnx/tensorData';
import { columnsOf } from '../../src/core/tensor/dense';
import { type Matrix, matrix } from '../../src/core/tensor/matrix';
import { createLapack } from '../../src/worker/lapack';
import { loadLapackModule } from '../../src/worker/lapackFiles';
import { waysOf } from '../core/calibratedCases';
import { layersOf, run } from '../support/fullRank';
import { encodeModel, floatTensor, joinSegments, type ModelSpec, seededArray } from '../support/onnxModel';

/**
 * Calibration against ONNX Runtime: the inputs a weight multiplies are taken from the image as the operators define
 * them, and the nodes with the factors and the corrected bias have the output error that was computed from moments.
 */

const linalg = createLapack(loadLapackModule(path.resolve('dist')));

/** Where a convolution of an image of `size` looks. */
interface Geometry {
  readonly channels: number;
  readonly groups: number;
  readonly size: readonly [number, number];
  readonly kernel: readonly [number, number];
  readonly strides: readonly [number, number];
  readonly dilations: readonly [number, number];
  /** Before, before, after, after. */
  readonly pads: readonly [number, number, number, number];
  readonly isTransposed: boolean;
}

const outputSize = ({ size, kernel, strides, dilations, pads, isTransposed }: Geometry) =>
  [0, 1].map((a) => {
    const extent = dilations[a]! * (kernel[a]! - 1) + 1;
    const padding = pads[a]! + pads[2 + a]!;
    return isTransposed
      ? strides[a]! * (size[a]! - 1) + extent - padding
      : Math.floor((size[a]! + padding - extent) / strides[a]!) + 1;
  }) as [number, number];

/** The patches of one group, a column per output position and image. */
function patchesOf(g: Geometry, images: Float32Array, count: number, group: number): Matrix<Float32Array> {
  const [h, w] = g.size;
  const [oh, ow] = outputSize(g);
  const channels = g.channels / g.groups;
  const columns = count * oh * ow;
  const out = new Float32Array(channels * g.kernel[0] * g.kernel[1] * columns);
  /** The position of the image that tap `k` of the kernel meets at output position `o`; undefined between pixels. */
  const source = (a: 0 | 1, o: number, k: number) => {
    if (!g.isTransposed) return o * g.strides[a] - g.pads[a] + k * g.dilations[a];
    const at = (o + g.pads[a] - k * g.dilations[a]) / g.strides[a];
    return Number.isInteger(at) ? at : -1;
  };
  let to = 0;
  for (let c = group * channels; c < (group + 1) * channels; c++) {
    for (let i = 0; i < g.kernel[0]; i++) {
      for (let j = 0; j < g.kernel[1]; j++) {
        for (let image = 0; image < count; image++) {
          for (let y = 0; y < oh; y++) {
            for (let x = 0; x < ow; x++, to++) {
              const [sy, sx] = [source(0, y, i), source(1, x, j)];
              if (sy < 0 || sy >= h || sx < 0 || sx >= w) continue;
              out[to] = images[((image * g.channels + c) * h + sy) * w + sx]!;
            }
          }
        }
      }
    }
  }
  return matrix(out.length / columns, columns, out);
}

/** [count, channels, …] as one row per channel. */
function channelRows(data: ArrayLike<number>, count: number, channels: number): Matrix<Float32Array> {
  const size = data.length / (count * channels);
  const out = new Float32Array(data.length);
  for (let image = 0; image < count; image++)
    for (let c = 0; c < channels; c++)
      for (let k = 0; k < size; k++)
        out[(c * count + image) * size + k] = data[(image * channels + c) * size + k]!;
  return matrix(channels, count * size, out);
}

const rowsOf = ({ cols, data }: Matrix<Float32Array>, from: number, to: number) =>
  matrix(to - from, cols, data.subarray(from * cols, to * cols));

/** Smooth images, so that neighbours are alike. */
function images(count: number, channels: number, [h, w]: readonly [number, number]): Float32Array {
  const out = seededArray(count * channels * h * w, 6);
  for (let at = 1; at < out.length; at++) out[at] = 0.7 * out[at - 1]! + 0.3 * out[at]! + 0.05;
  return out;
}

const COUNT = 24;
const geometry: Geometry = {
  channels: 6,
  groups: 1,
  size: [9, 8],
  kernel: [3, 3],
  strides: [1, 1],
  dilations: [1, 1],
  pads: [1, 1, 1, 1],
  isTransposed: false,
};

const convolutions: readonly (readonly [string, Geometry, number])[] = [
  ['a convolution', geometry, 8],
  [
    'strides, dilations and uneven pads',
    { ...geometry, kernel: [3, 2], strides: [2, 1], dilations: [1, 2], pads: [1, 0, 2, 1] },
    8,
  ],
  ['groups', { ...geometry, groups: 2 }, 8],
  ['1 × 1 with a stride', { ...geometry, kernel: [1, 1], strides: [2, 2], pads: [0, 0, 0, 0] }, 8],
  ['a transposed convolution', { ...geometry, isTransposed: true, strides: [2, 3], pads: [1, 0, 1, 1] }, 8],
  ['a transposed convolution in groups', { ...geometry, groups: 2, isTransposed: true, strides: [2, 2] }, 8],
];

for (const [name, g, outputs] of convolutions) {
  const dims = g.isTransposed
    ? [g.channels, outputs / g.groups, ...g.kernel]
    : [outputs, g.channels / g.groups, ...g.kernel];
  const x = images(COUNT, g.channels, g.size);
  const { strides, dilations, pads, groups } = g;
  const spec = (weight: Float32Array, bias: Float32Array): ModelSpec => ({
    nodes: [
      {
        op: g.isTransposed ? 'ConvTranspose' : 'Conv',
        name: 'layer',
        inputs: ['x', 'w', 'b'],
        outputs: ['y'],
        attributes: { strides, dilations, pads, group: groups },
      },
    ],
    inputs: { x: [COUNT, g.channels, ...g.size] },
    outputs: { y: null },
    initializers: [floatTensor('w', dims, weight), floatTensor('b', [outputs], bias)],
  });
  const input = { type: 'float32', dims: [COUNT, g.channels, ...g.size], data: x };
  const patches = (form: CalibratedForm) =>
    Array.from({ length: groupCount(form) }, (_, i) => patchesOf(g, x, COUNT, i));
  const outputRows = (y: ArrayLike<number>) => channelRows(y, COUNT, outputs);
  check(name, dims, outputs, spec, input, patches, outputRows);
}

{
  const [inner, outer, rows] = [14, 10, 200];
  const x = images(rows, inner, [1, 1]);
  const spec = (weight: Float32Array, bias: Float32Array): ModelSpec => ({
    nodes: [
      { op: 'Gemm', name: 'layer', inputs: ['x', 'w', 'b'], outputs: ['y'], attributes: { transB: 1 } },
    ],
    inputs: { x: [rows, inner] },
    outputs: { y: null },
    initializers: [floatTensor('w', [outer, inner], weight), floatTensor('b', [outer], bias)],
  });
  const input = { type: 'float32', dims: [rows, inner], data: x };
  const patches = () => [channelRows(x, rows, inner)];
  check('Gemm', [outer, inner], outer, spec, input, patches, (y) => channelRows(y, rows, outer));
}

function check(
  name: string,
  dims: readonly number[],
  outputs: number,
  spec: (weight: Float32Array, bias: Float32Array) => ModelSpec,
  input: { type: string; dims: readonly number[]; data: Float32Array },
  patches: (form: CalibratedForm) => readonly Matrix<Float32Array>[],
  outputRows: (y: ArrayLike<number>) => Matrix<Float32Array>,
): void {
  const count = dims.reduce((a, b) => a * b, 1);
  const [weight, bias] = [seededArray(count, 3), seededArray(outputs, 4)];
  const before = encodeModel(spec(weight, bias));
  const { form } = layersOf(readModel(memorySource('m.onnx', before)))[0]!;
  assert.ok(form.kind === 'conv' || form.kind === 'matmul');
  const outputsOf = async (bytes: Uint8Array) => {
    const y = (await run(bytes, new Map([['x', input]]))).get('y')!;
    return outputRows(y.data as ArrayLike<number>);
  };

  for (const { method: id, axis, candidate } of waysOf(form)) {
    test(`${name}: ${id}${axis === 1 ? ', second axis first' : ''}: nodes with these factors and this bias have that error`, async () => {
      const expected = await outputsOf(before);
      const inputs = patches(form);
      const perGroup = outputs / inputs.length;
      const moments = inputs.map((p, i) => {
        const y = rowsOf(expected, i * perGroup, (i + 1) * perGroup);
        const accumulator = createAccumulator(linalg, { inputs: p.rows, outputs: perGroup });
        // Image by image, or whatever comes.
        for (let from = 0; from < p.cols; from += 77) {
          const some = Math.min(77, p.cols - from);
          accumulator.add(columnsOf(p, from, some), columnsOf(y, from, some));
        }
        const result = accumulator.finish();
        assert.ok(result.kind === 'pairs');
        return result;
      });
      const regressions = layerRegressions(linalg, form, weight, moments);
      assert.ok(regressions.kind === 'regressions');
      // Had the patches another order than the weight, its own outputs would not be explained by it.
      for (const { best, weight: w } of regressions.groups)
        assert.ok(Math.max(...best.data.map((value, i) => Math.abs(value - w.data[i]!))) < 1e-4);

      const method = calibratedMethod(form, id, axis)!;
      const ranks = candidate.fullRanks.map((full) => Math.max(1, Math.round(full / 2)));
      const { factors, ...result } = factorCalibrated(
        linalg,
        weight,
        regressions,
        { candidate, method },
        ranks,
        (factor: Float32Array) => factor,
      );
      const model = readModel(
        memorySource('m.onnx', encodeModel(spec(weight, Float32Array.from(result.bias)))),
      );
      const [layer] = layersOf(model);
      const pieces = factors.map((factor) => encodeFloats(1, factor));
      const after = rewriteModel(model, [{ layer: layer!, candidate, ranks, factors: pieces }]);
      const actual = await outputsOf(joinSegments(after.segments));

      let [residual, variance] = [0, 0];
      for (let i = 0; i < outputs; i++) {
        const [y, yHat] = [expected, actual].map((each) => rowsOf(each, i, i + 1).data);
        const mean = y!.reduce((sum, value) => sum + value, 0) / y!.length;
        const meanHat = yHat!.reduce((sum, value) => sum + value, 0) / y!.length;
        assert.ok(Math.abs(mean - meanHat) < 1e-5, `mean of output ${i}: ${meanHat}, was ${mean}`);
        y!.forEach((value, k) => {
          residual += (value - yHat![k]!) ** 2;
          variance += (value - mean) ** 2;
        });
      }
      const measured = Math.sqrt(residual / variance);
      assert.ok(measured > 1e-3, 'something is lost');
      assert.ok(Math.abs(measured - result.outputError) < 1e-5, `${measured}, said ${result.outputError}`);
    });
  }
}
