import { median } from '../../core/compress/latency/comparedTimes';
import { pause } from '../platform/pause';
import type { RuntimeTensor } from '../runtime';

/** Something whose runs can be timed: a session of the runtime, or what a test puts in its place. */
export interface Timed {
  /** Milliseconds of one run. */
  time(inputs: ReadonlyMap<string, RuntimeTensor>): Promise<number>;
  /** It runs in parts: then one time is a sum of medians already, and each part is loaded for it. */
  readonly parted?: unknown;
}

/** How long to go on: within the bounds on the number of rounds until so much time is filled. */
export interface Effort {
  readonly fewest: number;
  readonly most: number;
  readonly ms: number;
}

/**
 * Times several things on the same inputs, each once in every round, so that whatever else the machine does meets all of
 * them alike; every other round goes backwards. Gives the milliseconds of each, one number per round. What time is filled
 * is that of the runs themselves. Throws the signal's reason between runs.
 */
export async function timeInTurn(
  things: readonly Timed[],
  inputs: ReadonlyMap<string, RuntimeTensor>,
  { fewest, most, ms }: Effort,
  signal?: AbortSignal,
  onProgress: (done: number) => void = () => {},
): Promise<readonly (readonly number[])[]> {
  const times = things.map((): number[] => []);
  const order = [...things.keys()];
  const inParts = things.some(({ parted }) => parted);
  const rounds = inParts ? 1 : most;
  let spent = 0;
  for (let round = 0; round < rounds && (round < fewest || spent < ms); round++) {
    onProgress(Math.min(1, Math.max(spent / ms, round / most)));
    for (const i of round % 2 === 0 ? order : [...order].reverse()) {
      signal?.throwIfAborted();
      const thing = things[i]!;
      const taken = inParts && !thing.parted ? await medianTime(thing, inputs) : await thing.time(inputs);
      times[i]!.push(taken);
      spent += taken;
    }
    // Runs are synchronous inside: whoever wants to cancel is listened to here.
    await pause();
  }
  return times;
}

/** Runs of what is timed beside something in parts: those of each part are as many. */
const MEDIAN_RUNS = 7;

/** The median of some runs right after each other. */
export async function medianTime(thing: Timed, inputs: ReadonlyMap<string, RuntimeTensor>): Promise<number> {
  const times: number[] = [];
  for (let k = 0; k < MEDIAN_RUNS; k++) times.push(await thing.time(inputs));
  return median(times);
}
