import { selectSamples } from '../../src/worker/calibration/selectSamples';
import { npyFile } from './npyFile';
import { encodeModel, floatTensor, seededArray } from './onnxModel';

const [SAMPLES, INPUTS, CLASSES] = [64, 32, 8];
/** In how many directions the samples vary that are not held back. */
const DIRECTIONS = 4;

/** A classifier of one matrix, and one of its activation. */
export function classifierNet(): Uint8Array {
  const scaled = (length: number, seed: number) =>
    seededArray(length, seed).map((value) => value * Math.sqrt(3 / INPUTS));
  return encodeModel({
    nodes: [
      { op: 'Gemm', name: 'f1', inputs: ['x', 'w1'], outputs: ['a'] },
      { op: 'Relu', name: 'relu', inputs: ['a'], outputs: ['b'] },
      { op: 'Gemm', name: 'f2', inputs: ['b', 'w2'], outputs: ['y'] },
    ],
    inputs: { x: ['N', INPUTS] },
    outputs: { y: null },
    initializers: [
      floatTensor('w1', [INPUTS, 64], scaled(INPUTS * 64, 1)),
      floatTensor('w2', [64, CLASSES], scaled(64 * CLASSES, 2)),
    ],
  });
}

/**
 * Samples for it that mislead: those that are fitted to lie in a few directions, those held back (of the usual seed)
 * anywhere. So every plan does worse than it is predicted to, and a goal of output error is missed.
 */
export function misleadingData(): Uint8Array {
  const { heldBack } = selectSamples(SAMPLES, 1024, 1, 8);
  const anywhere = seededArray(SAMPLES * INPUTS, 3);
  const directions = seededArray(DIRECTIONS * INPUTS, 4);
  const values = Float32Array.from({ length: SAMPLES * INPUTS }, (_, at) => {
    const [sample, input] = [Math.floor(at / INPUTS), at % INPUTS];
    if (heldBack.includes(sample)) return anywhere[at]!;
    let sum = 0;
    for (let k = 0; k < DIRECTIONS; k++)
      sum += anywhere[sample * INPUTS + k]! * directions[k * INPUTS + input]!;
    return sum;
  });
  return npyFile('<f4', [SAMPLES, INPUTS], values);
}
