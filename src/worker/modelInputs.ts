import type { DimBindings } from '../core/compress/analysis';
import { formatShape } from '../core/format';
import { elementCount } from '../core/onnx/elements';
import type { Model } from '../core/onnx/model';
import { ModelError } from '../core/onnx/modelError';
import { seededNormals } from '../core/tensor/seeded';
import { declaredShape, type ModelInput, requiredInputs } from './calibration/modelInput';
import { openNpy } from './calibration/npy';
import { readEntries } from './calibration/storedArray';
import { openFile } from './fileSource';
import { madeUpShape, madeUpValues } from './madeUpValues';
import type { RuntimeTensor } from './runtime';
import { runtimeTensor } from './runtimeValues';

/** Inputs to run a model on, with a description for reports. */
export interface ModelInputs {
  readonly tensors: ReadonlyMap<string, RuntimeTensor>;
  /** "random normal, seed 1; x: 1 × 3 × 224 × 224". */
  readonly description: string;
  /** Sizes that nobody gave. */
  readonly assumed: DimBindings;
}

/** Size of the first axis of the first input: how many inferences are one run, as far as can be told. */
export function batchOf({ tensors }: Pick<ModelInputs, 'tensors'>): number {
  const [first] = tensors.values();
  return first?.dims[0] ?? 1;
}

/** Where random numbers come from if nobody says. */
export const DEFAULT_SEED = 1;

/**
 * Inputs for every graph input that has no default: the first from an .npy file if one is given, all others
 * random (standard normal; zeros and ones for integers). A symbol without a size in `bind` gets a guess that is
 * reported: 1 for the first axis, 3 channels and 224 × 224 pixels for images, 16 otherwise.
 */
export function modelInputs(
  model: Model,
  bind: ReadonlyMap<string, number>,
  npyPath?: string,
  seed = DEFAULT_SEED,
): ModelInputs {
  const tensors = new Map<string, RuntimeTensor>();
  const assumed: Record<string, number> = {};
  const normal = seededNormals(seed);
  for (const [i, input] of requiredInputs(model).entries()) {
    const { name, shape, type } = input;
    if (i === 0 && npyPath !== undefined) {
      tensors.set(name, fittingNpy(npyPath, input));
      continue;
    }
    if (shape === null) {
      throw new ModelError(
        'verification-failed',
        `${model.source.name}: the input "${name}" is no tensor of known order, so no value can be made up for it.`,
      );
    }
    const dims = madeUpShape(
      input,
      (symbol) => bind.get(symbol) ?? assumed[symbol],
      (symbol, size) => {
        assumed[symbol] = size;
      },
    );
    tensors.set(name, runtimeTensor(type, dims, madeUpValues(input, bind, normal)));
  }
  const shapes = [...tensors].map(([name, t]) => `${name}: ${formatShape(t.dims)}`).join(', ');
  return { tensors, description: `${npyPath ?? `random, seed ${seed}`}; ${shapes}`, assumed };
}

/** The whole of an .npy file as the value of an input. */
function fittingNpy(path: string, input: ModelInput): RuntimeTensor {
  const file = openFile(path);
  try {
    const array = openNpy(file);
    const { shape } = array;
    const declared = input.shape ?? shape;
    const fits =
      shape.length === declared.length &&
      shape.every((d, axis) => typeof declared[axis] !== 'number' || declared[axis] === d);
    if (!fits) {
      throw new ModelError(
        'verification-failed',
        `${path} holds ${formatShape(shape)} numbers, but the input "${input.name}" takes ${declaredShape(input)}.`,
      );
    }
    const values = new Float64Array(elementCount(shape));
    readEntries({ ...array, shape: [1, ...shape] }, 0, [0], values);
    return runtimeTensor(input.type, shape, (k) => values[k]!);
  } finally {
    file.close();
  }
}
