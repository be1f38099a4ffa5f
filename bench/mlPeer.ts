import { matrix } from '../src/core/tensor/matrix';
import { createMlMatrix } from '../src/core/tensor/mlMatrix';
import { type BenchLayer, operations } from './layers';
import { readWeight } from './weights';

/** ml-matrix's SVD, in this thread, on the smallest layers first until `budget` seconds would be over. */
export function timeMlMatrix(
  weights: string,
  layers: readonly BenchLayer[],
  budget: number,
): { readonly seconds: number; readonly finished: readonly number[] } {
  const linalg = createMlMatrix();
  const finished: number[] = [];
  let seconds = 0;
  let perOperation = 0;
  const order = layers.map((_, index) => index);
  for (const index of order.sort((a, b) => operations(layers[a]!) - operations(layers[b]!))) {
    const layer = layers[index]!;
    // A second per GFLOP is what it takes at best, where nothing is known yet.
    if (seconds + (perOperation || 1e-9) * operations(layer) > budget) break;
    const a = matrix(layer.rows, layer.cols, Float64Array.from(readWeight(weights, layer)));
    const start = performance.now();
    linalg.svd(a, layer.rank);
    const took = (performance.now() - start) / 1000;
    seconds += took;
    perOperation = took / operations(layer);
    finished.push(index);
  }
  return { seconds, finished: finished.sort((a, b) => a - b) };
}
