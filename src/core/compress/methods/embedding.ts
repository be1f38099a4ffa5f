import type { EmbeddingForm } from '../layer';
import { type Candidate, candidate } from '../method';

/**
 * A table of embeddings as a table of narrower rows and a matrix that widens them: W (V × D) ≈ L (V × r) · R (r × D),
 * r · (V + D) parameters. Looking up costs no MACs, widening costs r · D per look-up: it saves size, not work.
 */
export function embedding({ count, width, lookups }: EmbeddingForm): Candidate {
  return candidate({
    method: 'svd',
    unfolding: { groups: 1, dims: [count, width], permutation: [0, 1], rowAxes: 1 },
    dense: { parameters: count * width, macs: lookups === null ? null : 0 },
    perRank: { parameters: count + width, macs: lookups === null ? null : width * lookups },
    folds: (rank) => [
      { side: 'left', dims: [count, rank], permutation: [0, 1], shape: [count, rank] },
      { side: 'right', dims: [rank, width], permutation: [0, 1], shape: [rank, width] },
    ],
    nodes: (node, [table, widen], fresh) => {
      const name = node.name || node.outputs[0];
      const between = fresh(`${node.outputs[0]}_between`);
      return [
        {
          name: fresh(`${name}_factor1`),
          opType: 'Gather',
          inputs: [table, node.inputs[1]!],
          outputs: [between],
          attributes: node.attributes,
        },
        { name: fresh(`${name}_factor2`), opType: 'MatMul', inputs: [between, widen], outputs: node.outputs },
      ];
    },
  });
}
