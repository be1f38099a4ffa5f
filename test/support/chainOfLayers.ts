import { encodeModel, floatTensor, type NodeSpec, seededArray } from './onnxModel';

/**
 * The bytes of a model of so many matrix products in a row, named `layer.0`, `layer.1` … Each weight is width × width,
 * where none are given made up.
 */
export function chainOfLayers(
  count: number,
  width = 8,
  weight: (layer: number) => Float32Array = madeUp(count, width),
): Uint8Array {
  const nodes = Array.from(
    { length: count },
    (_, i): NodeSpec => ({
      op: 'MatMul',
      name: `layer.${i}`,
      inputs: [`x${i}`, `w${i}`],
      outputs: [`x${i + 1}`],
    }),
  );
  return encodeModel({
    nodes,
    inputs: { x0: [1, width] },
    outputs: { [`x${count}`]: [1, width] },
    initializers: nodes.map((_, i) => floatTensor(`w${i}`, [width, width], weight(i))),
  });
}

function madeUp(count: number, width: number) {
  const values = seededArray(width * width * count, 7);
  return (layer: number) => values.subarray(layer * width * width, (layer + 1) * width * width);
}
