/**
 * `node out/bench/latency.js [--data MODEL.onnx] [--calibration FILE] [--target macs=0.3333] [--seconds N]`: how much faster
 * compressed models are, measured in ONNX Runtime with one thread, at batch 1 and 32: the VGG of the sample, or another
 * model, at a third of its MACs (planned from its weights alone and, with `--calibration`, on data), and a net of 3 × 3
 * convolutions of 256 channels made up here. Then a net that gains nothing, which has to be refused with what was measured.
 *
 * Both models of a pair run in turn; of the times the medians are compared, and of the pairs the middle ratio is printed, too,
 * which other work on the machine disturbs less. Needs `dist/`; run it in the project's root.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { comparedTimes, median } from '../src/core/compress/latency/comparedTimes';
import { parseTarget, type Target } from '../src/core/compress/plan';
import { formatMs } from '../src/core/format';
import { ModelError } from '../src/core/onnx/modelError';
import { NO_PREPROCESSING } from '../src/worker/calibration/preprocessing';
import type { CalibrationRequest } from '../src/worker/engine';
import { timeInTurn } from '../src/worker/latency/timeInTurn';
import { modelInputs } from '../src/worker/modelInputs';
import { openModel } from '../src/worker/openModel';
import { loadRuntime } from '../src/worker/runtime';
import { createSession } from '../src/worker/session';
import { encodeModel, floatTensor, type NodeSpec, seededArray } from '../test/support/onnxModel';
import { DEVIATION, MEAN } from './accuracyData';

const DIST = path.resolve('dist');
const runtime = loadRuntime(DIST);

/** A model, what is asked of it, and how much faster it has to be at each batch. */
interface Case {
  readonly name: string;
  readonly model: string;
  readonly target: Target;
  readonly calibration?: CalibrationRequest;
  readonly wanted: ReadonlyMap<number, number>;
}

async function compress(model: string, output: string, target: Target, calibration?: CalibrationRequest) {
  const session = createSession({ folder: DIST, threadScript: path.join(DIST, 'factorThread.js') });
  try {
    return await session.compress({
      path: model,
      output,
      target,
      method: 'auto',
      overwrite: true,
      ...(calibration ? { calibration } : {}),
    });
  } finally {
    await session.close();
  }
}

/** Both models in turn at this batch. */
async function compare(original: string, compressed: string, batch: number, seconds: number) {
  const open = openModel(original);
  const [dim] = open.model.graph.inputs[0]!.shape ?? [];
  const inputs = modelInputs(open.model, new Map(typeof dim === 'string' ? [[dim, batch]] : []));
  open.close();
  const first = await runtime.open(original, []);
  const second = await runtime.open(compressed, []);
  try {
    await timeInTurn([first, second], inputs.tensors, { fewest: 3, most: 10, ms: 50 });
    const effort = { fewest: 20, most: 20_000, ms: 1000 * seconds };
    const [a = [], b = []] = await timeInTurn([first, second], inputs.tensors, effort);
    return { ...comparedTimes(a, b), middle: median(a.map((ms, i) => ms / b[i]!)), runs: a.length };
  } finally {
    await second.release();
    await first.release();
  }
}

async function measure(folder: string, { name, model, target, calibration, wanted }: Case, seconds: number) {
  const output = path.join(folder, 'small.onnx');
  const report = await compress(model, output, target, calibration);
  const macs = (100 * report.compressed.macs!) / report.original.macs!;
  for (const [batch, times] of wanted) {
    const { firstMs, secondMs, middle, runs } = await compare(model, output, batch, seconds);
    console.log(
      [
        name.padEnd(26),
        `${macs.toFixed(1)} %`.padStart(7),
        String(batch).padStart(5),
        formatMs(firstMs).padStart(10),
        formatMs(secondMs).padStart(10),
        `${(firstMs / secondMs).toFixed(2)}×`.padStart(7),
        `${middle.toFixed(2)}×`.padStart(7),
        `${times.toFixed(1)}×`.padStart(7),
        String(runs).padStart(6),
      ].join('  '),
    );
  }
}

/**
 * A kernel of out × in × 3 × 3 whose output channels are sums of a quarter as many, with a little noise: trained ones are alike,
 * and what is random bears no factoring.
 */
function alikeKernel(channels: number, seed: number): Float32Array {
  const [rank, columns] = [channels / 4, channels * 9];
  const [left, right] = [seededArray(channels * rank, seed), seededArray(rank * columns, seed + 100)];
  const kernel = seededArray(channels * columns, seed + 200).map((v) => 0.02 * v);
  for (let row = 0; row < channels; row++)
    for (let k = 0; k < rank; k++)
      for (let column = 0; column < columns; column++)
        kernel[row * columns + column]! += (left[row * rank + k]! * right[k * columns + column]!) / 8;
  return kernel.map((v) => v / 27);
}

/** Convolutions of 3 × 3 with 256 channels in a row, on images of 28 × 28. */
function wideNet(folder: string): string {
  const layers = ['a', 'b', 'c', 'd'];
  const nodes = layers.flatMap((name, i): NodeSpec[] => [
    {
      op: 'Conv',
      name,
      inputs: [i === 0 ? 'x' : `${layers[i - 1]}_relu`, `${name}_w`],
      outputs: [`${name}_conv`],
      attributes: { pads: [1, 1, 1, 1] },
    },
    { op: 'Relu', inputs: [`${name}_conv`], outputs: [i === layers.length - 1 ? 'y' : `${name}_relu`] },
  ]);
  const bytes = encodeModel({
    nodes,
    inputs: { x: ['batch', 256, 28, 28] },
    outputs: { y: ['batch', 256, 28, 28] },
    initializers: layers.map((name, i) =>
      floatTensor(`${name}_w`, [256, 256, 3, 3], alikeKernel(256, i + 1)),
    ),
  });
  const file = path.join(folder, 'wide.onnx');
  writeFileSync(file, bytes);
  return file;
}

/**
 * Convolutions of 1 × 1 from 16 channels to 64 and back on large images: there every factor that is added sends a whole
 * activation through memory, which takes longer than what it saves.
 */
function flatNet(folder: string): string {
  const sizes = [16, 64, 16, 64, 16];
  const count = sizes.length - 1;
  const bytes = encodeModel({
    nodes: Array.from({ length: count }, (_, i) => ({
      op: 'Conv',
      name: `layer${i}`,
      inputs: [i === 0 ? 'x' : `t${i - 1}`, `w${i}`],
      outputs: [i === count - 1 ? 'y' : `t${i}`],
    })),
    inputs: { x: ['batch', 16, 320, 320] },
    outputs: { y: ['batch', 16, 320, 320] },
    initializers: Array.from({ length: count }, (_, i) => {
      const [into, from] = [sizes[i + 1]!, sizes[i]!];
      return floatTensor(`w${i}`, [into, from, 1, 1], seededArray(into * from, i + 7));
    }),
  });
  const file = path.join(folder, 'flat.onnx');
  writeFileSync(file, bytes);
  return file;
}

async function main(): Promise<void> {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({ options: { data: text, calibration: text, target: text, seconds: text } });
  const target = parseTarget(values.target ?? 'macs=0.3333');
  if (!target) throw new Error(`"${values.target}" is no target.`);
  const seconds = Number(values.seconds ?? 5);
  const model = path.resolve(values.data ?? 'media/sample/fashion-vgg.onnx');
  const folder = mkdtempSync(path.join(tmpdir(), 'ranksmith-bench-'));
  const vgg = new Map([
    [1, 3],
    [32, 2.4],
  ]);
  const cases: Case[] = [{ name: `${path.basename(model)}, weights`, model, target, wanted: vgg }];
  if (values.calibration !== undefined) {
    const preprocessing = { ...NO_PREPROCESSING, mean: [MEAN], std: [DEVIATION] };
    const calibration = { path: path.resolve(values.calibration), preprocessing };
    cases.push({ name: `${path.basename(model)}, data`, model, target, calibration, wanted: vgg });
  }
  const wide = new Map([
    [1, 2],
    [32, 2],
  ]);
  cases.push({ name: 'wide 3 × 3', model: wideNet(folder), target, wanted: wide });
  try {
    console.log(`${runtime.name}, in turn`);
    console.log(
      'model                         MACs  batch    original  compressed   faster  of pairs  wanted    runs',
    );
    for (const each of cases) await measure(folder, each, seconds);
    const flat = flatNet(folder);
    for (const goal of [parseTarget('parameters=0.8')!, parseTarget('time=0.9')!]) {
      try {
        const { original, compressed } = await compress(flat, path.join(folder, 'flat-small.onnx'), goal);
        console.log(`written, at ${formatMs(compressed.ms!)} instead of ${formatMs(original.ms!)}`);
      } catch (error) {
        if (!(error instanceof ModelError)) throw error;
        console.log(`refused: ${error.message}`);
      }
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

main().catch((error: Error) => {
  console.error(error.message);
  process.exitCode = 1;
});
