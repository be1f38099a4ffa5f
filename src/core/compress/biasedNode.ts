import type { Attribute, Node } from '../onnx/model';
import type { NewNode } from '../onnx/proto';
import type { Layer } from './layer';
import type { NodeContext } from './method';

/**
 * Dimensions of a layer's bias, with one element per output of every group; undefined where none can be added, as nothing is
 * known of the axes of its output.
 */
export function biasShape({ form, node }: Layer): readonly number[] | undefined {
  switch (form.kind) {
    case 'conv':
      return [form.outChannels];
    case 'matmul': {
      const { side, lead, outer, inputOrder } = form;
      if (node.opType !== 'MatMul' && node.opType !== 'FusedMatMul')
        return side === 'right' ? [outer] : [outer, 1];
      // A vector as x leaves its axis out of the output.
      if (inputOrder === 1) return [...lead, outer];
      if (side === 'right') return lead.length === 0 ? [outer] : [...lead, 1, outer];
      return inputOrder === null ? undefined : [...lead, outer, 1];
    }
    default:
      return undefined;
  }
}

/** A node that has another bias, and what is to be added behind it where its operator has none. */
export interface BiasedNode {
  readonly node: Node;
  readonly after?: NewNode;
}

/**
 * A layer's node with this bias in the place of its own, and its normalisation, if it has one to fold, gone. Products of
 * matrices get a sum behind them, or theirs another summand.
 */
export function withBias(
  { node, norm, sum }: Pick<Layer, 'node' | 'norm' | 'sum'>,
  bias: string,
  { fresh, opset }: NodeContext,
): BiasedNode {
  // Before operator set 7 a summand that is smaller says so.
  const broadcast: readonly [string, Attribute][] =
    opset < 7 ? [['broadcast', { kind: 'int', value: 1 }]] : [];
  if (node.opType === 'MatMul' || node.opType === 'FusedMatMul') {
    const [output = ''] = node.outputs;
    if (sum) {
      const { name, opType, outputs } = sum;
      return {
        node,
        after: { name, opType, inputs: [output, bias], outputs, attributes: new Map(broadcast) },
      };
    }
    const product = fresh(`${output}_product`);
    return {
      node: { ...node, outputs: [product] },
      after: {
        name: fresh(`${node.name || output}_bias`),
        opType: 'Add',
        inputs: [product, bias],
        outputs: [output],
        attributes: new Map(broadcast),
      },
    };
  }
  const inputs = [node.inputs[0]!, node.inputs[1]!, bias, ...node.inputs.slice(3)];
  const outputs = norm ? norm.node.outputs.slice(0, 1) : node.outputs;
  if (node.opType !== 'Gemm' && node.opType !== 'FusedGemm') return { node: { ...node, inputs, outputs } };
  const one: Attribute = { kind: 'float', value: 1 };
  return {
    node: {
      ...node,
      inputs,
      outputs,
      attributes: new Map([...node.attributes, ['beta', one], ...broadcast]),
    },
  };
}
