import { intsAttribute } from '../../onnx/constants';
import type { Attribute, Node } from '../../onnx/model';
import type { NewNode } from '../../onnx/proto';
import type { ConvForm } from '../layer';
import { type Cost, type FreshName, product } from '../method';

/** Where a convolution looks: `pads` holds all beginnings, then all ends; autoPad overrides it unless NOTSET. */
export interface ConvGeometry {
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  readonly pads: readonly number[];
  readonly autoPad: string;
}

/** Images × output positions of one inference; null where unknown. */
export function outputPositions(form: ConvForm): number | null {
  return form.batch === null || form.outputSize === null ? null : form.batch * product(form.outputSize);
}

/** A convolution does one multiply-add per weight and output position. */
export function convCost(weights: number, positions: number | null): Cost {
  return { parameters: weights, macs: positions === null ? null : weights * positions };
}

function geometryOf(node: Node, order: number): ConvGeometry {
  const ones = new Array<number>(order).fill(1);
  const autoPad = node.attributes.get('auto_pad');
  return {
    strides: intsAttribute(node, 'strides', ones),
    dilations: intsAttribute(node, 'dilations', ones),
    pads: intsAttribute(node, 'pads', new Array<number>(2 * order).fill(0)),
    autoPad: autoPad?.kind === 'string' && autoPad.value ? autoPad.value : 'NOTSET',
  };
}

/**
 * The two convolutions that take a convolution's place. `share` splits its geometry; a factor that gets none
 * is a plain 1 × 1. SAME_* padding depends on each axis alone, so either factor may keep the attribute: along
 * an axis with kernel and stride 1 it pads nothing. The first factor has no bias, hence zeros outside the
 * image stay zeros; the bias goes with the last.
 */
export function convPair(
  node: Node,
  weights: readonly [string, string],
  fresh: FreshName,
  groups: number,
  firstKernel: readonly number[],
  secondKernel: readonly number[],
  share: (geometry: ConvGeometry) => readonly [ConvGeometry, ConvGeometry | undefined],
): readonly NewNode[] {
  const [x = '', , bias] = node.inputs;
  const name = node.name || node.outputs[0]!;
  const between = fresh(`${node.outputs[0]}_between`);
  const [first, second] = share(geometryOf(node, firstKernel.length));
  return [
    {
      name: fresh(`${name}_factor1`),
      opType: 'Conv',
      inputs: [x, weights[0]],
      outputs: [between],
      attributes: convAttributes(firstKernel, groups, first),
    },
    {
      name: fresh(`${name}_factor2`),
      opType: 'Conv',
      inputs: bias ? [between, weights[1], bias] : [between, weights[1]],
      outputs: node.outputs,
      attributes: convAttributes(secondKernel, groups, second),
    },
  ];
}

function convAttributes(
  kernel: readonly number[],
  groups: number,
  geometry: ConvGeometry | undefined,
): ReadonlyMap<string, Attribute> {
  const attributes = new Map<string, Attribute>([['kernel_shape', { kind: 'ints', value: kernel }]]);
  if (groups > 1) attributes.set('group', { kind: 'int', value: groups });
  if (!geometry) return attributes;
  attributes.set('strides', { kind: 'ints', value: geometry.strides });
  attributes.set('dilations', { kind: 'ints', value: geometry.dilations });
  if (geometry.autoPad === 'NOTSET') attributes.set('pads', { kind: 'ints', value: geometry.pads });
  else attributes.set('auto_pad', { kind: 'string', value: geometry.autoPad });
  return attributes;
}
