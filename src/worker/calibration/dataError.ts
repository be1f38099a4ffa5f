import { ModelError } from '../../core/onnx/modelError';

/** The refusal of data that can't be used as input: `label` names the file and the place in it, `why` goes on. */
export function dataError(label: string, why: string): ModelError {
  return new ModelError('bad-data', `${label} can't be used as input: ${why}.`);
}
