import path from 'node:path';
import { type Matrix, matrix, type Numbers } from '../src/core/tensor/matrix';
import { createMlMatrix } from '../src/core/tensor/mlMatrix';
import { truncatedSvd } from '../src/core/tensor/truncatedSvd';
import { createLapack } from '../src/worker/lapack';
import { loadLapackModule } from '../src/worker/lapackFiles';

/**
 * How fast the linear algebra is on this machine: GFLOP/s of the products, seconds of the
 * decompositions, and what ml-matrix takes. Bundle with esbuild and run with Node in the project's root.
 */

const lapack = createLapack(loadLapackModule(path.resolve('dist')));
const oracle = createMlMatrix();
console.log(`${lapack.name}; Node ${process.version}`);

/** Processor seconds of the best of `runs`: other work on the machine counts as little as possible. */
function seconds(call: () => unknown, runs = 3): number {
  let best = Infinity;
  for (let i = 0; i < runs; i++) {
    const before = process.cpuUsage();
    call();
    const { user, system } = process.cpuUsage(before);
    best = Math.min(best, (user + system) / 1e6);
  }
  return best;
}

function noise<T extends Numbers>(data: T): T {
  for (let i = 0; i < data.length; i++) data[i] = Math.random() - 0.5;
  return data;
}

const floats = (m: number, n: number): Matrix<Float32Array> => matrix(m, n, noise(new Float32Array(m * n)));
const doubles = (m: number, n: number): Matrix<Float64Array> => matrix(m, n, noise(new Float64Array(m * n)));

for (const make of [floats, doubles]) {
  const rates = [256, 512, 1024].map((n) => {
    const [a, b] = [make(n, n) as Matrix, make(n, n) as Matrix];
    lapack.multiply(a, b);
    return `${n}: ${((2 * n ** 3) / seconds(() => lapack.multiply(a, b), 10) / 1e9).toFixed(1)}`;
  });
  console.log(`${make === floats ? 'float' : 'double'} product, GFLOP/s at ${rates.join(', ')}`);
}

for (const [m, n, rank] of [
  [512, 512, 128],
  [512, 4608, 128],
  [1024, 1024, 256],
  [1000, 4096, 250],
  [2048, 2048, 512],
] as const) {
  const a = floats(m, n);
  const runs = m > 1500 ? 1 : 3;
  const gram = seconds(() => lapack.gram(a), runs);
  const g = lapack.gram(a);
  console.log(
    [
      `${m} × ${n}, rank ${rank}:`,
      `Gram ${gram.toFixed(3)} s (${((m * m * n) / gram / 1e9).toFixed(1)} GFLOP/s)`,
      `eigh ${seconds(() => lapack.eigh(g, rank), runs).toFixed(3)} s`,
      `truncated SVD ${seconds(() => truncatedSvd(lapack, a, rank), runs).toFixed(3)} s`,
      m <= 1024 ? `sgesdd ${seconds(() => lapack.svd(a, rank), runs).toFixed(3)} s` : '',
    ].join('  '),
  );
}

const small = doubles(200, 300);
const [fast, slow] = [lapack, oracle].map((engine) => seconds(() => engine.svd(small, 200), 2)) as [
  number,
  number,
];
console.log(
  `SVD of 200 × 300 doubles: ${fast.toFixed(3)} s, ml-matrix ${slow.toFixed(3)} s, ratio ${(slow / fast).toFixed(0)}`,
);
