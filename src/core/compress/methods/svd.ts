import { intAttribute } from '../../onnx/constants';
import type { Attribute, Node } from '../../onnx/model';
import type { NewNode } from '../../onnx/proto';
import type { MatMulForm } from '../layer';
import { type Candidate, candidate, type FreshName } from '../method';

/**
 * A matrix as the product of a tall and a wide one (Denton et al. 2014, §3.2): W (K × N) ≈ L (K × r) · R (r × N),
 * r · (K + N) parameters and as many MACs per vector. For MatMul and Gemm; 1 × 1 convolutions are in `channel.ts`.
 */
export function svd(form: MatMulForm): Candidate {
  const { inner, outer, side, transposed, vectors } = form;
  const [rows, cols] = side === 'right' ? [inner, outer] : [outer, inner];
  const perRank = inner + outer;
  const macs = (weights: number) => (vectors === null ? null : weights * vectors);
  return candidate({
    method: 'svd',
    unfolding: {
      groups: 1,
      dims: transposed ? [cols, rows] : [rows, cols],
      permutation: transposed ? [1, 0] : [0, 1],
      rowAxes: 1,
    },
    dense: { parameters: inner * outer, macs: macs(inner * outer) },
    perRank: { parameters: perRank, macs: macs(perRank) },
    folds: (rank) => {
      const left = { side: 'left', dims: [rows, rank], permutation: [0, 1], shape: [rows, rank] } as const;
      const right = { side: 'right', dims: [rank, cols], permutation: [0, 1], shape: [rank, cols] } as const;
      return side === 'right' ? [left, right] : [right, left];
    },
    nodes: (node, weights, fresh) =>
      node.opType === 'Gemm' ? gemmNodes(node, weights, fresh) : matmulNodes(node, side, weights, fresh),
  });
}

function matmulNodes(
  node: Node,
  side: 'left' | 'right',
  [first, second]: readonly [string, string],
  fresh: FreshName,
): readonly NewNode[] {
  const x = node.inputs[side === 'right' ? 0 : 1]!;
  const between = fresh(`${node.outputs[0]}_between`);
  const step = (weight: string, from: string, to: string, suffix: string): NewNode => ({
    name: fresh(`${node.name || node.outputs[0]}_${suffix}`),
    opType: 'MatMul',
    inputs: side === 'right' ? [from, weight] : [weight, from],
    outputs: [to],
  });
  return [step(first, x, between, 'factor1'), step(second, between, node.outputs[0]!, 'factor2')];
}

/**
 * y = α · op(x) · W + β · c. The first factor is a plain product (Gemm needed its C input before opset 11, MatMul
 * never does); α, β and c go with the last. transB is undone in the unfolding.
 */
function gemmNodes(
  node: Node,
  [first, second]: readonly [string, string],
  fresh: FreshName,
): readonly NewNode[] {
  const [x = '', , bias] = node.inputs;
  const name = node.name || node.outputs[0];
  const attributes = new Map(node.attributes);
  attributes.delete('transA');
  attributes.delete('transB');
  const nodes: NewNode[] = [];
  let input = x;
  if (intAttribute(node, 'transA', 0) === 1) {
    input = fresh(`${x}_transposed`);
    nodes.push({
      name: fresh(`${name}_transpose`),
      opType: 'Transpose',
      inputs: [x],
      outputs: [input],
      attributes: new Map<string, Attribute>([['perm', { kind: 'ints', value: [1, 0] }]]),
    });
  }
  const between = fresh(`${node.outputs[0]}_between`);
  nodes.push({
    name: fresh(`${name}_factor1`),
    opType: 'MatMul',
    inputs: [input, first],
    outputs: [between],
  });
  nodes.push({
    name: fresh(`${name}_factor2`),
    opType: 'Gemm',
    inputs: bias === undefined ? [between, second] : [between, second, bias],
    outputs: node.outputs,
    attributes,
  });
  return nodes;
}
