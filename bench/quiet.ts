import { cpus } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';

/** Of what one core can do: others that take more make a run of little worth. */
const QUIET = 0.1;

/** A measurement by a child process that says how much processor time it took itself. */
interface Measured {
  readonly cpuSeconds: number;
}

/** A measurement, and how many cores the other processes of the machine took meanwhile. */
export type Watched<T> = T & { readonly others: number };

/**
 * Takes a measurement while the machine is quiet: threads that wait for one another by spinning, as those of a BLAS
 * do, take many times as long where another process has one of their cores. For `patience` seconds it waits for quiet,
 * and repeats a measurement that was disturbed. Gives the least disturbed one.
 */
export async function quietly<T extends Measured>(
  patience: number,
  measure: () => Promise<T>,
): Promise<Watched<T>> {
  const deadline = performance.now() + 1000 * patience;
  let best: Watched<T> | undefined;
  do {
    while (performance.now() < deadline && (await othersDuring(() => sleep(400))) > QUIET);
    let result: T | undefined;
    const others = await othersDuring(async () => {
      result = await measure();
      return result.cpuSeconds;
    });
    if (!best || others < best.others) best = { ...result!, others };
  } while (best.others > QUIET && performance.now() < deadline);
  return best;
}

/** The measurements that nobody disturbed, or where there are none, all. */
export function undisturbed<T>(runs: readonly Watched<T>[]): readonly Watched<T>[] {
  const quiet = runs.filter(({ others }) => others <= QUIET);
  return quiet.length > 0 ? quiet : runs;
}

/** How far the figures of these runs can be trusted: '' for undisturbed ones. */
export function disturbance({ others }: { readonly others: number }): string {
  return others > QUIET ? `(disturbed: others took up to ${others.toFixed(1)} cores)` : '';
}

/** Cores that neither this process nor the child took; the call gives the child's seconds, if there is one. */
async function othersDuring(call: () => Promise<unknown>): Promise<number> {
  const [start, busy, own] = [performance.now(), busySeconds(), process.cpuUsage()];
  const child = await call();
  const { user, system } = process.cpuUsage(own);
  const known = (user + system) / 1e6 + (typeof child === 'number' ? child : 0);
  return Math.max(0, (busySeconds() - busy - known) / ((performance.now() - start) / 1000));
}

function busySeconds(): number {
  return cpus().reduce((sum, { times }) => sum + (times.user + times.nice + times.sys + times.irq) / 1000, 0);
}
