import assert from 'node:assert/strict';
import path from 'node:path';
import { after, it } from 'node:test';
import { calibrationBatches } from '../../src/worker/activations/inputBatches';
import { openCalibration } from '../../src/worker/calibration/calibrationData';
import { openModel } from '../../src/worker/openModel';
import { outputComparison } from '../../src/worker/outputComparison';
import { loadRuntime } from '../../src/worker/runtime';
import { createCheckedSession } from '../support/checkedSession';
import { npyFile } from '../support/npyFile';
import { encodeModel, floatTensor, type ModelSpec, type NodeSpec, seededArray } from '../support/onnxModel';
import { scratchFolder, writeInto } from '../support/scratch';

/**
 * Every kind of layer that multiplies, by itself in a model: at the same rank, what is fitted to the samples is nearer to
 * what the layer gives on them than what the weight alone leads to, and no bias is lost on the way.
 */

const folder = path.resolve('dist');
const session = createCheckedSession({ folder, threadScript: path.join(folder, 'factorThread.js') });
const runtime = loadRuntime(folder);
after(() => session.close());

const COUNT = 64;

interface LayerCase {
  readonly x: readonly number[];
  readonly node: Omit<NodeSpec, 'outputs' | 'name'>;
  readonly weight: readonly number[];
  readonly bias?: readonly number[];
  readonly before?: readonly NodeSpec[];
}

const conv = (attributes: NodeSpec['attributes'] = {}, more: Partial<LayerCase> = {}): LayerCase => ({
  x: [8, 9, 8],
  node: { op: 'Conv', inputs: ['x', 'w', 'b'], attributes },
  weight: [12, 8, 3, 3],
  bias: [12],
  ...more,
});

const CASES: Readonly<Record<string, LayerCase>> = {
  'a convolution with strides, dilations and uneven pads': conv({
    strides: [2, 1],
    dilations: [1, 2],
    pads: [1, 0, 2, 1],
  }),
  'a convolution in groups': conv({ group: 2, pads: [1, 1, 1, 1] }, { weight: [12, 4, 3, 3] }),
  'a convolution whose padding follows from its size': conv({ auto_pad: 'SAME_UPPER', strides: [2, 2] }),
  'a convolution of 1 × 1': conv({}, { weight: [12, 8, 1, 1] }),
  'a convolution along one axis': conv({}, { x: [8, 20], weight: [12, 8, 5] }),
  'a transposed convolution': conv(
    {},
    {
      node: { op: 'ConvTranspose', inputs: ['x', 'w', 'b'], attributes: { strides: [2, 2] } },
      weight: [8, 12, 3, 3],
    },
  ),
  'x · W with several vectors a sample': {
    x: [5, 24],
    node: { op: 'MatMul', inputs: ['x', 'w'] },
    weight: [24, 16],
  },
  'W · x': { x: [24, 5], node: { op: 'MatMul', inputs: ['w', 'x'] }, weight: [16, 24] },
  'a batch of matrices': { x: [3, 5, 24], node: { op: 'MatMul', inputs: ['x', 'w'] }, weight: [3, 24, 16] },
  'Gemm with x transposed': {
    x: [24],
    before: [{ op: 'Transpose', inputs: ['x'], outputs: ['t'], attributes: { perm: [1, 0] } }],
    node: { op: 'Gemm', inputs: ['t', 'w', 'b'], attributes: { transA: 1, beta: { float: 0.5 } } },
    weight: [24, 16],
    bias: [16],
  },
  'Gemm with W in front': {
    x: [24],
    before: [{ op: 'Transpose', inputs: ['x'], outputs: ['t'], attributes: { perm: [1, 0] } }],
    node: { op: 'Gemm', inputs: ['w', 't', 'b'], attributes: { alpha: { float: 3 } } },
    weight: [16, 24],
    bias: [16, 1],
  },
};

function specOf({ x, node, weight, bias, before = [] }: LayerCase): ModelSpec {
  const size = weight.reduce((a, b) => a * b, 1);
  return {
    nodes: [...before, { ...node, name: 'layer', outputs: ['y'] }],
    inputs: { x: ['N', ...x] },
    outputs: { y: null },
    initializers: [
      floatTensor('w', [...weight], seededArray(size, 3)),
      ...(bias ? [floatTensor('b', [...bias], seededArray(Math.max(...bias), 4))] : []),
    ],
  };
}

/** Values that follow each other smoothly, around a mean that is not 0. */
function samples(x: readonly number[]): Uint8Array {
  const values = seededArray(
    x.reduce((a, b) => a * b, COUNT),
    5,
  );
  for (let at = 1; at < values.length; at++) values[at] = 0.9 * values[at - 1]! + 0.3 * values[at]! + 0.1;
  return npyFile('<f4', [COUNT, ...x], values);
}

for (const [name, each] of Object.entries(CASES)) {
  it(name, async () => {
    const home = scratchFolder();
    const model = writeInto(home, 'model.onnx', encodeModel(specOf(each)));
    const data = writeInto(home, 'data.npy', samples(each.x));
    const compress = async (file: string, isCalibrated: boolean) => {
      const { layers } = await session.compress({
        path: model,
        output: path.join(home, file),
        target: { kind: 'rank', rank: 3 },
        method: 'auto',
        overwrite: false,
        allowLarger: true,
        dims: { N: 1 },
        ...(isCalibrated ? { calibration: { path: data } } : {}),
      });
      return layers[0]!;
    };
    const layer = await compress('calibrated.onnx', true);
    await compress('plain.onnx', false);
    assert.equal(layer.uncalibrated, undefined);
    assert.notEqual(layer.method, 'dense');

    const open = openModel(model);
    const chosen = await openCalibration(open.model, new Map(), { path: data });
    const sessions = await Promise.all(
      ['model', 'calibrated', 'plain'].map((file) => runtime.open(path.join(home, `${file}.onnx`), [])),
    );
    try {
      const comparisons = [outputComparison('calibrated'), outputComparison('plain')];
      let sum = 0;
      for await (const { tensors } of calibrationBatches(chosen, chosen.fit, 16)) {
        const [expected, ...actual] = await Promise.all(sessions.map((one) => one.run(tensors)));
        for (const [i, outputs] of actual.entries()) comparisons[i]!.add(expected!, outputs, 16);
        const [y, z] = [expected!, actual[0]!].map((outputs) => outputs.get('y')!.data as Float32Array);
        for (let i = 0; i < y!.length; i++) sum += y![i]! - z![i]!;
      }
      const [own, other] = comparisons.map((comparison) => comparison.result().outputError.relative) as [
        number,
        number,
      ];
      assert.ok(own < other, `${own} against ${other}`);
      assert.ok(own < 0.9 && Math.abs(sum) < 1e-2, `${own}, ${sum}`);
    } finally {
      for (const one of sessions) await one.release();
      chosen.close();
      open.close();
    }
  });
}
