/**
 * `node out/bench/accuracy.js [--data FOLDER] [--models vgg,mlp] [--targets macs=0.5,…] [--multiple N]
 * [--calibration FILE [--samples N]]`: what is left of the accuracy of the Fashion-MNIST nets on the 10,000 test pictures
 * after a compression from their weights alone, no picture shown and nothing trained, or with other pictures of the same
 * kind to calibrate on, without labels: each target is planned, factored and written by the engine with its defaults, and
 * the written file is run. Beside it the best that others reach in the same way. `--data` names a folder with
 * the models and pictures (`accuracyData.ts`); without it the sample model and Debian's package dataset-fashion-mnist
 * serve. Percent of right answers, ‖y − ŷ‖ / ‖y‖ of the outputs, seconds to plan and apply, and
 * those of all processors together, which other work on the machine does not lengthen.
 * Needs `dist/`; run it in the project's root.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { parseTarget, printTarget, type Target } from '../src/core/compress/plan';
import { ModelError } from '../src/core/onnx/modelError';
import { NO_PREPROCESSING } from '../src/worker/calibration/preprocessing';
import type { CalibrationRequest } from '../src/worker/engine';
import { loadRuntime, type Runtime } from '../src/worker/runtime';
import { createSession } from '../src/worker/session';
import { DEVIATION, MEAN, openAccuracyData } from './accuracyData';
import { accuracy, classify, relativeDifference } from './classify';
import { wanted } from './options';

const DIST = path.resolve('dist');

/** A column of the table: fewer parameters or MACs, and how many percent others still get right. */
interface Column {
  readonly kind: 'parameters' | 'macs';
  readonly times: number;
  /** From the weights alone; undefined where nobody was measured. */
  readonly level?: number;
  /** Calibrated. */
  readonly calibrated?: number;
}

/**
 * The level to reach: the best of three ways to compress from the weights alone (truncated SVD of the output-channel
 * unfolding, separable filters by SVD, Tucker-2 by HOOI) at one energy threshold for all layers, first convolution and
 * last matrix left alone, in NumPy, on these nets and pictures. Percent; the sampling error is 0.27 points. Separable
 * filters are the best of the VGG's, SVD is all there is of the MLP's. Calibrated, what data-aware factors in PyTorch
 * reach with the same 1,024 pictures, each figure the best of several ways.
 */
const COLUMNS: Readonly<Record<string, readonly Column[]>> = {
  vgg: [
    { kind: 'macs', times: 2, level: 91.7, calibrated: 92 },
    { kind: 'macs', times: 3, level: 91, calibrated: 91.9 },
    { kind: 'macs', times: 5, level: 89.1, calibrated: 91.4 },
    { kind: 'parameters', times: 2, level: 91.6, calibrated: 92 },
    { kind: 'parameters', times: 3, level: 91.3, calibrated: 92 },
    { kind: 'parameters', times: 5, level: 90.3, calibrated: 91.9 },
    { kind: 'parameters', times: 10, calibrated: 91.5 },
  ],
  mlp: [
    { kind: 'parameters', times: 20, level: 75.7, calibrated: 88 },
    { kind: 'parameters', times: 40, level: 37.1, calibrated: 83.5 },
  ],
};

/** What a compression is asked for, and what to call it. */
interface Cell {
  readonly name: string;
  readonly target: Target;
  readonly level?: number | undefined;
}

function cellsOf(model: string, { targets, calibration }: Choices): readonly Cell[] {
  const columns = (COLUMNS[model] ?? COLUMNS.vgg!.map(({ kind, times }) => ({ kind, times }))).map(
    ({ kind, times, level, calibrated }: Column): Cell => ({
      name: `${times}× fewer ${kind}`,
      target: { kind, share: 1 / times },
      level: calibration ? calibrated : level,
    }),
  );
  if (targets === undefined) return columns;
  return targets.split(',').map((text) => {
    const target = parseTarget(text);
    if (!target) throw new Error(`"${text}" is no target.`);
    return { name: printTarget(target), target };
  });
}

/** Pictures as the nets take them. */
function pictures(file: string, samples: string | undefined): CalibrationRequest {
  return {
    path: path.resolve(file),
    preprocessing: { ...NO_PREPROCESSING, mean: [MEAN], std: [DEVIATION] },
    ...(samples === undefined ? {} : { limit: Number(samples) }),
  };
}

/** Plans and writes with an engine that knows nothing of the model yet. */
async function compress(
  model: string,
  output: string,
  target: Target,
  { multiple, calibration }: Pick<Choices, 'multiple' | 'calibration'>,
  allowInaccurate: boolean,
) {
  const session = createSession({ folder: DIST, threadScript: path.join(DIST, 'factorThread.js') });
  try {
    return await session.compress({
      path: model,
      output,
      target,
      method: 'auto',
      overwrite: true,
      allowInaccurate,
      // Other work on the machine is no reason to refuse one.
      allowSlower: true,
      ...(multiple === undefined ? {} : { multiple }),
      ...(calibration ? { calibration } : {}),
    });
  } finally {
    await session.close();
  }
}

const HEAD = [
  'model'.padEnd(6),
  'target'.padEnd(22),
  'parameters',
  '    MACs',
  'right %',
  'others',
  'output error',
  'seconds',
  'processor',
].join('  ');

interface Choices {
  readonly multiple: number | undefined;
  readonly targets: string | undefined;
  readonly calibration: CalibrationRequest | undefined;
}

async function measure(
  runtime: Runtime,
  model: string,
  file: string,
  images: ReturnType<typeof openAccuracyData>['test'],
  choices: Choices,
): Promise<void> {
  const folder = mkdtempSync(path.join(tmpdir(), 'ranksmith-bench-'));
  try {
    const dense = await classify(runtime, file, images);
    const percent = (share: number) => (100 * share).toFixed(2).padStart(7);
    console.log(`${model.padEnd(6)}  ${'as it is'.padEnd(42)}  ${percent(accuracy(dense, images.labels))}`);
    for (const { name, target, level } of cellsOf(model, choices)) {
      const output = path.join(folder, 'small.onnx');
      const before = process.cpuUsage();
      let isRefused = false;
      const { original, compressed, seconds } = await compress(file, output, target, choices, false).catch(
        (error) => {
          if (!(error instanceof ModelError) || error.code !== 'inaccurate') throw error;
          isRefused = true;
          return compress(file, output, target, choices, true);
        },
      );
      const { user, system } = process.cpuUsage(before);
      const answers = await classify(runtime, output, images);
      const share = (of: 'parameters' | 'macs') =>
        `${((100 * compressed[of]!) / original[of]!).toFixed(1)} %`;
      console.log(
        [
          model.padEnd(6),
          name.padEnd(22),
          share('parameters').padStart(10),
          share('macs').padStart(8),
          percent(accuracy(answers, images.labels)),
          (level?.toFixed(1) ?? '').padStart(6),
          percent(relativeDifference(dense, answers)).padStart(12),
          (seconds.suggest + seconds.factor + seconds.write).toFixed(2).padStart(7),
          ((user + system) / 1e6).toFixed(1).padStart(9),
          ...(isRefused ? ['refused unless insisted on'] : []),
        ].join('  '),
      );
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function main(): Promise<void> {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({
    options: { data: text, models: text, targets: text, multiple: text, calibration: text, samples: text },
  });
  const { models, test } = openAccuracyData(values.data);
  const runtime = loadRuntime(DIST);
  const multiple = values.multiple === undefined ? undefined : Number(values.multiple);
  const calibration =
    values.calibration === undefined ? undefined : pictures(values.calibration, values.samples);
  const how = calibration ? `calibrated on ${calibration.path}` : 'from the weights alone';
  console.log(`${runtime.name}, ${test.count} pictures, ${how}`);
  console.log(HEAD);
  for (const [model, file] of wanted('model', values.models, ([name]) => name, [...models]))
    await measure(runtime, model, file, test, { multiple, targets: values.targets, calibration });
}

main().catch((error: Error) => {
  console.error(error.message);
  process.exitCode = 1;
});
