/**
 * Short names for layers, in the same order: exporters spell out the whole path of modules, which leaves no room
 * for anything else. `/features/features.6/features.6.0/Conv` becomes `features.6.0`. What they stand for stays
 * unambiguous: names that would be alike keep their full length.
 */
export function shortNames(
  layers: readonly { readonly name: string; readonly op: string }[],
): readonly string[] {
  const paths = layers.map(({ name, op }) => pathOf(name, op));
  const common = commonSegments(paths);
  const short = paths.map((path) => path.slice(common).join('/'));
  const counts = new Map<string, number>();
  for (const name of short) counts.set(name, (counts.get(name) ?? 0) + 1);
  return short.map((name, i) => (counts.get(name) === 1 && name !== '' ? name : layers[i]!.name));
}

/** The segments that say something new: no operator at the end, no module that the next one repeats. */
function pathOf(name: string, op: string): readonly string[] {
  const segments = name.split('/').filter((segment) => segment !== '');
  const last = segments.at(-1);
  if (segments.length > 1 && (last === op || last?.startsWith(`${op}_`))) segments.pop();
  return segments.filter((segment, i) => !segments[i + 1]?.startsWith(`${segment}.`));
}

/** How many segments all paths begin with, at least one being left over. */
function commonSegments(paths: readonly (readonly string[])[]): number {
  const [first] = paths;
  if (!first || paths.length < 2) return 0;
  const shortest = Math.min(...paths.map((path) => path.length));
  let count = 0;
  while (count < shortest - 1 && paths.every((path) => path[count] === first[count])) count++;
  return count;
}
