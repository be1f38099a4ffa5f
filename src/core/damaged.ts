import { ModelError } from './onnx/modelError';

/** The refusal where a file of Ranksmith's own is missing. */
export function damaged(file: string): ModelError {
  return new ModelError(
    'damaged',
    `The installation of Ranksmith is damaged: ${file} is missing. Installing it again repairs that.`,
  );
}
