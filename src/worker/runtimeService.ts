import type { PartData } from '../core/onnx/parts/writePart';
import type { Runtime, RuntimeSession, RuntimeTensor } from './runtime';

/** Sessions of ONNX Runtime, named by numbers: what the process it runs in can be asked for. */
export interface RuntimeService {
  /** The engine's name, as in {@link Runtime}. */
  name(request: Record<string, never>): Promise<string>;
  open(request: {
    readonly path: string;
    readonly externalFiles: readonly string[];
    readonly bytes?: Uint8Array;
    readonly data?: readonly PartData[];
  }): Promise<{ readonly id: number; readonly inputNames: readonly string[] }>;
  run(request: {
    readonly id: number;
    readonly inputs: ReadonlyMap<string, RuntimeTensor>;
  }): Promise<ReadonlyMap<string, RuntimeTensor>>;
  time(request: {
    readonly id: number;
    readonly inputs: ReadonlyMap<string, RuntimeTensor>;
  }): Promise<number>;
  release(request: { readonly id: number }): Promise<void>;
}

/** Its calls by name. */
export const RUNTIME_METHODS = [
  'name',
  'open',
  'run',
  'time',
  'release',
] as const satisfies readonly (keyof RuntimeService)[];

/** A model of more bytes is not left to the garbage collector, which does not know how much it is. */
const LARGE_MODEL = 16 * 2 ** 20;

/** The service on a runtime of this process. `collect` makes the garbage collector run, where it can be made to. */
export function createRuntimeService(runtime: Runtime, collect?: () => void): RuntimeService {
  const sessions = new Map<number, RuntimeSession>();
  let isLarge = false;
  let last = 0;
  const session = (id: number) => {
    const found = sessions.get(id);
    if (!found) throw new Error(`There is no session ${id}.`);
    return found;
  };
  return {
    name: async () => runtime.name,
    async open({ path, externalFiles, bytes, data = [] }) {
      const opened = await runtime.open(path, externalFiles, bytes, data);
      sessions.set(++last, opened);
      isLarge ||= data.reduce((sum, { length }) => sum + length, bytes?.length ?? 0) > LARGE_MODEL;
      return { id: last, inputNames: [...opened.inputNames] };
    },
    run: async ({ id, inputs }) => session(id).run(inputs),
    time: async ({ id, inputs }) => session(id).time(inputs),
    async release({ id }) {
      const found = session(id);
      sessions.delete(id);
      await found.release();
      if (isLarge) collect?.();
      isLarge = false;
    },
  };
}
