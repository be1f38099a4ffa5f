import { type FactoredLayer, rewriteModel } from '../../core/compress/rewrite';
import { memorySource } from '../../core/onnx/byteSource';
import { readModel } from '../../core/onnx/read';
import { bytesOf, type ModelMemory, type ShapedModel } from '../activations/exposedSession';
import type { OpenModel } from '../openModel';

/** A model with some layers replaced, that is nowhere but in memory; data files are those of the original. */
export interface MemoryModel {
  readonly bytes: Uint8Array;
  /** As something that can be looked into. */
  readonly source: ShapedModel['source'];
}

/** The bytes of the model with these layers replaced. Throws a ModelError where they were too many for one message. */
export function rewrittenBytes(
  { model, path }: OpenModel,
  layers: readonly FactoredLayer[],
  memory?: ModelMemory,
): Uint8Array {
  return bytesOf(rewriteModel(model, layers).segments, path, memory);
}

/** The same as a model. */
export function rewrittenModel(open: OpenModel, layers: readonly FactoredLayer[]): MemoryModel {
  const bytes = rewrittenBytes(open, layers);
  const { path, externalFiles, openExternal } = open;
  const model = readModel(memorySource(path, bytes));
  return { bytes, source: { path, model, externalFiles, openExternal } };
}
