/** A name may differ from what was meant by this share of its characters. */
const MOST_WRONG = 0.4;

/**
 * The name that was probably meant by one that is not there: least changes of characters (Levenshtein), letters' case
 * aside; undefined where none is near.
 */
export function nearestName<T extends string>(wrong: string, names: Iterable<T>): T | undefined {
  let nearest: T | undefined;
  let least = Math.floor(MOST_WRONG * wrong.length) + 1;
  for (const name of names) {
    if (Math.abs(name.length - wrong.length) >= least) continue;
    const distance = changes(wrong.toLowerCase(), name.toLowerCase());
    if (distance >= least) continue;
    least = distance;
    nearest = name;
  }
  return nearest;
}

/** How many characters have to be put in, left out or replaced. */
function changes(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return row[b.length]!;
}
