import path from 'node:path';
import { tensor } from '../src/core/tensor/tensor';
import { tucker2 } from '../src/core/tensor/tucker2';
import { createLapack } from '../src/worker/lapack';
import { loadLapackModule } from '../src/worker/lapackFiles';
import type { OwnProcess } from './child';
import type { BenchLayer } from './layers';
import { readWeight } from './weights';

export interface TuckerLayer extends BenchLayer {
  /** Of the output and of the input channels. */
  readonly ranks: readonly [number, number];
}

/** What a child process is to decompose. */
export interface TuckerRequest {
  readonly weights: string;
  readonly layers: readonly TuckerLayer[];
  readonly tolerance: number;
}

export interface TuckerRun {
  readonly layers: readonly {
    /** Wall time. */
    readonly seconds: number;
    /** Processor time of all threads. */
    readonly processor: number;
    readonly error: number;
    readonly sweeps: number;
  }[];
}

export type OurTuckerRun = TuckerRun & OwnProcess;

/** What the child does, in this thread: as in `peers.py`, reading a weight is not timed, and the smallest warms up. */
export function runTucker({ weights, layers, tolerance }: TuckerRequest): TuckerRun {
  const linalg = createLapack(loadLapackModule(path.resolve('dist')));
  const decompose = (layer: TuckerLayer) => {
    const x = tensor(layer.dims, readWeight(weights, layer));
    const [start, startCpu] = [performance.now(), process.cpuUsage()];
    const { error, sweeps } = tucker2(linalg, x, [0, 1], layer.ranks, { tolerance });
    const { user, system } = process.cpuUsage(startCpu);
    return { seconds: (performance.now() - start) / 1000, processor: (user + system) / 1e6, error, sweeps };
  };
  decompose([...layers].sort((a, b) => a.rows * a.cols - b.rows * b.cols)[0]!);
  return { layers: layers.map(decompose) };
}
