/** What the engine asks of the host where it has no files of its own. Paths are those of the requests. */
export interface HostFiles {
  /** What a path is; a file with its size, and a number that changes when it does. */
  stat(request: { readonly path: string }): Promise<HostStat>;
  /** Throws 'unreadable'. */
  read(request: { readonly path: string }): Promise<{ readonly bytes: Uint8Array }>;
  /** The names of the files and folders in a folder. */
  list(request: { readonly path: string }): Promise<readonly string[]>;
  /** Writes a file beside its place and moves it there; until then nothing is to be seen. Throws 'write-failed'. */
  write(request: {
    readonly path: string;
    readonly bytes: Uint8Array;
    /** Whether there may be one already. */
    readonly replaces: boolean;
  }): Promise<void>;
  /** Removes a file that was written, where it is still there. */
  remove(request: { readonly path: string }): Promise<void>;
  /** A file of the extension's own, by its path inside dist. */
  resource(request: { readonly name: string }): Promise<{ readonly bytes: Uint8Array }>;
}

export type HostStat =
  | { readonly kind: 'absent' }
  | { readonly kind: 'folder' }
  | { readonly kind: 'file'; readonly size: number; readonly mtimeMs: number };

/** The calls of {@link HostFiles} by name: what rpc may dispatch to. */
export const HOST_FILES_METHODS = [
  'stat',
  'read',
  'list',
  'write',
  'remove',
  'resource',
] as const satisfies readonly (keyof HostFiles)[];
