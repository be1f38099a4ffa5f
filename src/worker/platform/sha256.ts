import { createHash } from 'node:crypto';

/** A SHA-256 that is fed piece by piece. */
export interface Sha256 {
  /** Text counts as UTF-8. */
  update(piece: Uint8Array | string): void;
  /** Of all pieces, one behind the other; ends it. */
  digest(encoding: 'hex' | 'base64'): string;
}

/** Starts a hash. The engine's door to hashing. */
export function sha256(): Sha256 {
  return createHash('sha256');
}
