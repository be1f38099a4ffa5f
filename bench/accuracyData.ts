import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import { openNpy } from '../src/worker/calibration/npy';
import { readEntries } from '../src/worker/calibration/storedArray';
import { openFile } from '../src/worker/fileSource';

/** Pictures of clothes as the Fashion-MNIST nets take them, and what they show. */
export interface LabelledImages {
  readonly count: number;
  /** Of one picture: [1, 28, 28]. */
  readonly dims: readonly number[];
  /** [count, 1, 28, 28], scaled. */
  readonly pixels: Float32Array;
  readonly labels: ArrayLike<number>;
}

/** The models to measure by, and the pictures to measure on. */
export interface AccuracyData {
  /** Paths by the name of the model. */
  readonly models: ReadonlyMap<string, string>;
  readonly test: LabelledImages;
}

/** Mean and deviation of the training pictures' pixels, between 0 and 1, by which the nets were trained. */
export const MEAN = 0.286;
export const DEVIATION = 0.353;

/** Where Debian's package dataset-fashion-mnist puts its files. */
const DEBIAN = '/usr/share/datasets/fashion-mnist';

const SIDE = 28;

/**
 * The 10,000 test pictures: of a folder with models (`vgg.onnx`), `test-10k.npy` (uint8, [N, 1, 28, 28]) and
 * `test-10k.labels.npy`; without one those of Debian's package, and the project's sample model. Throws where they are
 * missing, with a sentence that says what to do.
 */
export function openAccuracyData(folder: string | undefined): AccuracyData {
  if (folder !== undefined) {
    const file = (name: string) => path.join(folder, name);
    const models = readdirSync(folder).filter((name) => name.endsWith('.onnx'));
    return {
      models: new Map(models.map((name) => [name.slice(0, -'.onnx'.length), file(name)])),
      test: scaled(readNpy(file('test-10k.npy')), readNpy(file('test-10k.labels.npy'))),
    };
  }
  const [images, labels] = ['t10k-images-idx3-ubyte.gz', 't10k-labels-idx1-ubyte.gz'].map((name) =>
    path.join(DEBIAN, name),
  ) as [string, string];
  if (!existsSync(images)) {
    throw new Error(
      'There are no test pictures: install the Debian package dataset-fashion-mnist, or name a folder that holds them by --data.',
    );
  }
  return {
    models: new Map([['vgg', path.resolve('media/sample/fashion-vgg.onnx')]]),
    test: scaled(readIdx(images), readIdx(labels)),
  };
}

function scaled(bytes: ArrayLike<number>, labels: ArrayLike<number>): LabelledImages {
  const count = labels.length;
  if (bytes.length !== count * SIDE * SIDE)
    throw new Error(`There are ${bytes.length} pixels for ${count} labels.`);
  const pixels = Float32Array.from(bytes, (value) => (value / 255 - MEAN) / DEVIATION);
  return { count, dims: [1, SIDE, SIDE], pixels, labels };
}

/** All elements of a .npy file. */
function readNpy(path: string): Float64Array {
  const source = openFile(path);
  try {
    const array = openNpy(source);
    const [count = 0] = array.shape;
    const out = new Float64Array(array.shape.reduce((a, b) => a * b, 1));
    const all = Array.from({ length: count }, (_, i) => i);
    readEntries(array, 0, all, out);
    return out;
  } finally {
    source.close();
  }
}

/** The elements of an idx file of bytes (LeCun's format): 0, 0, the type, the number of axes, their lengths, the data. */
function readIdx(file: string): Uint8Array {
  const bytes = gunzipSync(readFileSync(file));
  const [, , type, order = 0] = bytes;
  if (bytes.readUInt16BE(0) !== 0 || type !== 8) throw new Error(`${file} is not an idx file of bytes.`);
  return bytes.subarray(4 + 4 * order);
}
