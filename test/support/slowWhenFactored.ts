import { encodeModel, floatTensor, type NodeSpec } from './onnxModel';

const LAYERS = 1000;
const WIDTH = 16;

/**
 * A model of very many products with tiny matrices, each of rank 2. Factored it has fewer parameters and gives the same, but
 * takes about twice as long on whatever machine: calls of nodes are all it does.
 */
export function slowWhenFactored(): Uint8Array {
  // The projection on two orthogonal vectors: a chain of it neither grows nor fades, and floats hold it exactly.
  const weight = Float32Array.from({ length: WIDTH ** 2 }, (_, at) =>
    (Math.floor(at / WIDTH) + at) % 2 === 0 ? 2 / WIDTH : 0,
  );
  const nodes = Array.from(
    { length: LAYERS },
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
    outputs: { [`x${LAYERS}`]: [1, WIDTH] },
    initializers: nodes.map((_, i) => floatTensor(`w${i}`, [WIDTH, WIDTH], weight)),
  });
}
