import type { EmbeddingForm } from '../layer';
import type { Candidate } from '../method';
import { pair } from './pair';

/**
 * A table of embeddings as a table of narrower rows and a matrix that widens them: W (V × D) ≈ L (V × r) · R (r × D),
 * r · (V + D) parameters. Looking up costs no MACs, widening costs r · D per look-up: it saves size, not work.
 */
export function embedding({ count, width, lookups }: EmbeddingForm): Candidate {
  const per = (amount: number) => (lookups === null ? null : amount * lookups);
  return pair({
    lead: [],
    rows: count,
    cols: width,
    isTransposed: false,
    first: 'left',
    dense: { parameters: count * width, macs: per(0), memory: per(width) },
    cost: (rank) => ({
      parameters: rank * (count + width),
      macs: per(rank * width),
      memory: per(rank + width),
    }),
    nodes: (node, [table = '', widen = ''], { fresh }) => {
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
