import { counted } from '../../core/counted';
import { exposeTensors, type Place, type Wanted } from '../../core/onnx/exposeTensors';
import { ModelError } from '../../core/onnx/modelError';
import type { ShapeTable } from '../../core/onnx/shapes/inferShapes';
import { type Segment, segmentsLength } from '../../core/onnx/splice';
import type { OpenModel } from '../openModel';
import type { Runtime, RuntimeSession, RuntimeTensor } from '../runtime';

/** A model whose tensors are looked into, with what is known about their sizes at those of its inputs. */
export interface ShapedModel {
  readonly source: Pick<OpenModel, 'path' | 'model' | 'externalFiles' | 'openExternal'>;
  readonly shapes: ShapeTable;
}

type Tensors = ReadonlyMap<string, RuntimeTensor>;

/** A model that runs as far as it takes to give out some of its tensors. Release it. */
export interface ExposedSession {
  /** Where each of the wanted tensors is found, in their order. */
  readonly places: readonly Place[];
  /** Missing where nothing has to be computed. */
  readonly session?: RuntimeSession | undefined;
  /** The wanted tensors of a run of that session, in their order; undefined for those that were refused or are not fed. */
  found(inputs: Tensors, outputs: Tensors | undefined): readonly (RuntimeTensor | undefined)[];
  /** The same in one run. */
  run(inputs: Tensors): Promise<readonly (RuntimeTensor | undefined)[]>;
  release(): Promise<void>;
}

/** What a protocol-buffer message may hold. */
const LARGEST_MODEL = 2 ** 31 - 1;
const BLOCK = 4 * 1024 * 1024;

/**
 * Opens a session on the part of a model that computes the wanted tensors. That part is held in memory while it is
 * loaded, data files are read where they are; nothing is written. Throws ModelErrors.
 */
export async function openExposed(
  runtime: Runtime,
  { source, shapes }: ShapedModel,
  wanted: readonly Wanted[],
  memory?: ModelMemory,
): Promise<ExposedSession> {
  const { model, path, externalFiles } = source;
  const { segments, places } = exposeTensors(model, shapes, wanted, { only: true });
  const session = places.some(({ kind }) => kind === 'output')
    ? await runtime.open(path, externalFiles, bytesOf(segments, path, memory))
    : undefined;
  const found: ExposedSession['found'] = (inputs, outputs) =>
    places.map((place, i) => {
      if (place.kind === 'input') return inputs.get(wanted[i]!.name);
      return place.kind === 'output' ? outputs?.get(place.name) : undefined;
    });
  return {
    places,
    session,
    found,
    run: async (inputs) => found(inputs, await session?.run(inputs)),
    async release() {
      await session?.release();
    },
  };
}

/** Gives memory for the bytes of a model, the same each time: whoever has loaded one needs them no more. */
export type ModelMemory = (length: number) => Uint8Array;

/** Memory that grows to the largest model. Left to the garbage collector, models of 100 MB each pile up. */
export function createModelMemory(): ModelMemory {
  let memory = new Uint8Array(0);
  return (length) => {
    if (memory.length < length) memory = new Uint8Array(length);
    return memory.subarray(0, length);
  };
}

/** Segments in one piece; `path` names the model in a refusal. */
export function bytesOf(
  segments: readonly Segment[],
  path: string,
  memory: ModelMemory = (length) => new Uint8Array(length),
): Uint8Array {
  const length = segmentsLength(segments);
  if (length > LARGEST_MODEL) {
    throw new ModelError(
      'too-large',
      `${path}: with the outputs that calibration needs the model would be larger than ${counted(LARGEST_MODEL, 'byte')}.`,
    );
  }
  const bytes = memory(length);
  let to = 0;
  for (const segment of segments) {
    if (segment.kind === 'bytes') {
      bytes.set(segment.bytes, to);
      to += segment.bytes.length;
      continue;
    }
    for (let at = segment.start; at < segment.end; at += BLOCK) {
      const part = segment.source.read(at, Math.min(BLOCK, segment.end - at));
      bytes.set(part, to);
      to += part.length;
    }
  }
  return bytes;
}
