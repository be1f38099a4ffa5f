/**
 * `node out/bench/tucker.js [--kinds random,decaying] [--shares 2,4] [--threads 1,2] [--runs 3] [--patience 20]`: the Tucker
 * decomposition of channels of ResNet-50's 3 × 3 convolutions, n/2 or n/4 of the n channels on both sides, in one thread
 * of ours and beside it TensorLy's `partial_tucker` with one thread and with all. Ours and theirs take turns, on the
 * same weights, each run in a process of its own. Prints medians of seconds, ratios ours / theirs (below 1 we are
 * faster), sweeps, and the errors ‖W − Ŵ‖ / ‖W‖: their mean square's root, and by how much ours is larger than theirs at
 * worst. TensorLy is shown with its own settings and with those that make it faster or more exact.
 * Needs `dist/`; run it in the project's root.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { createLapack } from '../src/worker/lapack';
import { loadLapackModule } from '../src/worker/lapackFiles';
import { startBench } from './child';
import { compareTucker } from './compareTucker';
import { LAYER_SETS } from './layerSets';
import { layersOf } from './layers';
import { threadCounts, wantedKinds } from './options';
import { runTucker } from './ourTucker';
import { writeWeights } from './weights';

async function main(): Promise<void> {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({
    options: { kinds: text, shares: text, threads: text, runs: text, patience: text },
  });
  const shapes = LAYER_SETS.find(({ id }) => id === 'resnet50')!.shapes.filter(
    ([, , height]) => height === 3,
  );
  const folder = mkdtempSync(path.join(tmpdir(), 'ranksmith-bench-'));
  try {
    const weights = path.join(folder, 'weights.bin');
    const linalg = createLapack(loadLapackModule(path.resolve('dist')));
    for (const kind of wantedKinds(values.kinds)) {
      writeWeights(weights, shapes, kind, linalg);
      linalg.release();
      for (const share of (values.shares ?? '2,4').split(',').map(Number)) {
        console.log(
          `\nResNet-50's ${shapes.length} 3 × 3 convolutions, ${kind} weights, ranks (n/${share}, n/${share})`,
        );
        await compareTucker(
          weights,
          layersOf(shapes).map((layer) => ({
            ...layer,
            ranks: [Math.ceil(layer.dims[0]! / share), Math.ceil(layer.dims[1]! / share)] as const,
          })),
          {
            threads: threadCounts(values.threads),
            runs: Number(values.runs ?? 3),
            patience: Number(values.patience ?? 20),
          },
        );
      }
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

void startBench(main, runTucker);
