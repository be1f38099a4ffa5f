import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from '../platform/files';
import { dirname } from '../platform/paths';

/** Times that were measured on this machine, by what was timed. */
export interface TimingCache {
  get(key: string): number | undefined;
  set(key: string, ms: number): void;
  /** Writes what is new. Never throws: a cache that can't be written is one that is empty next time. */
  save(): void;
}

/** Entries that are kept, those used last; about as many as layers × settings of some dozens of models. */
const MOST = 5000;
const VERSION = 1;

/**
 * A cache in a file, or in memory alone. The file is read when something is first asked for; what is not understood counts
 * as nothing. It is written to a temporary file beside it and then renamed, with what others have written meanwhile, so that
 * readers see the old or the new and of two writers at the same moment the loss is some times.
 */
export function openTimingCache(path?: string): TimingCache {
  const fresh = new Map<string, number>();
  let known: Map<string, number> | undefined;
  const load = () => {
    known ??= path === undefined ? new Map() : read(path);
    return known;
  };
  return {
    get: (key) => fresh.get(key) ?? load().get(key),
    set: (key, ms) => void (Number.isFinite(ms) && ms >= 0 && fresh.set(key, ms)),
    save() {
      if (fresh.size === 0) return;
      // The newest last: the oldest are let go of.
      const all = path === undefined ? load() : read(path);
      for (const [key, ms] of fresh) {
        all.delete(key);
        all.set(key, ms);
      }
      for (const key of all.keys()) {
        if (all.size <= MOST) break;
        all.delete(key);
      }
      known = all;
      fresh.clear();
      if (path !== undefined) write(path, all);
    },
  };
}

function read(path: string): Map<string, number> {
  try {
    const { version, times } = JSON.parse(readFileSync(path, 'utf8')) as {
      version?: unknown;
      times?: unknown;
    };
    if (version !== VERSION || !Array.isArray(times)) return new Map();
    const isTime = (entry: unknown): entry is [string, number] =>
      Array.isArray(entry) && typeof entry[0] === 'string' && Number.isFinite(entry[1]) && entry[1] >= 0;
    return new Map(times.filter(isTime).slice(-MOST));
  } catch {
    // Not there, cut off, or not ours.
    return new Map();
  }
}

function write(path: string, all: ReadonlyMap<string, number>): void {
  const temporary = `${path}.${Math.random().toString(36).slice(2)}.tmp`;
  try {
    mkdirSync(dirname(path), { recursive: true });
    const file = openSync(temporary, 'w');
    try {
      writeSync(file, JSON.stringify({ version: VERSION, times: [...all] }));
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(temporary, path);
  } catch {
    // A full disk, a folder nobody may write to: the times are in memory.
    try {
      rmSync(temporary, { force: true });
    } catch {}
  }
}
