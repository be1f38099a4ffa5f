import { intAttribute } from '../../onnx/constants';
import type { Attribute, Node } from '../../onnx/model';
import type { NewNode } from '../../onnx/proto';
import type { MatMulForm } from '../layer';
import { type Candidate, type Cost, type FreshName, product } from '../method';
import { pair } from './pair';

/**
 * A matrix as the product of a tall and a wide one (Denton et al. 2014, §3.2): W (K × N) ≈ L (K × r) · R (r × N),
 * r · (K + N) parameters and as many MACs per vector. For MatMul, a batch of matrices included, Gemm and their
 * fused variants; 1 × 1 convolutions are in `channel.ts`.
 */
export function svd(form: MatMulForm): Candidate {
  const { inner, outer, side, isTransposed, lead, vectors } = form;
  const [rows, cols] = side === 'right' ? [inner, outer] : [outer, inner];
  const matrices = product(lead);
  const cost = (weights: number, widest: number): Cost => ({
    parameters: matrices * weights,
    macs: vectors === null ? null : matrices * weights * vectors,
    memory: vectors === null ? null : matrices * widest * vectors,
  });
  return pair({
    lead,
    rows,
    cols,
    isTransposed,
    first: side === 'right' ? 'left' : 'right',
    dense: cost(inner * outer, inner + outer),
    cost: (rank) => cost(rank * (inner + outer), Math.max(inner, outer) + rank),
    nodes: (node, weights, { fresh }) =>
      node.opType === 'MatMul'
        ? matmulNodes(node, side, weights, fresh)
        : gemmNodes(node, side, weights, fresh),
  });
}

function matmulNodes(
  node: Node,
  side: 'left' | 'right',
  [first = '', second = '']: readonly string[],
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
 * y = α · op(x) · op(W) + β · c, with an activation in FusedGemm. The first factor is a plain product (Gemm needed
 * its c before opset 11, MatMul never does); everything else goes with the last. The transposition of W is undone
 * in the unfolding, that of x by a Transpose in front; FusedMatMul, whose x may have any order, keeps it.
 */
function gemmNodes(
  node: Node,
  side: 'left' | 'right',
  [first = '', second = '']: readonly string[],
  fresh: FreshName,
): readonly NewNode[] {
  const name = node.name || node.outputs[0];
  const isFusedMatMul = node.opType === 'FusedMatMul';
  const xInput = side === 'right' ? 0 : 1;
  const xAttribute = side === 'right' ? 'transA' : 'transB';
  const transposesX = intAttribute(node, xAttribute, 0) === 1;
  const attributes = new Map(node.attributes);
  attributes.delete('transA');
  attributes.delete('transB');
  const between = fresh(`${node.outputs[0]}_between`);
  const nodes: NewNode[] = [];
  let x = node.inputs[xInput]!;
  if (transposesX && !isFusedMatMul) {
    const transposed = fresh(`${x}_transposed`);
    const attribute: Attribute = { kind: 'ints', value: [1, 0] };
    nodes.push({
      name: fresh(`${name}_transpose`),
      opType: 'Transpose',
      inputs: [x],
      outputs: [transposed],
      attributes: new Map([['perm', attribute]]),
    });
    x = transposed;
  }
  const pair = (from: string, weight: string) => (side === 'right' ? [from, weight] : [weight, from]);
  const one: Attribute = { kind: 'int', value: 1 };
  nodes.push({
    name: fresh(`${name}_factor1`),
    opType: isFusedMatMul ? 'FusedMatMul' : 'MatMul',
    domain: isFusedMatMul ? node.domain : '',
    inputs: pair(x, first),
    outputs: [between],
    attributes: new Map(isFusedMatMul && transposesX ? [[xAttribute, one]] : []),
  });
  nodes.push({
    name: fresh(`${name}_factor2`),
    opType: node.opType,
    domain: node.domain,
    inputs: [...pair(between, second), ...node.inputs.slice(2)],
    outputs: node.outputs,
    attributes,
  });
  return nodes;
}
