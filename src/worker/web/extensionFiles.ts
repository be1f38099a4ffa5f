import type { HostFiles } from './hostFiles';

let host: HostFiles | undefined;
const loaded = new Map<string, Promise<Uint8Array>>();

/** Says who has the extension's files. */
export function setExtensionHost(files: HostFiles): void {
  host = files;
}

/** A file of the extension's own, by its path inside dist; loaded once. */
export function extensionFile(name: string): Promise<Uint8Array> {
  const known = loaded.get(name);
  if (known) return known;
  if (!host) throw new Error(`${name} was asked for before anybody had it.`);
  const loading = host.resource({ name }).then(({ bytes }) => bytes);
  loaded.set(name, loading);
  // Another try may succeed.
  loading.catch(() => loaded.delete(name));
  return loading;
}
