/** What is known of a file or folder. */
export interface FileStat {
  readonly size: number;
  readonly mtimeMs: number;
  readonly ino: number;
  readonly dev: number;
  isFile(): boolean;
  isDirectory(): boolean;
}

/** An entry of a folder. */
export interface FolderEntry {
  readonly name: string;
  isFile(): boolean;
  isDirectory(): boolean;
  isSymbolicLink(): boolean;
}

/** The part of Node's synchronous file calls that the engine uses, with errors as Node's: an Error with a `code`. */
export interface Files {
  appendFileSync(path: string, bytes: Uint8Array): void;
  closeSync(fd: number): void;
  existsSync(path: string): boolean;
  fstatSync(fd: number): FileStat;
  fsyncSync(fd: number): void;
  lstatSync: Stat;
  mkdirSync(path: string): void;
  mkdtempSync(prefix: string): string;
  /** To be read, or to be written anew: then it must not exist. */
  openSync(path: string, flags: 'r' | 'wx'): number;
  readdirSync: ReadFolder;
  readFileSync(path: string): Uint8Array;
  readSync(fd: number, into: Uint8Array, at: number, length: number, position: number): number;
  realpathSync(path: string): string;
  renameSync(from: string, to: string): void;
  rmSync(path: string, options: { readonly recursive?: boolean; readonly force?: boolean }): void;
  statSync: Stat;
  writeSync(fd: number, bytes: Uint8Array, at?: number, length?: number): number;
  /** The folder for temporary files. */
  tmpdir(): string;
}

interface Stat {
  (path: string): FileStat;
  (path: string, options: { readonly throwIfNoEntry: false }): FileStat | undefined;
}

interface ReadFolder {
  (path: string): readonly string[];
  (path: string, options: { readonly withFileTypes: true }): readonly FolderEntry[];
}
