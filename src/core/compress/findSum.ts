import type { Constant } from '../onnx/constants';
import type { Graph, Node } from '../onnx/model';
import type { ValueTable } from '../onnx/values';
import type { Form, NoForm } from './layer';

/**
 * The Add behind a product of matrices that is its bias: nothing else reads the product, and what is added is one
 * constant for each output, or one for all. Exporters write linear layers so.
 */
export function findSum(
  values: ValueTable,
  graph: Graph,
  node: Node,
  form: Form | NoForm,
  weight: Constant,
  constant: (node: Node, input: number) => Constant | undefined,
): Node | undefined {
  if (form.kind !== 'matmul' || (node.opType !== 'MatMul' && node.opType !== 'FusedMatMul')) return undefined;
  const { side, lead, outer, inputOrder } = form;
  if (side !== 'right' || lead.length > 0 || inputOrder === null) return undefined;
  const output = values.find(graph, node.outputs[0] ?? '');
  const [use, ...more] = output?.uses ?? [];
  if (!use || output!.isKept || more.length > 0 || use.graph !== graph) return undefined;
  const sum = use.node;
  if (sum.opType !== 'Add' || sum.domain !== '' || sum.inputs[0] === sum.inputs[1]) return undefined;
  // Before operator set 7 an Add may say where its summand belongs.
  if (sum.attributes.has('axis')) return undefined;
  const added = constant(sum, 1 - use.input);
  if (!added || added.type !== weight.type || added.dims.length > inputOrder) return undefined;
  const [last = 1, ...before] = [...added.dims].reverse();
  return (last === 1 || last === outer) && before.every((dim) => dim === 1) ? sum : undefined;
}
