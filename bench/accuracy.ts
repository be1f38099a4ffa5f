/**
 * `node out/bench/accuracy.js [--data FOLDER] [--models vgg,mlp] [--targets macs=0.5,…] [--multiple N]`: what is left of
 * the accuracy of the Fashion-MNIST nets on the 10,000 test pictures after a compression from their weights alone, no
 * picture shown and nothing trained: each target is planned, factored and written by the engine with its defaults, and
 * the written file is run. Beside it the best that others reach from the weights alone. `--data` names a folder with
 * the models and pictures (`accuracyData.ts`); without it the sample model and Debian's package dataset-fashion-mnist
 * serve. Percent of right answers, ‖y − ŷ‖ / ‖y‖ of the outputs as estimated and as measured, seconds to plan and apply.
 * Needs `dist/`; run it in the project's root.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { parseTarget, printTarget, type Target } from '../src/core/compress/plan';
import { loadRuntime, type Runtime } from '../src/worker/runtime';
import { createSession } from '../src/worker/session';
import { openAccuracyData } from './accuracyData';
import { accuracy, classify, relativeDifference } from './classify';
import { wanted } from './options';

const DIST = path.resolve('dist');

/** A column of the table: fewer parameters or MACs, and how many percent others still get right. */
interface Column {
  readonly kind: 'parameters' | 'macs';
  readonly times: number;
  /** Undefined where nobody was measured. */
  readonly level?: number;
}

/**
 * The level to reach: the best of three ways to compress from the weights alone (truncated SVD of the output-channel
 * unfolding, separable filters by SVD, Tucker-2 by HOOI) at one energy threshold for all layers, first convolution and
 * last matrix left alone, in NumPy, on these nets and pictures. Percent; the sampling error is 0.27 points. Separable
 * filters are the best of the VGG's, SVD is all there is of the MLP's.
 */
const COLUMNS: Readonly<Record<string, readonly Column[]>> = {
  vgg: [
    { kind: 'macs', times: 2, level: 91.7 },
    { kind: 'macs', times: 3, level: 91 },
    { kind: 'macs', times: 5, level: 89.1 },
    { kind: 'parameters', times: 2, level: 91.6 },
    { kind: 'parameters', times: 3, level: 91.3 },
    { kind: 'parameters', times: 5, level: 90.3 },
    { kind: 'parameters', times: 10 },
  ],
  mlp: [
    { kind: 'parameters', times: 20, level: 75.7 },
    { kind: 'parameters', times: 40, level: 37.1 },
  ],
};

/** What a compression is asked for, and what to call it. */
interface Cell {
  readonly name: string;
  readonly target: Target;
  readonly level?: number | undefined;
}

function cellsOf(model: string, targets: string | undefined): readonly Cell[] {
  const columns = (COLUMNS[model] ?? []).map(
    ({ kind, times, level }): Cell => ({
      name: `${times}× fewer ${kind}`,
      target: { kind, share: 1 / times },
      level,
    }),
  );
  if (targets === undefined) return columns;
  return targets.split(',').map((text) => {
    const target = parseTarget(text);
    if (!target) throw new Error(`"${text}" is no target.`);
    return { name: printTarget(target), target };
  });
}

/** Plans and writes with an engine that knows nothing of the model yet. */
async function compress(model: string, output: string, target: Target, multiple: number | undefined) {
  const session = createSession({ folder: DIST, threadScript: path.join(DIST, 'factorThread.js') });
  try {
    return await session.compress({
      path: model,
      output,
      target,
      method: 'auto',
      overwrite: true,
      ...(multiple === undefined ? {} : { multiple }),
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
].join('  ');

interface Choices {
  readonly multiple: number | undefined;
  readonly targets: string | undefined;
}

async function measure(
  runtime: Runtime,
  model: string,
  file: string,
  images: ReturnType<typeof openAccuracyData>['test'],
  { multiple, targets }: Choices,
): Promise<void> {
  const folder = mkdtempSync(path.join(tmpdir(), 'ranksmith-bench-'));
  try {
    const dense = await classify(runtime, file, images);
    const percent = (share: number) => (100 * share).toFixed(2).padStart(7);
    console.log(`${model.padEnd(6)}  ${'as it is'.padEnd(42)}  ${percent(accuracy(dense, images.labels))}`);
    for (const { name, target, level } of cellsOf(model, targets)) {
      const output = path.join(folder, 'small.onnx');
      const { original, compressed, seconds } = await compress(file, output, target, multiple);
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
        ].join('  '),
      );
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function main(): Promise<void> {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({ options: { data: text, models: text, targets: text, multiple: text } });
  const { models, test } = openAccuracyData(values.data);
  const runtime = loadRuntime(DIST);
  const multiple = values.multiple === undefined ? undefined : Number(values.multiple);
  console.log(`${runtime.name}, ${test.count} pictures, from the weights alone`);
  console.log(HEAD);
  for (const [model, file] of wanted('model', values.models, ([name]) => name, [...models]))
    await measure(runtime, model, file, test, { multiple, targets: values.targets });
}

main().catch((error: Error) => {
  console.error(error.message);
  process.exitCode = 1;
});
