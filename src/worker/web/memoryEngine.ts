import { ModelError } from '../../core/onnx/modelError';
import { type CallOptions, ENGINE_METHODS, type Engine } from '../engine';
import { FileWanted } from '../platform/fileWanted';
import type { MemoryFiles } from '../platform/memoryFiles';
import { basename, join } from '../platform/webPaths';
import type { HostFiles } from './hostFiles';

/**
 * Bytes of files that are held at most. A compression holds the model, what it becomes, and both once more in the
 * memory of ONNX Runtime, of which a WebAssembly module has 4 GiB at most.
 */
export const MOST_HELD_BYTES = 512 * 2 ** 20;

/**
 * The engine where files have to be asked for: a call is made, and where it wants a file that isn't there, that is fetched
 * and the call is made again; calls look at their files before they compute. What is fetched stays for later calls as
 * long as it is the same at the host and there is room. What a call wrote goes to the host when it has succeeded.
 */
export function createMemoryEngine(
  session: Engine,
  files: MemoryFiles,
  host: HostFiles,
  /** What has to be there before weights are computed with. */
  prepare: () => Promise<void>,
  mostHeld: number = MOST_HELD_BYTES,
): Engine {
  let running = 0;

  /** Forgets what the host may have changed since. */
  async function lookAgain(): Promise<void> {
    if (running === 1) files.forgetAnswers();
    await Promise.all(
      files.placed().map(async ({ path, size, mtimeMs }) => {
        const now = await host.stat({ path });
        if (now.kind !== 'file' || now.size !== size || now.mtimeMs !== mtimeMs) files.forget(path);
      }),
    );
  }

  /** Makes room for a file that a call needs together with those it has. */
  function makeRoom(path: string, size: number, needed: ReadonlySet<string>): void {
    const placed = files.placed();
    let held = placed.reduce((sum, each) => sum + each.size, size);
    for (const each of placed) {
      if (held <= mostHeld) return;
      // What other calls work with stays: they would have to fetch it again.
      if (running > 1 || needed.has(each.path)) continue;
      files.forget(each.path);
      held -= each.size;
    }
    if (held <= mostHeld) return;
    const most = Math.round(mostHeld / 2 ** 20);
    throw new ModelError(
      'too-large',
      `${path} is too large for a browser: Ranksmith holds models in memory there, ${most} MiB with their data files. Open it in VS Code on a desktop, where they are read from the disk.`,
    );
  }

  async function fetchContent(path: string, needed: Set<string>): Promise<void> {
    const found = await host.stat({ path });
    needed.add(path);
    if (found.kind !== 'file') {
      files.tell(path, found);
      return;
    }
    makeRoom(path, found.size, needed);
    const { bytes } = await host.read({ path });
    // Its size is that of what was read; its time that of before, so that a change in between is noticed.
    files.place(path, bytes, found.mtimeMs);
  }

  async function fetchEntries(folder: string, needed: Set<string>): Promise<void> {
    for (const name of await host.list({ path: folder })) await fetchContent(join(folder, name), needed);
    files.closeFolder(folder);
  }

  async function fetch({ path, what }: FileWanted, needed: Set<string>): Promise<void> {
    if (what === 'stat') files.tell(path, await host.stat({ path }));
    else if (what === 'content') await fetchContent(path, needed);
    else await fetchEntries(path, needed);
  }

  /** Hands what was written to the host: all of it, or nothing of it. */
  async function handOver(signal: AbortSignal | undefined): Promise<void> {
    const written = files.takeWritten();
    const done: string[] = [];
    try {
      for (const { path, bytes, replaces } of written) {
        signal?.throwIfAborted();
        await host.write({ path, bytes, replaces });
        done.push(path);
      }
    } catch (error) {
      for (const path of done) await host.remove({ path });
      throw error;
    }
  }

  async function call(method: keyof Engine, request: never, options: CallOptions = {}): Promise<unknown> {
    const { signal } = options;
    const needed = new Set<string>();
    let last = '';
    running++;
    try {
      await lookAgain();
      if (!ONLY_READING.has(method)) await prepare();
      for (;;) {
        signal?.throwIfAborted();
        try {
          const result = await session[method](request, options);
          await handOver(signal);
          return result;
        } catch (error) {
          if (!(error instanceof FileWanted)) throw error;
          const wanted = `${error.what} ${error.path}`;
          if (wanted === last) throw new Error(`${basename(error.path)} was fetched, and is wanted again.`);
          last = wanted;
          await fetch(error, needed);
        }
      }
    } finally {
      running--;
      files.takeWritten();
    }
  }

  const methods = ENGINE_METHODS.map((method) => [
    method,
    (request: never, options?: CallOptions) => call(method, request, options),
  ]);
  return Object.fromEntries(methods) as unknown as Engine;
}

/** Calls that compute nothing with weights. */
const ONLY_READING: ReadonlySet<keyof Engine> = new Set(['analyze', 'inspect']);
