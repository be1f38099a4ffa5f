import { hashFiles } from '../hashFiles';
import { filesOf } from '../openModel';
import type { CalibratedOn } from './tools';

/** What was measured on calibration data, for whoever asks the same again. */
export interface Kept {
  /**
   * What `make` gives for a key: from memory where it was made before and is still kept. It holds nothing of an open model or
   * file. Two that ask at once both make it: each has a signal of its own.
   */
  get<T extends object>(key: string, make: () => Promise<T>, bytesOf: (value: T) => number): Promise<T>;
}

const MIB = 2 ** 20;

/** Keeps the values that were asked for last, up to this many bytes. */
export function createKept(most = 192 * MIB): Kept {
  // In the order they were asked for.
  const values = new Map<string, { readonly value: object; readonly bytes: number }>();
  let sum = 0;
  const drop = (key: string) => {
    sum -= values.get(key)?.bytes ?? 0;
    values.delete(key);
  };
  return {
    async get<T extends object>(key: string, make: () => Promise<T>, bytesOf: (value: T) => number) {
      const known = values.get(key);
      const value = known ? (known.value as T) : await make();
      const bytes = known?.bytes ?? bytesOf(value);
      drop(key);
      if (bytes > most) return value;
      values.set(key, { value, bytes });
      sum += bytes;
      for (const oldest of values.keys()) {
        if (sum <= most) break;
        drop(oldest);
      }
      return value;
    },
  };
}

const identities = new WeakMap<CalibratedOn['data'], Promise<string>>();

/** A key for what a model and data give together, by content; sizes that data and user gave are in it. */
export function identityOf(
  { open, data, macs }: Pick<CalibratedOn, 'open' | 'data' | 'macs'>,
  signal: AbortSignal | undefined,
): Promise<string> {
  const known = identities.get(data);
  if (known) return known;
  const made = Promise.all([hashFiles(filesOf(open), signal), data.hash(signal)]).then(
    (hashes) => `${hashes.join(' ')} ${macs}`,
  );
  identities.set(data, made);
  // Somebody else may ask who was not cancelled.
  made.catch(() => identities.delete(data));
  return made;
}
