import type { Attribute, Node } from '../../onnx/model';
import type { NewNode } from '../../onnx/proto';
import type { ConvForm } from '../layer';
import type { NodeContext } from '../method';
import { type ChainStep, isTransposedStep, stepKernel } from './chain';
import { alongAxes, convAttributes, geometryOf } from './geometry';

/**
 * The nodes of a chain in the place of a convolution. Only the last step has the bias: zeros outside the image stay
 * zeros through steps without one. Summand and activation of a fused convolution go with the last step, too.
 */
export function chainNodes(
  form: ConvForm,
  node: Node,
  steps: readonly ChainStep[],
  weights: readonly string[],
  context: NodeContext,
): readonly NewNode[] {
  const { fresh } = context;
  const name = node.name || node.outputs[0]!;
  const geometry = geometryOf(node, form.kernel.length);
  const fused = [...node.attributes].filter(([attribute]) => attribute.startsWith('activation'));
  const nodes: NewNode[] = [];
  let from = node.inputs[0]!;
  let channels = form.groups * form.groupChannels;
  let parts = 1;
  let factor = 0;
  for (const [i, step] of steps.entries()) {
    const isLast = i === steps.length - 1;
    const to = isLast ? node.outputs[0]! : fresh(`${node.outputs[0]}_between`);
    if (step.kind === 'conv') {
      const isTransposed = isTransposedStep(form, step);
      const acts = step.acts.some(Boolean);
      nodes.push({
        name: fresh(`${name}_factor${factor + 1}`),
        opType: isTransposed ? 'ConvTranspose' : isLast && node.domain !== '' ? node.opType : 'Conv',
        ...(isLast ? { domain: node.domain } : {}),
        inputs: [from, weights[factor]!, ...(isLast ? node.inputs.slice(2) : [])],
        outputs: isLast ? node.outputs : [to],
        attributes: new Map([
          ...convAttributes(
            stepKernel(form, step),
            form.groups * step.groups,
            isTransposed,
            acts ? alongAxes(geometry, step.acts) : undefined,
          ),
          ...(isLast ? fused : []),
        ]),
      });
      factor++;
      channels = form.groups * step.out;
    } else {
      if (step.kind === 'split') {
        parts = step.parts;
        channels /= parts;
      } else {
        channels *= parts;
        parts = 1;
      }
      // 0 keeps a spatial size as it is; the batch, and with it the number of parts, is what remains.
      const shape = [-1, channels, ...form.kernel.map(() => 0)];
      nodes.push(reshapeNode(context, `${name}_${step.kind}`, from, to, shape));
    }
    from = to;
  }
  return nodes;
}

/** A Reshape, by attribute before operator set 5. */
export function reshapeNode(
  context: NodeContext,
  name: string,
  from: string,
  to: string,
  shape: readonly number[],
): NewNode {
  const base = { name: context.fresh(name), opType: 'Reshape', outputs: [to] };
  if (context.opset >= 5) return { ...base, inputs: [from, context.ints(`${name}_shape`, shape)] };
  return {
    ...base,
    inputs: [from],
    attributes: new Map<string, Attribute>([['shape', { kind: 'ints', value: shape }]]),
  };
}
