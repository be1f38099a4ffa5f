/** Why a model, or a part of it, is refused. Stable: scripts and tests match on it. */
export type ModelErrorCode =
  | 'empty'
  | 'not-onnx'
  | 'not-a-checkpoint'
  | 'unsupported-format'
  | 'truncated'
  | 'malformed'
  | 'too-deep'
  | 'unreadable'
  | 'external-missing'
  | 'external-location'
  | 'external-length'
  | 'data-length'
  | 'unsupported-type'
  | 'not-finite'
  | 'nothing-to-do'
  | 'slower'
  | 'inaccurate'
  | 'unknown-layer'
  | 'bad-plan'
  | 'bad-data'
  | 'unreachable-target'
  | 'target-exists'
  | 'target-is-source'
  | 'target-folder'
  | 'write-failed'
  | 'too-large'
  | 'verification-failed'
  | 'runtime-failed'
  | 'engine-stopped'
  /** A file of Ranksmith itself is missing. */
  | 'damaged';

/** An expected refusal: a code, and a whole sentence that names the file and the place. */
export class ModelError extends Error {
  constructor(
    readonly code: ModelErrorCode,
    message: string,
  ) {
    super(message);
    this.name = 'ModelError';
  }
}

/** Why something ended: a refusal says it all. */
export function reasonOf(error: Error): string | ModelError {
  return error instanceof ModelError ? error : error.message;
}
