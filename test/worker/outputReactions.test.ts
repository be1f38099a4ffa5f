import assert from 'node:assert/strict';
import path from 'node:path';
import { describe, it } from 'node:test';
import { analyzeModel } from '../../src/core/compress/analyzeModel';
import type { Matrix } from '../../src/core/tensor/matrix';
import { createKept } from '../../src/worker/calibrate/kept';
import { outputReactions } from '../../src/worker/calibrate/outputReactions';
import { openCalibration } from '../../src/worker/calibration/calibrationData';
import { openModel } from '../../src/worker/openModel';
import { loadRuntime } from '../../src/worker/runtime';
import { npyFile } from '../support/npyFile';
import { encodeModel, floatTensor, type ModelSpec, type NodeSpec, seededArray } from '../support/onnxModel';
import { scratchFolder, writeInto } from '../support/scratch';

/** How outputs react to those of a layer, against what a step of them does. */

const runtime = loadRuntime(path.resolve('dist'));
const home = scratchFolder();
let files = 0;

const [COUNT, INPUTS, HIDDEN, CLASSES] = [1024, 6, 5, 4];

/** A layer f1 whose outputs are shifted by `shift`, and what follows. */
function spec(rest: readonly NodeSpec[], shift: ArrayLike<number>): ModelSpec {
  const bias = Float32Array.from(seededArray(HIDDEN, 2), (value, i) => value + shift[i]!);
  return {
    nodes: [
      { op: 'Gemm', name: 'f1', inputs: ['x', 'w1', 'b1'], outputs: ['a'] },
      { op: 'Tanh', name: 't', inputs: ['a'], outputs: ['b'] },
      { op: 'Gemm', name: 'f2', inputs: ['b', 'w2', 'b2'], outputs: ['c'] },
      ...rest,
    ],
    inputs: { x: ['N', INPUTS] },
    outputs: { y: null },
    initializers: [
      floatTensor('w1', [INPUTS, HIDDEN], seededArray(INPUTS * HIDDEN, 1)),
      floatTensor('b1', [HIDDEN], bias),
      floatTensor(
        'w2',
        [HIDDEN, CLASSES],
        seededArray(HIDDEN * CLASSES, 3).map((value) => 3 * value),
      ),
      floatTensor('b2', [CLASSES], seededArray(CLASSES, 4)),
    ],
  };
}

const zero = new Float32Array(HIDDEN);
const softmax: readonly NodeSpec[] = [{ op: 'Softmax', name: 's', inputs: ['c'], outputs: ['y'] }];
const identity: readonly NodeSpec[] = [{ op: 'Identity', name: 's', inputs: ['c'], outputs: ['y'] }];

function opened(rest: readonly NodeSpec[], shift: ArrayLike<number> = zero) {
  return openModel(writeInto(home, `m${files++}.onnx`, encodeModel(spec(rest, shift))));
}

const dataFile = () =>
  writeInto(home, `d${files++}.npy`, npyFile('<f4', [COUNT, INPUTS], seededArray(COUNT * INPUTS, 5)));

/** What the model gives for the samples that factors are fitted to, row by row. */
async function outputsOf(
  rest: readonly NodeSpec[],
  shift: ArrayLike<number>,
  data: string,
): Promise<number[][]> {
  const open = opened(rest, shift);
  const samples = await openCalibration(open.model, new Map(), { path: data });
  const session = await runtime.open(open.path, []);
  try {
    const [batch] = samples.batches(samples.fit, samples.fit.length);
    const [output] = (await session.run(batch!.tensors)).values();
    const values = Array.from(output!.data as Float32Array);
    return samples.fit.map((_, i) => values.slice(i * CLASSES, (i + 1) * CLASSES));
  } finally {
    await session.release();
    samples.close();
    open.close();
  }
}

async function reactionsOf(
  rest: readonly NodeSpec[],
  data: string,
  meaning: 'divergence' | 'values',
  seed = 1,
) {
  const open = opened(rest);
  const samples = await openCalibration(open.model, new Map(), { path: data });
  try {
    const { layers, totals } = analyzeModel(open.model, { dims: {}, openExternal: open.openExternal });
    const tools = { runtime: () => runtime, kept: createKept() };
    const on = { open, data: samples, macs: totals.macs };
    const found = await outputReactions(tools, on, layers, { meaning, foldNorms: true, seed });
    return { first: found.get(layers[0]!)?.[0], last: found.get(layers[1]!)?.[0] };
  } finally {
    samples.close();
    open.close();
  }
}

function form({ rows, data }: Matrix, step: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < rows; j++) sum += step[i]! * data[i * rows + j]! * step[j]!;
  return sum;
}

const STEPS = [0, 1, 2, 3, 4].map((i) =>
  Float32Array.from({ length: HIDDEN }, (_, k) => (k === i ? 0.05 : 0)),
);
const sumOf = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);

/** Ratios of what the matrix says of steps to what these do. */
async function ratios(
  rest: readonly NodeSpec[],
  meaning: 'divergence' | 'values',
  distance: (before: number[][], after: number[][]) => number,
): Promise<number[]> {
  const data = dataFile();
  const { first } = await reactionsOf(rest, data, meaning);
  const before = await outputsOf(rest, zero, data);
  const found: number[] = [];
  for (const step of STEPS) {
    const [up, down] = [step, Float32Array.from(step, (value) => -value)];
    const both = [await outputsOf(rest, up, data), await outputsOf(rest, down, data)];
    found.push(form(first!, step) / ((distance(before, both[0]!) + distance(before, both[1]!)) / 2));
  }
  return found;
}

/** Whether all are one number, but for what random signs leave. */
function assertAlike(values: readonly number[]): void {
  const mean = sumOf(values) / values.length;
  for (const value of values) assert.ok(Math.abs(value / mean - 1) < 0.15, values.join(', '));
}

describe('how outputs react to those of a layer', () => {
  it('is the divergence of probabilities that a step gives', async () => {
    assertAlike(
      await ratios(softmax, 'divergence', (before, after) =>
        sumOf(before.map((p, i) => sumOf(p.map((value, k) => value * Math.log(value / after[i]![k]!))))),
      ),
    );
  });

  it('is the same for scores as for the probabilities that follow from them', async () => {
    const data = dataFile();
    const [one, other] = [
      await reactionsOf(softmax, data, 'divergence'),
      await reactionsOf(identity, data, 'divergence'),
    ];
    for (const [i, value] of one.first!.data.entries())
      assert.ok(Math.abs(value - other.first!.data[i]!) < 1e-4 * Math.abs(one.first!.data[0]!));
  });

  it('is the squared distance of values that a step gives', async () => {
    assertAlike(
      await ratios(identity, 'values', (before, after) =>
        sumOf(before.map((row, i) => sumOf(row.map((value, k) => (value - after[i]![k]!) ** 2)))),
      ),
    );
  });

  it('is symmetric, and the same for the same seed', async () => {
    const data = dataFile();
    const runs = [
      await reactionsOf(softmax, data, 'divergence', 3),
      await reactionsOf(softmax, data, 'divergence', 3),
      await reactionsOf(softmax, data, 'divergence', 4),
    ].map(({ first }) => first!);
    assert.deepEqual(runs[0]!.data, runs[1]!.data);
    assert.notDeepEqual(runs[0]!.data, runs[2]!.data);
    const { rows, data: values } = runs[0]!;
    for (let i = 0; i < rows; i++)
      for (let j = 0; j < i; j++)
        assert.ok(Math.abs(values[i * rows + j]! - values[j * rows + i]!) < 1e-5 * values[0]!);
  });

  it('is not known in front of an operator without a rule', async () => {
    const rest: readonly NodeSpec[] = [
      { op: 'Hardmax', name: 'h', inputs: ['b'], outputs: ['h'] },
      { op: 'Gemm', name: 'f3', inputs: ['h', 'w2', 'b2'], outputs: ['g'] },
      { op: 'Add', name: 'sum', inputs: ['g', 'c'], outputs: ['y'] },
    ];
    const { first, last } = await reactionsOf(rest, dataFile(), 'divergence');
    assert.equal(first, undefined);
    assert.ok(last === undefined || last.rows === CLASSES);
  });
});
