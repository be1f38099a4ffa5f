import { intsAttribute } from '../../onnx/constants';
import type { Attribute, Node } from '../../onnx/model';
import type { NewNode } from '../../onnx/proto';
import type { ConvCall, ConvForm } from '../layer';
import { type FreshName, product } from '../method';

/** Where a convolution looks: `pads` holds all beginnings, then all ends; autoPad overrides it unless NOTSET. */
export interface ConvGeometry {
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  readonly pads: readonly number[];
  readonly autoPad: string;
  /** Of a transposed convolution: rows and columns added at the ends of its output. */
  readonly outputPadding: readonly number[];
}

/** One of the two convolutions a convolution becomes. Without a geometry it has stride 1 and no padding. */
export interface ConvFactor {
  readonly isTransposed: boolean;
  readonly kernel: readonly number[];
  readonly geometry?: ConvGeometry;
}

/**
 * A sum over the uses of a weight: of images × positions, where `positionsOf` tells the positions of one image.
 * null where a size is unknown.
 */
export function countPositions(
  form: ConvForm,
  positionsOf: (input: readonly number[], output: readonly number[]) => number,
): number | null {
  let total = 0;
  for (const { batch, inputSize, outputSize } of form.calls as readonly ConvCall[]) {
    if (batch === null || inputSize === null || outputSize === null) return null;
    total += batch * positionsOf(inputSize, outputSize);
  }
  return total;
}

/** Each weight of a convolution works once per output position, each of a transposed one once per input position. */
export function workPositions(form: ConvForm): number | null {
  return countPositions(form, (input, output) => product(form.isTransposed ? input : output));
}

/** The same for a 1 × 1 convolution behind it. */
export function outputPositions(form: ConvForm): number | null {
  return countPositions(form, (_, output) => product(output));
}

/** Multiply-adds of `weights` elements at `positions` places. */
export function macsAt(weights: number, positions: number | null): number | null {
  return positions === null ? null : weights * positions;
}

/** Strides, dilations and padding of a convolution with `order` spatial axes, as attributes or by default. */
export function geometryOf(node: Node, order: number): ConvGeometry {
  const ones = new Array<number>(order).fill(1);
  const autoPad = node.attributes.get('auto_pad');
  return {
    strides: intsAttribute(node, 'strides', ones),
    dilations: intsAttribute(node, 'dilations', ones),
    pads: intsAttribute(node, 'pads', new Array<number>(2 * order).fill(0)),
    autoPad: autoPad?.kind === 'string' && autoPad.value ? autoPad.value : 'NOTSET',
    outputPadding: intsAttribute(node, 'output_padding', new Array<number>(order).fill(0)),
  };
}

/** What a geometry leaves for one axis of a plane when the other axis is another factor's business. */
export function alongAxis(geometry: ConvGeometry, axis: 0 | 1): ConvGeometry {
  const keep = <T>(values: readonly T[], neutral: T) =>
    values.map((value, i) => (i % 2 === axis ? value : neutral));
  return {
    strides: keep(geometry.strides, 1),
    dilations: keep(geometry.dilations, 1),
    pads: keep(geometry.pads, 0),
    autoPad: geometry.autoPad,
    outputPadding: keep(geometry.outputPadding, 0),
  };
}

/**
 * The two convolutions that take a convolution's place. SAME_* padding depends on each axis alone, so either
 * factor may keep the attribute: along an axis with kernel and stride 1 it pads nothing. The first factor has no
 * bias, hence zeros outside the image stay zeros. Bias, summand and activation of a fused convolution go with
 * the last.
 */
export function convPair(
  node: Node,
  weights: readonly [string, string],
  fresh: FreshName,
  groups: number,
  [first, second]: readonly [ConvFactor, ConvFactor],
): readonly NewNode[] {
  const name = node.name || node.outputs[0]!;
  const between = fresh(`${node.outputs[0]}_between`);
  const fused = [...node.attributes].filter(([attribute]) => attribute.startsWith('activation'));
  return [
    {
      name: fresh(`${name}_factor1`),
      opType: first.isTransposed ? 'ConvTranspose' : 'Conv',
      inputs: [node.inputs[0]!, weights[0]],
      outputs: [between],
      attributes: convAttributes(first, groups),
    },
    {
      name: fresh(`${name}_factor2`),
      opType: second.isTransposed ? 'ConvTranspose' : node.domain === '' ? 'Conv' : node.opType,
      domain: node.domain,
      inputs: [between, weights[1], ...node.inputs.slice(2)],
      outputs: node.outputs,
      attributes: new Map([...convAttributes(second, groups), ...fused]),
    },
  ];
}

function convAttributes(
  { isTransposed, kernel, geometry }: ConvFactor,
  groups: number,
): ReadonlyMap<string, Attribute> {
  const ints = (value: readonly number[]) => ({ kind: 'ints', value }) as const;
  const attributes = new Map<string, Attribute>([['kernel_shape', ints(kernel)]]);
  if (groups > 1) attributes.set('group', { kind: 'int', value: groups });
  if (!geometry) return attributes;
  attributes.set('strides', ints(geometry.strides));
  attributes.set('dilations', ints(geometry.dilations));
  if (geometry.autoPad === 'NOTSET') attributes.set('pads', ints(geometry.pads));
  else attributes.set('auto_pad', { kind: 'string', value: geometry.autoPad });
  if (isTransposed) attributes.set('output_padding', ints(geometry.outputPadding));
  return attributes;
}
