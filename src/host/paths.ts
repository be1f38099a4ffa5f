/** The last part of a path of whatever platform, without its folders. */
export function basename(path: string): string {
  return path.slice(lastSeparator(path) + 1);
}

/** A path without its last part; '.' where there is nothing before it. */
export function dirname(path: string): string {
  const end = lastSeparator(path);
  return end < 0 ? '.' : path.slice(0, Math.max(end, 1));
}

/** On Windows both strokes part folders; elsewhere the other one is a letter like any. */
function lastSeparator(path: string): number {
  const isWindows = /^([A-Za-z]:|\\\\)/.test(path);
  return Math.max(path.lastIndexOf('/'), isWindows ? path.lastIndexOf('\\') : -1);
}
