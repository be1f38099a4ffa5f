import type { FormedLayer } from '../core/compress/layer';
import { gramWork, type Unfolding, unfoldedSize } from '../core/compress/unfolding';
import type { FactorResult, FactorTask } from './factorJob';
import type { Pool } from './pool';
import { runTask, type TaskCall, type WeightFile } from './runTask';

/** Multiply-adds from which a Gram matrix is worth being shared out: some 0.2 s of one thread. */
const SMALLEST = 4e9;

/**
 * Runs a task like {@link runTask}, but if its Gram matrix makes out a large part of all the work there is, its
 * columns are shared out over the threads of the pool first, so that one layer does not leave the others idle.
 *
 * @param unfolding what the task takes the Gram matrix of; undefined for tasks that take several or none
 * @param share of all the work under way that is this task's
 */
export async function runSplit<L extends FormedLayer, K extends FactorTask['kind']>(
  pool: Pool,
  file: WeightFile<L>,
  layer: L,
  task: FactorTask & { readonly kind: K },
  unfolding: Unfolding | undefined,
  share: number,
  { signal, onProgress = () => {} }: TaskCall,
): Promise<FactorResult & { readonly kind: K }> {
  const parts = pool.size;
  const isLarge = unfolding && unfoldedSize(unfolding).count === 1 && gramWork(unfolding) >= SMALLEST;
  if (!isLarge || parts === 1 || share * parts < 0.5) {
    return runTask<L, K>(pool, file, layer, task, { signal, onProgress });
  }
  // The Gram matrix is about half of the work, less when it is square.
  const { rows, cols } = unfoldedSize(unfolding);
  const gramShare = Math.max(rows, cols) / (Math.max(rows, cols) + 3 * Math.min(rows, cols));
  const done = new Array<number>(parts).fill(0);
  const grams = await Promise.all(
    done.map(async (_, part) => {
      const { gram } = await runTask(
        pool,
        file,
        layer,
        { kind: 'gram', unfolding, part, parts },
        {
          signal,
          onProgress(share) {
            done[part] = share;
            // Rounding must not bring it above what comes next.
            onProgress(Math.min(gramShare, (gramShare * done.reduce((a, b) => a + b, 0)) / parts));
          },
        },
      );
      return gram;
    }),
  );
  onProgress(gramShare);
  const known = { parts: grams, columns: Math.max(rows, cols) };
  const rest = (share: number) => onProgress(gramShare + (1 - gramShare) * share);
  return runTask<L, K>(pool, file, layer, task, { signal, onProgress: rest, known });
}
