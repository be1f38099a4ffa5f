import { damaged } from '../core/damaged';
import type { ModelError } from '../core/onnx/modelError';
import { existsSync } from './platform/files';

/** What of these files of Ranksmith's own is missing, as a refusal: asked where something of them failed. */
export function missingFile(...files: readonly string[]): ModelError | undefined {
  const lost = files.find((file) => !existsSync(file));
  return lost === undefined ? undefined : damaged(lost);
}
