import type { AnalyzedModel } from '../core/compress/analyzeModel';
import { type DataFileState, type ModelInspection, modelStructure } from '../core/compress/modelStructure';
import { ModelError } from '../core/onnx/modelError';
import { allGraphs } from '../core/onnx/names';
import { locateTensor } from '../core/onnx/tensorData';
import type { OpenModel } from './openModel';

/** What a model is made of, its data files looked at but not read. `analyzed` holds the types of all tensors. */
export function inspectModel(open: OpenModel, { analysis }: AnalyzedModel): ModelInspection {
  const { tensors = {}, ...rest } = analysis;
  const structure = modelStructure(open.model, tensors);
  const troubles = dataTroubles(open);
  const dataFiles = structure.dataFiles.map((use): DataFileState => {
    const trouble = troubles.get(use.location);
    return { ...use, size: sizeOf(open, use), ...(trouble === undefined ? {} : { trouble }) };
  });
  return { analysis: rest, structure: { ...structure, dataFiles } };
}

function sizeOf(
  { openExternal }: OpenModel,
  { location, first }: DataFileState | { location: string; first: string },
) {
  try {
    return openExternal(location, first).size;
  } catch (error) {
    if (error instanceof ModelError) return null;
    throw error;
  }
}

/** The first thing that is wrong with each data file: it is missing, is no plain file, or is too short. */
function dataTroubles({ model, openExternal }: OpenModel): ReadonlyMap<string, string> {
  const troubles = new Map<string, string>();
  for (const { initializers } of allGraphs(model.graph)) {
    for (const tensor of initializers) {
      if (tensor.data.kind !== 'external' || troubles.has(tensor.data.location)) continue;
      try {
        locateTensor(model, tensor, openExternal);
      } catch (error) {
        if (!(error instanceof ModelError)) throw error;
        troubles.set(tensor.data.location, error.message);
      }
    }
  }
  return troubles;
}
