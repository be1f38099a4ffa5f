import type { Linalg } from '../core/tensor/linalg';
import { createMlMatrix } from '../core/tensor/mlMatrix';
import { createLapack } from './lapack';
import { loadLapackModule } from './lapackFiles';

/** LAPACK from the .wasm files in `folder`; ml-matrix, slower but plain JavaScript, where they can't run. */
export function loadLinalg(folder: string): Linalg {
  try {
    return createLapack(loadLapackModule(folder));
  } catch (error) {
    const fallback = createMlMatrix();
    return { ...fallback, name: `${fallback.name} (LAPACK is not available: ${(error as Error).message})` };
  }
}
