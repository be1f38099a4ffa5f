import assert from 'node:assert/strict';

/** What the yardstick takes on the machine on which the limits of the tests were set: 2 cores at 2 to 3 GHz. */
const YARDSTICK_MS = 220;
/** How often something may be tried before it counts as slow. */
const ATTEMPTS = 3;

/** Processor time this process spends in `run`, in ms: what other programs do meanwhile does not count. */
export function processorMs(run: () => void): number {
  const before = process.cpuUsage();
  run();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

/**
 * Asserts that `run` takes less than `ms` of processor time, or on a slower machine what corresponds to it. What
 * takes longer is tried again, as it may have been a collection of garbage or a busy sibling core: it has to be as
 * quick once. What is slow by itself stays slow.
 */
export function assertQuick(run: () => void, ms: number, what: string): void {
  const seen: string[] = [];
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    const took = processorMs(run);
    if (took < ms) return;
    const slowness = Math.max(1, yardstick() / YARDSTICK_MS);
    if (took < ms * slowness) return;
    seen.push(`${took.toFixed(0)} ms on a machine slower by ${slowness.toFixed(2)}`);
  }
  assert.fail(`${what} took ${seen.join(', then ')}; ${ms} ms are allowed`);
}

/** Work like that of the code under test, always the same: small objects, strings and maps. The second run counts. */
function yardstick(): number {
  processorMs(yardstickWork);
  return processorMs(yardstickWork);
}

function yardstickWork(): void {
  const map = new Map<string, { readonly dims: readonly number[]; readonly name: string }>();
  for (let i = 0; i < 240_000; i++) {
    const name = `value${i % 30_000}`;
    const old = map.get(name);
    map.set(name, { dims: [...(old?.dims.slice(0, 3) ?? []), i], name });
  }
  assert.equal(map.size, 30_000);
}
