import type { ByteSource } from '../../core/onnx/byteSource';
import { elementBytes, elementCount } from '../../core/onnx/elements';
import type { ModelPart, PartLimits } from '../../core/onnx/parts/planParts';
import { type PartFile, type PassedTensor, writePart } from '../../core/onnx/parts/writePart';
import type { ShapeTable } from '../../core/onnx/shapes/inferShapes';
import { bytesOf } from '../activations/exposedSession';
import { requiredInputs } from '../calibration/modelInput';
import { medianTime } from '../latency/timeInTurn';
import type { OpenModel } from '../openModel';
import type { Runtime, RuntimeSession, RuntimeTensor } from '../runtime';
import { elementTypeOf } from '../runtimeValues';
import { partsOf } from './partsOf';

/** Bytes of tensors that wait between parts. */
const WAITING_BYTES = 256 * 2 ** 20;
/** Runs at once: more would gain little. */
const MOST_RUNS = 64;

type Tensors = ReadonlyMap<string, RuntimeTensor>;

/**
 * A session on a model that is too large for the runtime: nothing of it is loaded but one part, while that runs. What later
 * parts need waits here. Its times are the sums of the medians of its parts. Releasing it closes the model. Throws ModelErrors.
 *
 * @param open the model, whose source is not at its path if it is nowhere but in memory
 */
export function openParted(
  runtime: Runtime,
  open: Pick<OpenModel, 'path' | 'model' | 'openExternal' | 'close'>,
  isFile: (source: ByteSource) => boolean,
  limits: PartLimits,
): RuntimeSession {
  const { model, path, openExternal } = open;
  const { parts, shapes } = partsOf(open, limits);
  const outputs = model.graph.outputs.map(({ name }) => name);
  /** The last part that reads a tensor. */
  const last = new Map(parts.flatMap(({ reads }, i) => [...reads].map((name) => [name, i] as const)));
  const files: PartFile[] = [];
  const perRow = waitingBytes(parts, shapes, outputs);
  /** What waited for a run at the most, once there was one. */
  let waiting = 0;

  /** A tensor as its first run showed it: sizes that only this run has are left open. */
  const passed = (name: string, run: Tensors): PassedTensor | undefined => {
    const fact = shapes.get(name);
    const seen = run.get(name);
    const shape = fact?.shape;
    if (!seen) return fact && { type: fact.type, dims: (shape ?? []).map(() => null) };
    const dims = seen.dims.map((size, axis) =>
      shape?.length === seen.dims.length && shape[axis] === size ? size : null,
    );
    return { type: fact?.type || elementTypeOf(seen), dims };
  };

  /** Runs all parts, one after the other; `use` gets each while it is loaded, with what it is fed. */
  async function through(
    list: readonly Tensors[],
    use?: (session: RuntimeSession, inputs: Tensors) => Promise<void>,
  ): Promise<readonly Tensors[]> {
    const runs = list.map((inputs) => new Map(inputs));
    waiting = 0;
    for (const [i, part] of parts.entries()) {
      files[i] ??= writePart(model, part, (name) => passed(name, runs[0]!), openExternal, isFile);
      const { segments, data } = files[i];
      const session = await runtime.open(path, [], bytesOf(segments, path), data);
      try {
        for (const run of runs) {
          const inputs = new Map([...part.reads].map((name) => [name, run.get(name)!]));
          const given = await session.run(inputs);
          await use?.(session, inputs);
          for (const [name, tensor] of given) run.set(name, tensor);
          waiting = Math.max(waiting, bytesIn(run));
          for (const name of part.reads)
            if (last.get(name) === i && !outputs.includes(name)) run.delete(name);
        }
      } finally {
        await session.release();
      }
    }
    return runs.map((run) => new Map(outputs.map((name) => [name, run.get(name)!])));
  }

  return {
    inputNames: requiredInputs(model).map(({ name }) => name),
    parted: {
      count: parts.length,
      room(inputs) {
        const bytes = waiting || bytesIn(inputs) + perRow * rowsOf(inputs);
        return Math.max(1, Math.min(MOST_RUNS, Math.floor(WAITING_BYTES / bytes)));
      },
      runAll: (list) => through(list),
    },
    run: async (inputs) => (await through([inputs]))[0]!,
    async time(inputs) {
      let sum = 0;
      await through([inputs], async (session, own) => {
        sum += await medianTime(session, own);
      });
      return sum;
    },
    release: async () => open.close(),
  };
}

function bytesIn(tensors: Tensors): number {
  let bytes = 0;
  for (const { data } of tensors.values()) bytes += (data as Partial<ArrayBufferView>).byteLength ?? 0;
  return bytes;
}

/** The size of a batch. */
function rowsOf(inputs: Tensors): number {
  const [first] = inputs.values();
  return Math.max(1, first?.dims[0] ?? 1);
}

/** Bytes that wait between parts for one row of a batch, at the most; infinite where more sizes than that of the batch are open. */
function waitingBytes(parts: readonly ModelPart[], shapes: ShapeTable, outputs: readonly string[]): number {
  const waits = new Set<string>();
  let most = 0;
  for (const [i, { gives }] of parts.entries()) {
    for (const name of gives) waits.add(name);
    let bytes = 0;
    for (const name of waits) {
      const { shape = null, type = 0 } = shapes.get(name) ?? {};
      const sizes = (shape ?? []).filter((dim) => typeof dim === 'number');
      if (!shape || shape.length - sizes.length > 1) return Number.POSITIVE_INFINITY;
      bytes += Math.max(4, elementBytes(type, 1)) * elementCount(sizes);
    }
    most = Math.max(most, bytes);
    for (const name of waits) {
      const isRead = parts.slice(i + 1).some(({ reads }) => reads.has(name));
      if (!isRead && !outputs.includes(name)) waits.delete(name);
    }
  }
  return most;
}
