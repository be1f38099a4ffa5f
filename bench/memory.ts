/**
 * `node out/bench/memory.js [big | cancel | soak [COUNT] | calibrate [IMAGES]]…`: what memory and patience the engine needs. Each part runs in a process of its own:
 * - big: one matrix of 4096 × 11008 at rank 1024 through the pool, peak resident memory and seconds;
 * - cancel: how long after the wish to cancel such a factorisation it really ends;
 * - soak: 200 compressions in one process, resident memory after each 20;
 * - calibrate: ResNet-50 with random weights compressed to half its MACs, calibrated on IMAGES pictures (64) of 224 × 224:
 *   seconds and peak resident memory of each phase, that of the process ONNX Runtime runs in included.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createMlMatrix } from '../src/core/tensor/mlMatrix';
import { createPool } from '../src/worker/pool';
import { createSession } from '../src/worker/session';
import { npyFile } from '../test/support/npyFile';
import { jobOf } from './factorJobs';
import { layersOf } from './layers';
import { startMemorySampler } from './memorySampler';
import { writeResnet50 } from './resnet50';
import { writeWeights } from './weights';

const DIST = path.resolve('dist');
const THREAD = path.join(DIST, 'factorThread.js');
const MIB = 2 ** 20;

async function withBigMatrix(run: (job: ReturnType<typeof jobOf>) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(path.join(tmpdir(), 'ranksmith-bench-'));
  try {
    const file = path.join(folder, 'weights.bin');
    const [layer] = layersOf([[4096, 11008]]);
    writeWeights(file, [layer!.dims], 'random', createMlMatrix());
    await run(jobOf(layer!, file));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function big(): Promise<void> {
  await withBigMatrix(async (job) => {
    const before = process.resourceUsage().maxRSS * 1024;
    const pool = createPool(THREAD);
    const start = performance.now();
    await pool.run(job);
    const seconds = (performance.now() - start) / 1000;
    const peak = process.resourceUsage().maxRSS * 1024;
    console.log(
      `4096 × 11008 at rank 1024: ${seconds.toFixed(1)} s, peak RSS ${(peak / MIB).toFixed(0)} MiB (${(before / MIB).toFixed(0)} MiB before)`,
    );
    await pool.close();
  });
}

/** Milliseconds after which this process computes no more, looked at every 10 ms: less than a fifth of one processor. */
async function untilIdle(): Promise<number> {
  const start = performance.now();
  for (;;) {
    const [time, used] = [performance.now(), process.cpuUsage()];
    await new Promise((resolve) => setTimeout(resolve, 10));
    const { user, system } = process.cpuUsage(used);
    if ((user + system) / 1000 < 0.2 * (performance.now() - time)) return time - start;
  }
}

async function cancel(): Promise<void> {
  await withBigMatrix(async (job) => {
    const pool = createPool(THREAD);
    const delays: number[] = [];
    for (const wait of [300, 1500, 4000, 7000, 10000]) {
      const abort = new AbortController();
      const running = pool.run(job, abort.signal).then(
        () => 'done',
        (error: Error) => error.name,
      );
      await new Promise((resolve) => setTimeout(resolve, wait));
      abort.abort(new DOMException('Cancelled.', 'AbortError'));
      const end = await running;
      if (end === 'AbortError') delays.push(await untilIdle());
    }
    console.log(
      `cancelled ${delays.length} times: the thread computed no more ${Math.max(...delays).toFixed(0)} ms after the wish, at the latest`,
    );
    await pool.close();
  });
}

async function soak(count: number): Promise<void> {
  const folder = mkdtempSync(path.join(tmpdir(), 'ranksmith-bench-'));
  const session = createSession({ folder: DIST, threadScript: THREAD });
  const source = path.resolve('media/sample/fashion-vgg.onnx');
  const levels: number[] = [];
  try {
    for (let i = 1; i <= count; i++) {
      // Another target each time, so that nothing comes from a cache but the spectra.
      const share = 0.3 + 0.4 * ((i * 0.618) % 1);
      await session.compress({
        path: source,
        output: path.join(folder, 'small.onnx'),
        target: { kind: 'parameters', share },
        method: 'auto',
        overwrite: true,
      });
      if (i % Math.max(1, Math.floor(count / 10)) === 0) {
        levels.push(process.memoryUsage.rss());
        console.log(`${i} compressions: RSS ${(levels.at(-1)! / MIB).toFixed(0)} MiB`);
      }
    }
    const [early, late] = [levels[1]!, levels.at(-1)!];
    console.log(`from ${Math.floor(count / 5)} to ${count} compressions: RSS × ${(late / early).toFixed(3)}`);
  } finally {
    await session.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function calibrate(images: number): Promise<void> {
  const folder = mkdtempSync(path.join(tmpdir(), 'ranksmith-bench-'));
  const session = createSession({ folder: DIST, threadScript: THREAD });
  const sampler = startMemorySampler();
  try {
    const model = path.join(folder, 'resnet50.onnx');
    writeResnet50(model);
    const data = path.join(folder, 'images.npy');
    writeFileSync(data, npyFile('|u1', [images, 3, 224, 224], blurred(images)));
    const start = performance.now();
    let [phase, began, most] = ['', start, 0];
    const next = (name: string) => {
      if (name === phase) return;
      const now = performance.now();
      const { all, children } = sampler.peak();
      if (phase) {
        const [seconds, here, there] = [(now - began) / 1000, all / MIB, children / MIB];
        console.log(
          `${phase}: ${seconds.toFixed(1)} s, ${here.toFixed(0)} MiB at most, ${there.toFixed(0)} of them ONNX Runtime's`,
        );
        most = Math.max(most, all);
      }
      [phase, began] = [name, now];
    };
    next('read');
    const { outputError, compressed, original } = await session.compress(
      {
        path: model,
        output: path.join(folder, 'small.onnx'),
        target: { kind: 'macs', share: 0.5 },
        method: 'auto',
        overwrite: true,
        calibration: { path: data },
      },
      { onProgress: ({ phase: name }) => next(name) },
    );
    next('');
    const seconds = (performance.now() - start) / 1000;
    console.log(
      `resnet50 on ${images} images: ${seconds.toFixed(1)} s, ${(most / MIB).toFixed(0)} MiB at most; ${(compressed.macs! / original.macs!).toFixed(2)} of its MACs, output error ${outputError.relative.toFixed(3)}`,
    );
  } finally {
    await sampler.stop();
    await session.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Pictures whose pixels depend on their neighbours, as those of photographs do. */
function blurred(images: number): Uint8Array {
  const out = new Uint8Array(images * 3 * 224 * 224);
  let [state, value] = [1, 128];
  for (let i = 0; i < out.length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    const above = i % (224 * 224) < 224 ? 128 : out[i - 224]!;
    value = 0.45 * value + 0.45 * above + 12.8 + ((state >>> 16) % 80) - 40;
    out[i] = value = Math.min(255, Math.max(0, value));
  }
  return out;
}

const parts: Record<string, (argument: string | undefined) => Promise<void>> = {
  big,
  cancel,
  soak: (count) => soak(Number(count ?? 200)),
  calibrate: (images) => calibrate(Number(images ?? 64)),
};

const [part, argument] = process.argv.slice(2);
if (part === undefined) {
  for (const name of Object.keys(parts)) {
    spawnSync(process.execPath, [process.argv[1]!, name], { stdio: 'inherit' });
  }
} else {
  void parts[part]!(argument);
}
