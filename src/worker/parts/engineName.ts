import type { Runtime, RuntimeSession } from '../runtime';

/** The engine as reports name it: with how many parts the original and the compressed model were run in, where they were. */
export function engineName({ name }: Runtime, sessions: readonly RuntimeSession[]): string {
  if (sessions.every(({ parted }) => !parted)) return name;
  const [first = 1, second = 1] = sessions.map(({ parted }) => parted?.count ?? 1);
  return `${name}, in parts (${first}, ${second}), times are sums of theirs`;
}
