import { ModelError } from '../core/onnx/modelError';
import type { FactorJob, FactorResult } from './factorJob';
import { jobBytes } from './jobBytes';
import { expectManyListeners } from './platform/manyListeners';
import { packJob } from './platform/packJob';
import { availableMemory, processorCount } from './platform/processors';
import { startScript } from './platform/threads';

/** What a thread is told: one job at a time. */
export type ThreadRequest = { readonly job: FactorJob };

/** What a thread answers. */
export type ThreadReply =
  | { readonly kind: 'ready'; readonly engine: string }
  | { readonly kind: 'progress'; readonly done: number }
  | { readonly kind: 'result'; readonly result: FactorResult }
  /** A refusal that belongs to this weight: not finite, no convergence, too large for the heap. */
  | { readonly kind: 'refused'; readonly code: string; readonly message: string }
  | { readonly kind: 'failed'; readonly message: string };

/** A weight that can't be factored, as a sentence: the layer stays as it is. */
export class WeightRefused extends Error {
  constructor(
    readonly code: string,
    message: string,
  ) {
    super(message);
    this.name = 'WeightRefused';
  }
}

/** Threads that factor weights, each with its own linear-algebra engine. They start when there is work. */
export interface Pool {
  /** Number of jobs that run at the same time. */
  readonly size: number;
  /** What the threads compute with, once one has started. */
  engine(): string | undefined;
  /**
   * Runs a job on the next free thread. Rejects with {@link WeightRefused} where the weight is at fault, with a
   * ModelError where its file is, or the thread died, and with the signal's reason when cancelled: a job that waits
   * is forgotten; the thread of one that runs is stopped in the middle of the computation and another takes its place.
   */
  run(job: FactorJob, signal?: AbortSignal, onProgress?: (done: number) => void): Promise<FactorResult>;
  /** Stops all threads; jobs that run, wait or come later are rejected. */
  close(): Promise<void>;
}

/**
 * Threads start when there is work for them, one for each processor. As many jobs run at once as there is room for:
 * what they are expected to need stays below `memory` bytes, unless it is a single one that needs more.
 */
export function createPool(script: string, size = processorCount(), memory = availableMemory() / 2): Pool {
  const idle: Thread[] = [];
  const waiting: Waiting[] = [];
  let reserved = 0;
  let calibrating = 0;
  const all = new Set<Thread>();
  let engine: string | undefined;
  let closed = false;

  function start(): Thread {
    const thread = startThread(script, (name) => {
      engine = name;
    });
    all.add(thread);
    return thread;
  }

  /** Hands threads to those who wait, in their order, as long as there are threads and room. */
  function serve(): void {
    while (!closed && waiting.length > 0) {
      const { bytes, isCalibrating, begin } = waiting[0]!;
      if (reserved > 0 && reserved + bytes > memory) return;
      if (isCalibrating && calibrating > 0 && calibrating + bytes > CALIBRATING_BYTES) return;
      // A thread may have died of itself since its last job.
      while (idle.length > 0 && !idle.at(-1)!.alive()) all.delete(idle.pop()!);
      if (idle.length === 0 && all.size === size) return;
      waiting.shift();
      reserved += bytes;
      if (isCalibrating) calibrating += bytes;
      begin(idle.pop() ?? start());
    }
  }

  /** Waits for a thread; whoever is cancelled meanwhile leaves the queue at once. */
  function take(room: Room, signal: AbortSignal | undefined): Promise<Thread> {
    return new Promise((resolve, reject) => {
      const leave = () => {
        waiting.splice(waiting.indexOf(entry), 1);
        reject(signal?.reason);
        serve();
      };
      const settled = () => signal?.removeEventListener('abort', leave);
      const entry: Waiting = {
        ...room,
        begin(thread) {
          settled();
          resolve(thread);
        },
        refuse(error) {
          settled();
          reject(error);
        },
      };
      signal?.addEventListener('abort', leave, { once: true });
      waiting.push(entry);
      serve();
    });
  }

  function give(thread: Thread, { bytes, isCalibrating }: Room): void {
    reserved -= bytes;
    if (isCalibrating) calibrating -= bytes;
    // What a large one leaves to the garbage collector stays as long as the thread idles.
    if (isCalibrating && bytes > LARGE_BYTES && thread.alive()) {
      all.delete(thread);
      void thread.stop();
      serve();
      return;
    }
    if (thread.alive()) idle.push(thread);
    else all.delete(thread);
    serve();
  }

  return {
    size,
    engine: () => engine,
    async run(job, signal, onProgress) {
      signal?.throwIfAborted();
      if (closed) throw stoppedBefore();
      // Every job of a call listens to the same signal: there may be many.
      if (signal) expectManyListeners(signal);
      const room = { bytes: jobBytes(job), isCalibrating: 'data' in job.task };
      const thread = await take(room, signal);
      try {
        signal?.throwIfAborted();
        return await thread.run(job, signal, onProgress);
      } finally {
        give(thread, room);
      }
    },
    async close() {
      closed = true;
      for (const { refuse } of waiting.splice(0)) refuse(stoppedBefore());
      await Promise.all([...all].map((thread) => thread.stop()));
    },
  };
}

function stoppedBefore(): ModelError {
  return new ModelError('engine-stopped', 'The engine was closed before it came to this.');
}

/** What a job is expected to need. */
interface Room {
  readonly bytes: number;
  /** It brings covariances along, which others wait with. */
  readonly isCalibrating: boolean;
}

/** What jobs with covariances may take together, unless it is a single one: the data they come from is there as well. */
const CALIBRATING_BYTES = 0.5 * 2 ** 30;

/** A job with covariances beyond which its thread ends with it. */
const LARGE_BYTES = 256 * 2 ** 20;

interface Waiting extends Room {
  begin(thread: Thread): void;
  refuse(error: Error): void;
}

interface Thread {
  alive(): boolean;
  run(
    job: FactorJob,
    signal: AbortSignal | undefined,
    onProgress?: (done: number) => void,
  ): Promise<FactorResult>;
  stop(): Promise<unknown>;
}

/** The large arrays of a job, which are handed over, not copied. */
function buffersOf({ known, task, weight }: FactorJob): ArrayBuffer[] {
  const parts = [...(known?.parts ?? []), ...(weight.kind === 'bytes' ? [weight.bytes] : [])];
  if (!('data' in task)) return parts.map(({ buffer }) => buffer as ArrayBuffer);
  const moments = task.data.flatMap(({ moments: own, check }) => (check ? [own, check] : [own]));
  const sums = moments.flatMap((own) =>
    own.kind === 'pairs' ? [own.covariance.data, own.cross.data] : [own.covariance.data],
  );
  return [...parts, ...sums].map(({ buffer }) => buffer as ArrayBuffer);
}

function startThread(script: string, onReady: (engine: string) => void): Thread {
  let alive = true;
  let settle: ((reply: ThreadReply | Error) => void) | undefined;
  const die = (error: Error) => {
    alive = false;
    settle?.(error);
  };
  const thread = startScript(script, {
    onEnd(error) {
      if (error instanceof ModelError) return die(error);
      const why = error ? `: ${error.message}` : ' before it had finished.';
      die(new ModelError('engine-stopped', `A factoring thread stopped${why}`));
    },
    onMessage(reply: ThreadReply) {
      if (reply.kind === 'ready') onReady(reply.engine);
      else settle?.(reply);
    },
  });

  return {
    alive: () => alive,
    stop: () => thread.terminate(),
    run(job, signal, onProgress) {
      return new Promise((resolve, reject) => {
        const sent = packJob(job);
        // A computation in WebAssembly listens to nobody: cancelling it means ending its thread.
        const cancel = () => {
          alive = false;
          finish();
          void thread.terminate();
          reject(signal?.reason);
        };
        const finish = () => {
          settle = undefined;
          // An idle pool must not keep a terminal program from ending.
          thread.keepAlive(false);
          signal?.removeEventListener('abort', cancel);
        };
        settle = (reply) => {
          if (reply instanceof Error) {
            finish();
            reject(reply);
            return;
          }
          switch (reply.kind) {
            case 'progress':
              onProgress?.(reply.done);
              return;
            case 'result':
              resolve(reply.result);
              break;
            case 'refused':
              reject(new WeightRefused(reply.code, reply.message));
              break;
            case 'failed':
              reject(new Error(reply.message));
              break;
          }
          finish();
        };
        signal?.addEventListener('abort', cancel, { once: true });
        thread.keepAlive(true);
        thread.post({ job: sent } satisfies ThreadRequest, buffersOf(sent));
      });
    },
  };
}
