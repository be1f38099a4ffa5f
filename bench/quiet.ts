import { cpus } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';

/** Of what one core can do: others that take more make a run of little worth. */
export const QUIET = 0.1;
const ATTEMPTS = 3;

/** A measurement by a child process that says how much processor time it took itself. */
interface Measured {
  readonly cpuSeconds: number;
}

/**
 * Takes a measurement while the machine is quiet: threads that wait for one another by spinning, as those of a BLAS
 * do, take many times as long where another process has one of their cores. Waits for quiet up to `patience` seconds,
 * and repeats a measurement that was disturbed, up to three times in all. Gives the least disturbed one, and how many
 * cores the other processes of the machine took meanwhile.
 */
export async function quietly<T extends Measured>(
  patience: number,
  measure: () => Promise<T>,
): Promise<T & { readonly others: number }> {
  let best: (T & { readonly others: number }) | undefined;
  const deadline = performance.now() + 1000 * patience;
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    while (performance.now() < deadline && (await othersDuring(() => sleep(500))) > QUIET);
    let result: T | undefined;
    const others = await othersDuring(async () => {
      result = await measure();
      return result.cpuSeconds;
    });
    if (!best || others < best.others) best = { ...result!, others };
    if (best.others <= QUIET || performance.now() > deadline) break;
  }
  return best!;
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
