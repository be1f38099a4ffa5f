import { npyFile } from '../support/npyFile';
import { encodeModel, floatTensor, seededArray } from '../support/onnxModel';

/** Samples of {@link smallData}. */
export const COUNT = 48;
const SIDE = 8;
const CLASSES = 10;

const scaled = (length: number, seed: number, inputs: number) =>
  seededArray(length, seed).map((value) => value * Math.sqrt(3 / inputs));

/** A net that takes milliseconds to be run, and a moment to be calibrated: two convolutions and a matrix. */
export function smallNet(): Uint8Array {
  const pads = [1, 1, 1, 1];
  return encodeModel({
    nodes: [
      { op: 'Conv', name: 'conv1', inputs: ['x', 'w1'], outputs: ['a'], attributes: { pads } },
      { op: 'Relu', name: 'relu1', inputs: ['a'], outputs: ['b'] },
      { op: 'Conv', name: 'conv2', inputs: ['b', 'w2'], outputs: ['c'], attributes: { pads } },
      { op: 'Relu', name: 'relu2', inputs: ['c'], outputs: ['d'] },
      { op: 'GlobalAveragePool', name: 'pool', inputs: ['d'], outputs: ['e'] },
      { op: 'Flatten', name: 'flat', inputs: ['e'], outputs: ['f'] },
      { op: 'MatMul', name: 'fc', inputs: ['f', 'w3'], outputs: ['y'] },
    ],
    inputs: { x: ['N', 1, SIDE, SIDE] },
    outputs: { y: null },
    initializers: [
      floatTensor('w1', [16, 1, 3, 3], scaled(16 * 9, 1, 9)),
      floatTensor('w2', [32, 16, 3, 3], scaled(32 * 144, 2, 144)),
      floatTensor('w3', [32, CLASSES], scaled(32 * CLASSES, 3, 32)),
    ],
  });
}

/** Smooth pictures for it, in bytes. */
export function smallData(): Uint8Array {
  const values = seededArray(COUNT * SIDE ** 2, 3);
  for (let i = 1; i < values.length; i++) values[i] = 0.8 * values[i - 1]! + 0.4 * values[i]!;
  const bytes = Array.from(values, (value) => Math.max(0, Math.min(255, Math.round(110 + 90 * value))));
  return npyFile('|u1', [COUNT, 1, SIDE, SIDE], bytes);
}

/** A class for each of them. */
export function smallLabels(): Uint8Array {
  return npyFile(
    '<i8',
    [COUNT],
    Array.from({ length: COUNT }, (_, i) => i % CLASSES),
  );
}

/** One sample of other data of the kind. */
export function otherData(): Uint8Array {
  return npyFile('|u1', [1, 1, SIDE, SIDE], new Uint8Array(SIDE ** 2));
}
