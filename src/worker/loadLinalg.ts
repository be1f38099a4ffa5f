import type { Linalg } from '../core/tensor/linalg';
import { createMlMatrix } from '../core/tensor/mlMatrix';
import { createLapack } from './lapack';
import { loadLapackModule } from './lapackFiles';

/** A heap that one large weight made this big is given back after the job; smaller ones are kept for the next. */
const KEPT_HEAP_BYTES = 64 * 1024 * 1024;

/** A linear-algebra engine, and what to do when a job is finished. */
export interface LoadedLinalg {
  readonly linalg: Linalg;
  settle(): void;
}

/** LAPACK from the .wasm files in `folder`; ml-matrix, slower but plain JavaScript, where they can't run. */
export function loadLinalg(folder: string): LoadedLinalg {
  try {
    const lapack = createLapack(loadLapackModule(folder));
    const settle = () => {
      if (lapack.heapBytes() > KEPT_HEAP_BYTES) lapack.release();
    };
    return { linalg: lapack, settle };
  } catch (error) {
    const fallback = createMlMatrix();
    const name = `${fallback.name} (LAPACK is not available: ${(error as Error).message})`;
    return { linalg: { ...fallback, name }, settle: () => {} };
  }
}
