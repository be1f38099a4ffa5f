/**
 * `node out/bench/factor.js [--sets vgg16,resnet50,bert,block4096] [--kinds random,decaying] [--threads 1,2]
 * [--runs 3] [--peers numpy-svd,…] [--budget 60] [--patience 20]`: factors every weight of a set (output-channel
 * unfolding, all singular values and a quarter of the vectors) with one worker and with all, and beside it ml-matrix
 * and what Python has, on the same weights with the same number of threads. Ours and theirs take turns, each run in a
 * process of its own. Prints medians of seconds, ratios ours / theirs (below 1 we are faster) of the medians, of the
 * best runs and of processor time, GFLOP/s and peak memory. A peer has `--budget` seconds a run; the ratio is of the layers it finishes.
 * The 4096-wide block is run once unless `--runs` says more. What ours and theirs have to do: `ours.ts`, `peers.py`.
 * Needs `dist/`; run it in the project's root.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { createLapack } from '../src/worker/lapack';
import { loadLapackModule } from '../src/worker/lapackFiles';
import { startBench } from './child';
import { compareSet } from './compareSet';
import { LAYER_SETS } from './layerSets';
import { threadCounts, wanted, wantedKinds } from './options';
import { runOurs } from './ours';
import { SVD_PEERS, whyNoPeers } from './pythonPeers';
import { writeWeights } from './weights';

async function main(): Promise<void> {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({
    options: {
      sets: text,
      kinds: text,
      threads: text,
      runs: text,
      peers: text,
      budget: text,
      patience: text,
    },
  });
  const sets = wanted('set', values.sets, ({ id }) => id, LAYER_SETS);
  const kinds = wantedKinds(values.kinds);
  const names = Object.keys(SVD_PEERS);
  const peers = wanted('peer', values.peers, (peer) => peer, names);
  const why = whyNoPeers();
  console.log(`${cpus()[0]?.model ?? 'unknown processor'}; Node ${process.version}`);
  if (why) console.log(`Python's decompositions are skipped: ${why}.`);
  const folder = mkdtempSync(path.join(tmpdir(), 'ranksmith-bench-'));
  try {
    const linalg = createLapack(loadLapackModule(path.resolve('dist')));
    for (const set of sets) {
      for (const kind of kinds) {
        const weights = path.join(folder, 'weights.bin');
        writeWeights(weights, set.shapes, kind, linalg);
        linalg.release();
        await compareSet(set, kind, weights, {
          threads: threadCounts(values.threads),
          peers: why ? [] : peers,
          runs: Number(values.runs ?? (set.id === 'block4096' ? 1 : 3)),
          budget: Number(values.budget ?? 60),
          patience: Number(values.patience ?? 20),
        });
      }
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

void startBench(main, runOurs);
