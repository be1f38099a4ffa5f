/** What a browser tells of its machine; only some tell how much memory (in GiB, rounded, at most 8). */
interface Machine {
  readonly hardwareConcurrency?: number;
  readonly deviceMemory?: number;
}

const { navigator = {} } = globalThis as { readonly navigator?: Machine };

/** Each thread has memory of its own: more than these would gain little and take much. */
const MOST_THREADS = 8;
/** A tab may take some GiB, and is ended without a word when it takes more. */
const MOST_GIB = 4;

export function processorCount(): number {
  return Math.min(MOST_THREADS, navigator.hardwareConcurrency ?? 1);
}

/** What a tab may take of it. */
export function totalMemory(): number {
  return Math.min(MOST_GIB, navigator.deviceMemory ?? MOST_GIB) * 2 ** 30;
}

/** Nobody says what is free: half of what there is, as far as it is known. */
export function availableMemory(): number {
  return totalMemory() / 2;
}

/** Browsers keep it to themselves; times are kept for as long as the engine runs only. */
export function processorName(): string {
  return 'unknown';
}
