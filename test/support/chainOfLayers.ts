import { encodeModel, floatTensor, type NodeSpec, seededArray } from './onnxModel';

const WIDTH = 8;

/** The bytes of a model of so many matrix products in a row, named `layer.0`, `layer.1` … Each weight is 8 × 8. */
export function chainOfLayers(count: number): Uint8Array {
  const values = seededArray(WIDTH * WIDTH * count, 7);
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
    inputs: { x0: [1, WIDTH] },
    outputs: { [`x${count}`]: [1, WIDTH] },
    initializers: nodes.map((_, i) =>
      floatTensor(`w${i}`, [WIDTH, WIDTH], values.subarray(i * WIDTH * WIDTH, (i + 1) * WIDTH * WIDTH)),
    ),
  });
}
