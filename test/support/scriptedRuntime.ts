import { statSync } from 'node:fs';
import type { Runtime } from '../../src/worker/runtime';

/** What is timed: a whole model, or a layer alone, the k-th model that was opened for it; `idle` is what does nothing. */
export type Scripted =
  | { readonly kind: 'file'; readonly path: string; readonly bytes: number }
  | {
      readonly kind: 'alone' | 'idle';
      readonly layer: string;
      readonly index: number;
      readonly bytes: number;
    };

/** A runtime that computes as the real one does, and takes the time that a script says. */
export interface ScriptedRuntime extends Runtime {
  /** What was opened, in this order. */
  readonly opened: readonly Scripted[];
}

export function scriptedRuntime(real: Runtime, ms: (what: Scripted, run: number) => number): ScriptedRuntime {
  const opened: Scripted[] = [];
  const alive = new Map<string, number>();
  return {
    name: 'a scripted engine (1 thread)',
    opened,
    async open(path, externalFiles, bytes) {
      const session = await real.open(path, externalFiles, bytes);
      const layer = / alone$/.test(path) ? path.slice(0, -' alone'.length) : undefined;
      const index = alive.get(path) ?? 0;
      alive.set(path, index + 1);
      const what: Scripted =
        layer === undefined
          ? { kind: 'file', path, bytes: bytes?.length ?? statSync(path).size }
          : {
              kind: Buffer.from(bytes!).includes('Identity') ? 'idle' : 'alone',
              layer,
              index,
              bytes: bytes!.length,
            };
      opened.push(what);
      let run = 0;
      return {
        ...session,
        time: async () => ms(what, run++),
        async release() {
          // All models of a layer are let go of together: the next ones are counted anew.
          alive.delete(path);
          await session.release();
        },
      };
    },
  };
}
