import assert from 'node:assert/strict';
import path from 'node:path';
import { after, describe, it } from 'node:test';
import { NO_PREPROCESSING, parsePreprocessing } from '../../src/worker/calibration/preprocessing';
import type { CalibrationRequest, Progress } from '../../src/worker/engine';
import { createCheckedSession } from '../support/checkedSession';
import { npyFile } from '../support/npyFile';
import { encodeModel, floatTensor, seededArray } from '../support/onnxModel';
import { scratchFolder, writeInto } from '../support/scratch';

const dist = path.resolve('dist');
const session = createCheckedSession({ folder: dist, threadScript: path.join(dist, 'factorThread.js') });
after(() => session.close());

const [COUNT, CHANNELS, SIDE] = [40, 3, 6] as const;
const home = scratchFolder();

/** Pixels of channels that are unlike each other. */
const pixels = Float32Array.from(
  seededArray(COUNT * CHANNELS * SIDE * SIDE, 3),
  (value, i) => 128 + 40 * (Math.floor(i / SIDE ** 2) % CHANNELS) + 30 * value,
);

/** Mean and standard deviation by channel, by their definitions. */
function statistics(values: ArrayLike<number>): { mean: number[]; std: number[] } {
  const own = (c: number) => Array.from(values).filter((_, i) => Math.floor(i / SIDE ** 2) % CHANNELS === c);
  const mean = [0, 1, 2].map((c) => own(c).reduce((a, b) => a + b, 0) / own(c).length);
  const std = mean.map((m, c) => Math.sqrt(own(c).reduce((a, b) => a + (b - m) ** 2, 0) / own(c).length));
  return { mean, std };
}

/** A model that normalises what it gets by the statistics of its training: those of data that was brought to mean 0 and std 1. */
const model = writeInto(
  home,
  'net.onnx',
  encodeModel({
    nodes: [
      { op: 'BatchNormalization', name: 'norm', inputs: ['x', 's', 't', 'm', 'v'], outputs: ['a'] },
      { op: 'Conv', name: 'conv', inputs: ['a', 'w'], outputs: ['y'] },
    ],
    inputs: { x: ['N', CHANNELS, SIDE, SIDE] },
    outputs: { y: null },
    initializers: [
      floatTensor('s', [3], [1, 1, 1]),
      floatTensor('t', [3], [0, 0, 0]),
      floatTensor('m', [3], [0, 0, 0]),
      floatTensor('v', [3], [1, 1, 1]),
      floatTensor('w', [8, 3, 3, 3], seededArray(8 * 27, 4)),
    ],
  }),
);
const data = writeInto(home, 'data.npy', npyFile('<f4', [COUNT, CHANNELS, SIDE, SIDE], pixels));
const { mean, std } = statistics(pixels);

const describeData = (calibration: Omit<CalibrationRequest, 'path'>, more = {}) =>
  session.describeCalibration({ path: model, calibration: { path: data, ...calibration }, ...more });

describe('what data for a model is like', () => {
  it('is counted and measured by channel', async () => {
    const found = await describeData({});
    assert.deepEqual([found.kind, found.count, found.fit, found.heldBack], ['npy', COUNT, 35, 5]);
    const [input] = found.inputs;
    assert.deepEqual(input!.shape, [CHANNELS, SIDE, SIDE]);
    assert.equal(input!.channels.length, CHANNELS);
    for (const [c, channel] of input!.channels.entries()) {
      assert.ok(Math.abs(channel.mean - mean[c]!) < 1e-3, `mean ${channel.mean}, not ${mean[c]}`);
      assert.ok(Math.abs(channel.std - std[c]!) < 1e-3, `std ${channel.std}, not ${std[c]}`);
    }
    assert.equal(found.identity, undefined);
  });

  it('is held against the statistics of the first BatchNormalization', async () => {
    const raw = await describeData({});
    const spread = Math.cbrt(std[0]! * std[1]! * std[2]!);
    assert.ok(Math.abs(raw.fitToNorm!.spread / spread - 1) < 0.1, `${raw.fitToNorm!.spread}`);
    assert.match(raw.warnings[0]!, /^Scale, mean or standard deviation .* times as spread as in training/);
    assert.match(raw.warnings[0]!, /running statistics of "norm" on 16 samples/);
    const normal = await describeData({ preprocessing: { ...NO_PREPROCESSING, mean, std } });
    assert.ok(Math.abs(normal.fitToNorm!.spread - 1) < 0.1, `${normal.fitToNorm!.spread}`);
    assert.ok(normal.fitToNorm!.shift < 0.2, `${normal.fitToNorm!.shift}`);
    assert.ok(!normal.warnings.some((each) => /BatchNormalization/.test(each)));
    const off = await describeData({
      preprocessing: { ...NO_PREPROCESSING, mean: mean.map((m, c) => m - 5 * std[c]!), std },
    });
    assert.match(off.warnings[0]!, /lie 5(\.\d)? standard deviations from those in training/);
  });

  it('follows a scale, in front of mean and standard deviation', async () => {
    const options = {
      scale: '1/255',
      mean: mean.map((m) => m / 255).join(),
      std: std.map((s) => s / 255).join(),
    };
    const one = await describeData({ preprocessing: parsePreprocessing(options) });
    const other = await describeData({ preprocessing: { ...NO_PREPROCESSING, mean, std } });
    const { range } = one.inputs[0]!;
    assert.ok(Math.abs(range.std - other.inputs[0]!.range.std) < 1e-6);
    assert.ok(Math.abs(range.max - other.inputs[0]!.range.max) < 1e-4);
    const half = await describeData({ preprocessing: parsePreprocessing({ scale: '0.5' }) });
    const raw = await describeData({});
    assert.equal(half.inputs[0]!.range.max, raw.inputs[0]!.range.max / 2);
  });

  it('is named by its hash where that is asked for, as a plan that is made on it does', async () => {
    const calibration = { path: data, preprocessing: parsePreprocessing({ mean: '5', scale: '1/2' }) };
    const asked = { path: model, calibration, seed: 3, identify: true } as const;
    const { identity } = await session.describeCalibration(asked);
    assert.deepEqual(identity!.options, ['--scale', '1/2']);
    const phases = new Set<Progress['phase']>();
    const { plan } = await session.plan(
      { path: model, target: { kind: 'rank', rank: 2 }, method: 'auto', calibration, seed: 3 },
      { onProgress: ({ phase }) => phases.add(phase) },
    );
    assert.deepEqual(plan.calibration, identity);
    assert.deepEqual([...phases], ['read', 'measure']);
  });

  it('is refused where the model can’t take it', async () => {
    const wrong = writeInto(home, 'wrong.npy', npyFile('<f4', [4, 5], new Float32Array(20)));
    await assert.rejects(session.describeCalibration({ path: model, calibration: { path: wrong } }), {
      code: 'bad-data',
    });
  });
});

describe('a review of a plan that was made on data', () => {
  const planned = async () => {
    const calibration = { path: data, preprocessing: { ...NO_PREPROCESSING, mean, std } };
    const request = { path: model, target: { kind: 'rank', rank: 2 }, method: 'auto', calibration } as const;
    return (await session.plan(request)).plan;
  };
  const codes = async (at: string | undefined, plan: Awaited<ReturnType<typeof planned>>, measure = true) => {
    const where = at === undefined ? {} : { data: at };
    const review = await session.review({ path: model, plan, measure, ...where });
    return {
      isMeasured: review.isMeasured,
      data: review.remarks.flatMap(({ code, severity, part, message }) =>
        part === 'calibration' ? [`${code} ${severity}: ${message}`] : [],
      ),
    };
  };

  it('says nothing where the data is what it was, or nobody knows where it is', async () => {
    const plan = await planned();
    assert.deepEqual(await codes(data, plan, false), { isMeasured: false, data: [] });
    assert.deepEqual(await codes(data, plan), { isMeasured: true, data: [] });
    assert.deepEqual(await codes(data, plan, false), { isMeasured: true, data: [] }, 'it is remembered');
    assert.deepEqual((await codes(undefined, plan)).data, []);
  });

  it('warns of data that is gone, and of other data, also when it changes while it is known', async () => {
    const plan = await planned();
    const [gone, ...rest] = (await codes(path.join(home, 'gone.npy'), plan)).data;
    assert.match(
      gone!,
      /^no-data warning: The plan was made on the calibration data data\.npy, and .* does not exist/,
    );
    assert.deepEqual(rest, []);
    const elsewhere = scratchFolder();
    const changing = writeInto(elsewhere, 'data.npy', npyFile('<f4', [COUNT, CHANNELS, SIDE, SIDE], pixels));
    assert.deepEqual((await codes(changing, plan)).data, []);
    const other = pixels.map((value) => value + 1);
    writeInto(
      elsewhere,
      'data.npy',
      npyFile('<f4', [COUNT + 1, CHANNELS, SIDE, SIDE], [...other, ...other.slice(0, CHANNELS * SIDE ** 2)]),
    );
    assert.equal((await codes(changing, plan, false)).isMeasured, false);
    assert.match(
      (await codes(changing, plan)).data[0]!,
      /^other-data warning: The plan was made on other calibration data/,
    );
  });
});
