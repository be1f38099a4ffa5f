import { counted } from '../../core/counted';
import { ModelError } from '../../core/onnx/modelError';
import { openFile } from '../fileSource';
import { openNpy } from './npy';
import { readEntries } from './storedArray';

/** What the samples of calibration data show, one class for each. */
export interface Labels {
  /** Path of the file they come from. */
  readonly file: string;
  /** Numbers of classes, from 0, in the order of the data: of all of it, used or not. */
  readonly classes: ArrayLike<number>;
  /** The largest of them. */
  readonly highest: number;
}

/**
 * The labels in an .npy file: whole numbers from 0, one for each of `count` samples (`[N]`, or `[N, 1]`). Throws a
 * ModelError 'bad-data' where it holds anything else.
 */
export function readLabels(path: string, count: number): Labels {
  const source = openFile(path);
  try {
    const array = openNpy(source);
    const refuse = (why: string) =>
      new ModelError('bad-data', `${path} holds no labels for this data: ${why}.`);
    const [length = 0, ...rest] = array.shape;
    if (array.shape.length === 0 || rest.some((extent) => extent !== 1))
      throw refuse(
        `its shape is ${array.shape.join(' × ') || 'that of a single number'}, not one number a sample`,
      );
    if (length !== count) throw refuse(`it has ${counted(length, 'number')} for ${counted(count, 'sample')}`);
    const classes = new Float64Array(length);
    readEntries(
      array,
      0,
      Array.from({ length }, (_, i) => i),
      classes,
    );
    const odd = classes.find((value) => !(Number.isInteger(value) && value >= 0));
    if (odd !== undefined) throw refuse(`it holds ${odd}, and classes are numbered from 0`);
    const highest = classes.reduce((most, value) => Math.max(most, value), 0);
    return { file: path, classes, highest };
  } finally {
    source.close();
  }
}
