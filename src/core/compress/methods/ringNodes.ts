import { intAttribute } from '../../onnx/constants';
import type { Attribute, Node } from '../../onnx/model';
import type { NewNode } from '../../onnx/proto';
import { reshapeNode } from '../conv/chainNodes';
import type { MatMulForm } from '../layer';
import type { NodeContext } from '../method';
import type { RingStep } from './matrixRing';

/**
 * x · W as a chain of products with the cores of a tensor ring. The leading axes of x stay where they are, whatever
 * their sizes (0 in a Reshape); behind each product a transposition brings what is finished to the front. Alpha,
 * beta and C of a Gemm follow as nodes of their own.
 */
export function ringNodes(
  { outer, inputOrder }: MatMulForm,
  node: Node,
  steps: readonly RingStep[],
  weights: readonly string[],
  context: NodeContext,
): readonly NewNode[] {
  const { fresh } = context;
  const name = node.name || node.outputs[0]!;
  const order = inputOrder ?? 2;
  const leading = new Array<number>(order - 1).fill(0);
  const nodes: NewNode[] = [];
  let from = node.inputs[0]!;
  const append = (build: (to: string) => NewNode) => {
    const to = fresh(`${node.outputs[0]}_between`);
    nodes.push(build(to));
    from = to;
  };
  const transpose = (perm: readonly number[]) => {
    const attributes = new Map<string, Attribute>([['perm', { kind: 'ints', value: perm }]]);
    append((to) => ({
      name: fresh(`${name}_transpose`),
      opType: 'Transpose',
      inputs: [from],
      outputs: [to],
      attributes,
    }));
  };
  const reshape = (dims: readonly number[]) => {
    append((to) => reshapeNode(context, `${name}_reshape`, from, to, [...leading, ...dims]));
  };
  const binary = (opType: string, left: string, right: string) => {
    append((to) => ({
      name: fresh(`${name}_${opType.toLowerCase()}`),
      opType,
      inputs: [left, right],
      outputs: [to],
    }));
  };
  if (intAttribute(node, 'transA', 0) === 1) transpose([1, 0]);
  const swapped = [...leading.keys(), order, order - 1];
  for (const [i, { count, rows, cols, moved }] of steps.entries()) {
    reshape([count, rows]);
    const input = from;
    append((to) => ({
      name: fresh(`${name}_factor${i + 1}`),
      opType: 'MatMul',
      inputs: [input, weights[i]!],
      outputs: [to],
    }));
    if (cols !== moved) reshape([(count * cols) / moved, moved]);
    transpose(swapped);
  }
  reshape([outer]);
  const scaled = (value: string, attribute: 'alpha' | 'beta') => {
    const factor = node.attributes.get(attribute);
    if (factor?.kind !== 'float' || factor.value === 1) return value;
    binary('Mul', value, context.scalar(`${name}_${attribute}`, factor.value));
    return from;
  };
  const c = node.inputs[2];
  const y = scaled(from, 'alpha');
  if (c) binary('Add', y, scaled(c, 'beta'));
  // The last node computes what the layer did.
  const last = nodes.pop()!;
  return [...nodes, { ...last, outputs: [node.outputs[0]!] }];
}
