import {
  type ComparedTimes,
  comparedTimes,
  LEAST_DIFFERENCE_MS,
  SLOWER_BY,
} from '../../core/compress/latency/comparedTimes';
import type { RuntimeTensor } from '../runtime';
import { type Effort, type Timed, timeInTurn } from './timeInTurn';

/** Runs of a first look, and of the closer one that a verdict of "slower" takes: 12 pairs are enough for it if they agree. */
const FIRST: Effort = { fewest: 5, most: 50, ms: 800 };
const CLOSER: Effort = { fewest: 12, most: 200, ms: 4000 };

/** Something that can be opened anew, to be timed. */
export type OpenTimed = () => Promise<Timed & { release(): Promise<void> }>;

/**
 * Times two open sessions in turn. Only if the second seems slower, a closer look is taken at both opened anew in the
 * other order, as where their memory lies makes sessions of one model differ; slower is what seems so both times, the
 * second beyond doubt. Where one of them runs in parts, it is what seems so twice.
 */
export async function compareSpeed(
  [first, second]: readonly [Timed, Timed],
  [openFirst, openSecond]: readonly [OpenTimed, OpenTimed],
  inputs: ReadonlyMap<string, RuntimeTensor>,
  signal?: AbortSignal,
  onProgress: (done: number) => void = () => {},
): Promise<ComparedTimes> {
  const [a = [], b = []] = await timeInTurn([first, second], inputs, FIRST, signal, onProgress);
  const look = comparedTimes(a, b);
  // A difference that few runs, or a busy machine, leave in doubt is looked into as well.
  if (!seemsSlower(look)) return look;
  if (first.parted || second.parted) {
    const [d = [], c = []] = await timeInTurn([second, first], inputs, CLOSER, signal);
    return { ...look, isSlower: seemsSlower(comparedTimes(c, d)) };
  }
  const two = await openSecond();
  try {
    const one = await openFirst();
    try {
      // The first runs warm up.
      await timeInTurn([two, one], inputs, { fewest: 1, most: 2, ms: 0 }, signal);
      const [c = [], d = []] = await timeInTurn([one, two], inputs, CLOSER, signal);
      const closer = comparedTimes(c, d);
      return closer;
    } finally {
      await one.release();
    }
  } finally {
    await two.release();
  }
}

function seemsSlower({ firstMs, secondMs }: ComparedTimes): boolean {
  return secondMs > SLOWER_BY * firstMs && secondMs - firstMs > LEAST_DIFFERENCE_MS;
}
