/**
 * `node out/bench/factor.js`: factors all convolutions of VGG-16 and ResNet-50 (random weights, output-channel
 * unfolding, all singular values and a quarter of the vectors) on one and on two threads, and beside it
 * ml-matrix's SVD on the layers it finishes in time. Prints seconds, GFLOP/s and ratios; medians of three.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { channel } from '../src/core/compress/methods/channel';
import { Element } from '../src/core/onnx/elements';
import { matrix } from '../src/core/tensor/matrix';
import { createMlMatrix } from '../src/core/tensor/mlMatrix';
import type { FactorJob } from '../src/worker/factorJob';
import { createPool } from '../src/worker/pool';
import { resnet50, vgg16 } from './layerSets';

const RUNS = 3;
/** ml-matrix gets this long for one set; layers it would not finish are left out on both sides of the ratio. */
const PEER_SECONDS = 20;

interface BenchLayer {
  readonly job: FactorJob;
  readonly rows: number;
  readonly cols: number;
  readonly rank: number;
}

function jobsOf(shapes: readonly (readonly number[])[], file: string): readonly BenchLayer[] {
  let offset = 0;
  return shapes.map((dims) => {
    const [outChannels = 0, groupChannels = 0, ...kernel] = dims;
    const candidate = channel({
      kind: 'conv',
      isTransposed: false,
      outChannels,
      groupChannels,
      groups: 1,
      kernel,
      calls: [],
    });
    const length = 4 * dims.reduce((a, b) => a * b, 1);
    const rank = Math.max(1, Math.floor(candidate.maxRank / 4));
    const job: FactorJob = {
      weight: { kind: 'file', path: file, offset, length },
      type: Element.float,
      recipe: { storedType: Element.float, storedDims: dims, isFill: false, steps: [] },
      unfolding: candidate.unfolding,
      rank,
      folds: candidate.folds(rank),
    };
    offset += length;
    return { job, rows: candidate.rows, cols: candidate.cols, rank };
  });
}

/**
 * Floating-point operations of the path: half a Gram matrix, its tridiagonal form, the leading vectors turned
 * back, the right factor, and the product that measures the error.
 */
function operations({ rows, cols, rank }: BenchLayer): number {
  const [m, n] = [Math.min(rows, cols), Math.max(rows, cols)];
  return m * m * n + (4 / 3) * m ** 3 + 2 * m * m * rank + 4 * m * n * rank;
}

async function timePool(threads: number, layers: readonly BenchLayer[]): Promise<number> {
  const pool = createPool(path.resolve('dist/factorThread.js'), threads);
  try {
    // Threads start and compile before the clock does.
    const first = layers[0]!.job;
    await Promise.all(Array.from({ length: threads }, () => pool.run(first)));
    const times: number[] = [];
    for (let run = 0; run < RUNS; run++) {
      const start = performance.now();
      await Promise.all(layers.map(({ job }) => pool.run(job)));
      times.push((performance.now() - start) / 1000);
    }
    return median(times);
  } finally {
    await pool.close();
  }
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1]!;
}

function randomWeights(file: string, elements: number): void {
  const values = new Float32Array(elements);
  let state = 1;
  for (let i = 0; i < elements; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    values[i] = state / 2 ** 32 - 0.5;
  }
  writeFileSync(file, new Uint8Array(values.buffer));
}

/** Seconds of ml-matrix's SVD on the smallest layers first, and which of them it finished. */
function timePeer(layers: readonly BenchLayer[]): { seconds: number; finished: BenchLayer[] } {
  const linalg = createMlMatrix();
  const finished: BenchLayer[] = [];
  let seconds = 0;
  let perOperation = 0;
  for (const layer of [...layers].sort((a, b) => operations(a) - operations(b))) {
    if (seconds + perOperation * operations(layer) > PEER_SECONDS) break;
    const a = matrix(
      layer.rows,
      layer.cols,
      Float64Array.from({ length: layer.rows * layer.cols }, () => Math.random() - 0.5),
    );
    const start = performance.now();
    linalg.svd(a, layer.rank);
    const took = (performance.now() - start) / 1000;
    seconds += took;
    perOperation = took / operations(layer);
    finished.push(layer);
  }
  return { seconds, finished };
}

async function main(): Promise<void> {
  const folder = mkdtempSync(path.join(tmpdir(), 'ranksmith-bench-'));
  try {
    for (const [name, shapes] of [
      ['VGG-16', vgg16()],
      ['ResNet-50', resnet50()],
    ] as const) {
      const file = path.join(folder, 'weights.bin');
      randomWeights(
        file,
        shapes.reduce((sum, dims) => sum + dims.reduce((a, b) => a * b, 1), 0),
      );
      const layers = jobsOf(shapes, file);
      const work = layers.reduce((sum, layer) => sum + operations(layer), 0);
      console.log(`${name}: ${layers.length} convolutions, ${(work / 1e9).toFixed(1)} GFLOP`);
      const one = await timePool(1, layers);
      const two = await timePool(2, layers);
      console.log(`  1 thread    ${one.toFixed(2)} s  ${(work / one / 1e9).toFixed(1)} GFLOP/s`);
      console.log(
        `  2 threads   ${two.toFixed(2)} s  ${(work / two / 1e9).toFixed(1)} GFLOP/s  (${(one / two).toFixed(2)} × one)`,
      );
      const { seconds, finished } = timePeer(layers);
      const same = await timePool(1, finished);
      console.log(
        `  ml-matrix   ${seconds.toFixed(2)} s on ${finished.length} of ${layers.length} layers; we take ${same.toFixed(2)} s on those: ${(seconds / same).toFixed(1)} × faster`,
      );
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

void main();
