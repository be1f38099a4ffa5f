import type { Layer } from './layer';
import type { Candidate } from './method';

/** A layer as it is, with another weight of the same dimensions: what is written where one is refitted. */
export function denseNode({ weight, weightInput }: Layer): Pick<Candidate, 'shapes' | 'nodes'> {
  return {
    shapes: () => [weight.dims],
    nodes: (node, [replacement = '']) => [
      { ...node, inputs: node.inputs.map((input, i) => (i === weightInput ? replacement : input)) },
    ],
  };
}
