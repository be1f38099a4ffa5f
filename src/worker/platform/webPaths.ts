/** What stands before the folders of an address: a scheme, and maybe a host. */
const START = /^([a-z][a-z\d+.-]+:(\/\/[^/]*)?)?(\/?)/i;

/** The parts of a path, joined and without detours: 'memfs:/a/b' and '../c.onnx' make 'memfs:/a/c.onnx'. */
export function join(...parts: readonly string[]): string {
  const given = parts.filter((part) => part !== '');
  const [start] = START.exec(given[0] ?? '')!;
  const kept: string[] = [];
  for (const name of given.join('/').slice(start.length).split('/')) {
    if (name === '' || name === '.') continue;
    if (name !== '..' || kept.at(-1) === '..' || (kept.length === 0 && start === '')) kept.push(name);
    // Above the highest folder there is that folder.
    else kept.pop();
  }
  return start + kept.join('/') || '.';
}

/** The folder of a path; that of the highest is itself. */
export function dirname(path: string): string {
  const whole = join(path);
  const [start] = START.exec(whole)!;
  const end = whole.lastIndexOf('/');
  return end < start.length ? start || '.' : whole.slice(0, end);
}

/** The last name of a path. */
export function basename(path: string): string {
  const whole = join(path);
  const [start] = START.exec(whole)!;
  return whole.slice(Math.max(start.length, whole.lastIndexOf('/') + 1));
}

/** The end of the last name from its last dot on; '' without one, and where it is the first letter. */
export function extname(path: string): string {
  const name = basename(path);
  const dot = name.lastIndexOf('.');
  return dot > 0 ? name.slice(dot) : '';
}

/** The way from a folder to what is in it or beside it. */
export function relative(from: string, to: string): string {
  const [a, b] = [from, to].map((path) =>
    join(path)
      .split('/')
      .filter((name) => name !== ''),
  );
  let common = 0;
  while (common < a!.length && common < b!.length && a![common] === b![common]) common++;
  return [...a!.slice(common).map(() => '..'), ...b!.slice(common)].join('/');
}
