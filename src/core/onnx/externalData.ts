import { counted } from '../counted';
import { ModelError } from './modelError';

/**
 * Checks the location an external tensor states, as text: it must name a file below the model's folder.
 * (Links and special files are the business of whoever opens it.) Returns the parts of the path.
 * Throws {@link ModelError} otherwise: a model from elsewhere must not make us read `/etc/shadow`.
 */
export function checkedLocation(location: string, modelName: string, tensorName: string): readonly string[] {
  const parts = location.split('/').filter((part) => part !== '.' && part !== '');
  const escapes =
    location === '' ||
    location.includes('\0') ||
    location.includes('\\') ||
    location.startsWith('/') ||
    /^[a-z][a-z0-9+.-]*:/i.test(location) ||
    parts.length === 0 ||
    parts.includes('..');
  if (escapes) {
    throw new ModelError(
      'external-location',
      `${modelName}: the tensor "${tensorName}" names ${JSON.stringify(location)} as its data file, which is not a file below the model's folder. It is not read.`,
    );
  }
  return parts;
}

/**
 * The byte range an external tensor occupies in its file of `size` bytes. `expected` bytes are what dims and
 * type ask for; a missing length means "the rest of the file" in the format and must fit just as well.
 */
export function checkedRange(
  entry: {
    readonly location: string;
    readonly offset: string | undefined;
    readonly length: string | undefined;
  },
  size: number,
  expected: number,
  label: string,
): { readonly offset: number; readonly length: number } {
  const offset = decimal(entry.offset, 0);
  const length = decimal(entry.length, expected);
  if (offset === undefined || length === undefined) {
    throw new ModelError(
      'external-length',
      `${label} states an offset or length that is not a whole number: ${entry.offset}, ${entry.length}.`,
    );
  }
  if (length !== expected) {
    throw new ModelError(
      'external-length',
      `${label} needs ${counted(expected, 'byte')}, but its entry for ${entry.location} says ${length}.`,
    );
  }
  if (offset + length > size) {
    throw new ModelError(
      'external-length',
      `${label} should stand at byte ${offset} of ${entry.location}, but that file ends at byte ${size}.`,
    );
  }
  return { offset, length };
}

function decimal(text: string | undefined, missing: number): number | undefined {
  if (text === undefined) return missing;
  if (!/^\d+$/.test(text)) return undefined;
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : undefined;
}
