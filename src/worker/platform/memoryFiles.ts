import type { FileStat, Files, FolderEntry } from './filesPort';
import { FileWanted } from './fileWanted';
import { basename, dirname, join } from './webPaths';

/** Where the engine's own files are: nobody else knows of them. */
export const OWN_FOLDER = 'ranksmith:/engine';

/** What somebody found out about a path. */
export type Found =
  | { readonly kind: 'absent' }
  | { readonly kind: 'folder' }
  | { readonly kind: 'file'; readonly size: number; readonly mtimeMs: number };

/** A file that the engine wrote where others will look for it. */
export interface WrittenFile {
  readonly path: string;
  readonly bytes: Uint8Array;
  /** Whether one was known to be there. */
  readonly replaces: boolean;
}

/**
 * The engine's files where there is no disk. Its own folder and those it makes are in memory alone. Of all other paths
 * it knows what it has been told; what it has not been told it wants to know, and throws {@link FileWanted}.
 */
export interface MemoryFiles extends Files {
  /** What a path is. */
  tell(path: string, found: Found): void;
  /** The content of a file, which it keeps. */
  place(path: string, bytes: Uint8Array, mtimeMs: number): void;
  /** All that is in a folder has been told. */
  closeFolder(path: string): void;
  /** The files whose content was placed, the longest unused first. */
  placed(): readonly { readonly path: string; readonly size: number; readonly mtimeMs: number }[];
  forget(path: string): void;
  /** Forgets all that was told, but for contents. */
  forgetAnswers(): void;
  /** Hands over what the engine wrote, in this order, and forgets it. */
  takeWritten(): readonly WrittenFile[];
}

interface File {
  readonly kind: 'file';
  /** 'own': made here, not seen outside; 'written': made here, for others. */
  origin: 'own' | 'told' | 'written';
  readonly ino: number;
  /** More than `size` while it grows; undefined where only `size` was told. */
  bytes: Uint8Array | undefined;
  size: number;
  mtimeMs: number;
  lastUse: number;
  replaces: boolean;
}

interface Folder {
  readonly kind: 'folder';
  readonly ino: number;
  readonly mtimeMs: number;
  /** Whether it was made here: then nothing is in it but what was put there. */
  readonly isOwn: boolean;
  /** Whether all that is in it is known. */
  isClosed: boolean;
}

type Entry = File | Folder | { readonly kind: 'absent' };

/** Files in memory: nothing but the engine's own folder, and in it one for temporary files. There are no links and no rights. */
export function createMemoryFiles(): MemoryFiles {
  const entries = new Map<string, Entry>();
  const open = new Map<number, File | Folder>();
  let lastFd = 2;
  let lastIno = 0;
  let lastTime = 0;
  let uses = 0;

  const now = () => {
    lastTime = Math.max(Date.now(), lastTime + 1);
    return lastTime;
  };

  /** What is there; undefined where nothing is. */
  function find(path: string): File | Folder | undefined {
    const name = join(path);
    const entry = entries.get(name);
    if (entry?.kind === 'absent') return undefined;
    if (!entry && !isInOwn(name)) throw new FileWanted(name, 'stat');
    if (entry?.kind === 'file') entry.lastUse = ++uses;
    return entry;
  }

  function isInOwn(name: string): boolean {
    const folder = dirname(name);
    const entry = entries.get(folder);
    if (entry?.kind === 'folder') return entry.isOwn || entry.isClosed;
    return entry === undefined && folder !== name && isInOwn(folder);
  }

  const need = (path: string, call: string) => find(path) ?? fail('ENOENT', call, path);

  function contentOf(file: File, path: string): Uint8Array {
    if (!file.bytes) throw new FileWanted(join(path), 'content');
    return file.bytes;
  }

  function fileOf(fd: number): File {
    const entry = open.get(fd) ?? fail('EBADF', 'use', `descriptor ${fd}`);
    return entry.kind === 'file' ? entry : fail('EISDIR', 'use', `descriptor ${fd}`);
  }

  function newFile(
    origin: File['origin'],
    bytes: Uint8Array | undefined,
    size: number,
    mtimeMs: number,
  ): File {
    return { kind: 'file', origin, ino: ++lastIno, bytes, size, mtimeMs, lastUse: ++uses, replaces: false };
  }

  function newFolder(path: string, isOwn: boolean): void {
    entries.set(join(path), { kind: 'folder', ino: ++lastIno, mtimeMs: now(), isOwn, isClosed: isOwn });
  }

  function create(path: string): File {
    if (find(dirname(path))?.kind !== 'folder') fail('ENOENT', 'create', path);
    const file = newFile('own', new Uint8Array(0), 0, now());
    entries.set(join(path), file);
    return file;
  }

  function append(file: File, piece: Uint8Array): void {
    const size = file.size + piece.length;
    const bytes = file.bytes ?? new Uint8Array(0);
    if (size > bytes.length) {
      file.bytes = new Uint8Array(Math.max(size, Math.ceil(1.5 * bytes.length)));
      file.bytes.set(bytes.subarray(0, file.size));
    }
    file.bytes!.set(piece, file.size);
    file.size = size;
    file.mtimeMs = now();
  }

  function stat(path: string): FileStat;
  function stat(path: string, options: { readonly throwIfNoEntry: false }): FileStat | undefined;
  function stat(path: string, options: { readonly throwIfNoEntry?: boolean } = {}): FileStat | undefined {
    const entry = options.throwIfNoEntry === false ? find(path) : need(path, 'stat');
    return entry && statOf(entry);
  }

  function list(path: string): readonly string[];
  function list(path: string, options: { readonly withFileTypes: true }): readonly FolderEntry[];
  function list(path: string, options?: { readonly withFileTypes: true }): readonly (string | FolderEntry)[] {
    const name = join(path);
    const folder = need(path, 'list');
    if (folder.kind !== 'folder') fail('ENOTDIR', 'list', path);
    if (!folder.isClosed) throw new FileWanted(name, 'entries');
    const found: (string | FolderEntry)[] = [];
    for (const [each, entry] of entries) {
      if (entry.kind === 'absent' || each === name || dirname(each) !== name) continue;
      const label = basename(each);
      found.push(options ? { name: label, ...kindOf(entry), isSymbolicLink: () => false } : label);
    }
    return found;
  }

  newFolder(OWN_FOLDER, true);
  newFolder(`${OWN_FOLDER}/tmp`, true);
  return {
    tmpdir: () => `${OWN_FOLDER}/tmp`,
    existsSync: (path) => find(path) !== undefined,
    statSync: stat,
    lstatSync: stat,
    fstatSync: (fd) => statOf(open.get(fd) ?? fail('EBADF', 'stat', `descriptor ${fd}`)),
    realpathSync(path) {
      need(path, 'find');
      return join(path);
    },
    readdirSync: list,
    openSync(path, flags) {
      if (flags === 'wx' && find(path)) fail('EEXIST', 'create', path);
      const entry = flags === 'wx' ? create(path) : need(path, 'open');
      if (entry.kind === 'file') contentOf(entry, path);
      open.set(++lastFd, entry);
      return lastFd;
    },
    closeSync(fd) {
      if (!open.delete(fd)) fail('EBADF', 'close', `descriptor ${fd}`);
    },
    fsyncSync: () => {},
    readSync(fd, into, at, length, position) {
      const { bytes, size } = fileOf(fd);
      const piece = bytes!.subarray(position, Math.min(size, position + length));
      into.set(piece, at);
      return piece.length;
    },
    readFileSync(path) {
      const file = need(path, 'read');
      if (file.kind === 'folder') fail('EISDIR', 'read', path);
      return contentOf(file, path).subarray(0, file.size);
    },
    writeSync(fd, bytes, at = 0, length = bytes.length - at) {
      append(fileOf(fd), bytes.subarray(at, at + length));
      return length;
    },
    appendFileSync(path, bytes) {
      const file = find(path) ?? create(path);
      if (file.kind === 'folder') fail('EISDIR', 'append to', path);
      contentOf(file, path);
      append(file, bytes);
    },
    mkdirSync(path) {
      const entry = entries.get(join(path));
      if (entry && entry.kind !== 'absent') fail('EEXIST', 'create', path);
      if (find(dirname(path))?.kind !== 'folder') fail('ENOENT', 'create', path);
      newFolder(path, true);
    },
    mkdtempSync(prefix) {
      const path = `${prefix}${crypto.randomUUID().slice(0, 8)}`;
      newFolder(path, true);
      return path;
    },
    renameSync(from, to) {
      const file = need(from, 'rename');
      if (file.kind === 'folder') fail('EISDIR', 'rename', from);
      const [folder, target] = [dirname(join(to)), entries.get(join(to))];
      if (target?.kind === 'folder') fail('EISDIR', 'replace', to);
      const place = find(folder);
      if (place?.kind !== 'folder') fail('ENOENT', 'rename to', to);
      file.origin = place.isOwn ? 'own' : 'written';
      file.replaces = target?.kind === 'file';
      entries.delete(join(from));
      entries.delete(join(to));
      entries.set(join(to), file);
    },
    rmSync(path, { recursive = false, force = false }) {
      const entry = find(path);
      if (!entry) {
        if (!force) fail('ENOENT', 'remove', path);
        return;
      }
      if (entry.kind === 'folder' && !recursive) fail('EISDIR', 'remove', path);
      const top = join(path);
      for (const name of [...entries.keys()]) {
        if (name === top || name.startsWith(`${top}/`)) entries.delete(name);
      }
    },
    tell(path, found) {
      if (found.kind === 'folder') newFolder(path, false);
      else if (found.kind === 'absent') entries.set(join(path), found);
      else entries.set(join(path), newFile('told', undefined, found.size, found.mtimeMs));
    },
    place(path, bytes, mtimeMs) {
      entries.set(join(path), newFile('told', bytes, bytes.length, mtimeMs));
    },
    closeFolder(path) {
      const folder = entries.get(join(path));
      if (folder?.kind === 'folder') folder.isClosed = true;
    },
    placed() {
      const found: { path: string; size: number; mtimeMs: number; lastUse: number }[] = [];
      for (const [path, entry] of entries) {
        if (entry.kind === 'file' && entry.origin === 'told' && entry.bytes) found.push({ path, ...entry });
      }
      return found.sort((a, b) => a.lastUse - b.lastUse);
    },
    forget: (path) => void entries.delete(join(path)),
    forgetAnswers() {
      for (const [path, entry] of [...entries]) {
        const isContent = entry.kind === 'file' && entry.bytes !== undefined;
        if (!isContent && !(entry.kind === 'folder' && entry.isOwn)) entries.delete(path);
      }
    },
    takeWritten() {
      const taken: WrittenFile[] = [];
      for (const [path, entry] of [...entries]) {
        if (entry.kind !== 'file' || entry.origin !== 'written') continue;
        entries.delete(path);
        const all = entry.bytes ?? new Uint8Array(0);
        const bytes = all.length === entry.size ? all : all.slice(0, entry.size);
        taken.push({ path, bytes, replaces: entry.replaces });
      }
      return taken;
    },
  };
}

function kindOf({ kind }: File | Folder) {
  return { isFile: () => kind === 'file', isDirectory: () => kind === 'folder' };
}

function statOf(entry: File | Folder): FileStat {
  const size = entry.kind === 'file' ? entry.size : 0;
  return { size, mtimeMs: entry.mtimeMs, ino: entry.ino, dev: 1, ...kindOf(entry) };
}

function fail(code: string, call: string, path: string): never {
  throw Object.assign(new Error(`${code}: can't ${call} '${path}'`), { code });
}
