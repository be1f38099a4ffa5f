import { type Constant, foreignType, intAttribute } from '../onnx/constants';
import type { Graph, Node } from '../onnx/model';
import type { ValueTable } from '../onnx/values';
import type { FoldableNorm } from './layer';

/**
 * The BatchNormalization behind a convolution, if it is the only reader of the convolution's output, runs in
 * inference mode and has constant parameters: y = γ (x − μ) / √(σ² + ε) + β is then one scale and one shift per
 * channel (Jacob et al. 2018, §3.2), which go into the weight and the bias. A node with a fused activation has none:
 * the activation stands in between.
 */
export function findNorm(
  values: ValueTable,
  graph: Graph,
  node: Node,
  constant: (node: Node, input: number) => Constant | undefined,
): FoldableNorm | undefined {
  const output = values.find(graph, node.outputs[0] ?? '');
  const [use, ...more] = output?.uses ?? [];
  if (!output || output.isKept || !use || more.length > 0 || node.domain !== '') return undefined;
  const norm = use.node;
  const isInference =
    norm.outputs.filter(Boolean).length === 1 && intAttribute(norm, 'training_mode', 0) === 0;
  if (
    norm.opType !== 'BatchNormalization' ||
    norm.domain !== '' ||
    use.input !== 0 ||
    use.graph !== graph ||
    !isInference
  ) {
    return undefined;
  }
  // Opset 1 to 7 could average over space as well: spatial = 0 is another operation.
  if (intAttribute(norm, 'spatial', 1) !== 1) return undefined;
  const [scale, shift, mean, variance] = [1, 2, 3, 4].map((input) => constant(norm, input));
  if (!scale || !shift || !mean || !variance) return undefined;
  const bias = node.inputs[2] ? constant(node, 2) : undefined;
  if (node.inputs[2] && !bias) return undefined;
  const read = [scale, shift, mean, variance, ...(bias ? [bias] : [])];
  if (read.some((c) => foreignType(c) !== undefined)) return undefined;
  const epsilon = norm.attributes.get('epsilon');
  return {
    node: norm,
    scale,
    shift,
    mean,
    variance,
    epsilon: epsilon?.kind === 'float' ? epsilon.value : 1e-5,
  };
}
