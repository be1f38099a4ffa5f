import { chainOfLayers } from './chainOfLayers';

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
  return chainOfLayers(LAYERS, WIDTH, () => weight);
}
