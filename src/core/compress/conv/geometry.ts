import { intsAttribute } from '../../onnx/constants';
import type { Attribute, Node } from '../../onnx/model';

/** Where a convolution looks: `pads` holds all beginnings, then all ends; autoPad overrides it unless NOTSET. */
export interface ConvGeometry {
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  readonly pads: readonly number[];
  readonly autoPad: string;
  /** Of a transposed convolution: rows and columns added at the ends of its output. */
  readonly outputPadding: readonly number[];
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

/**
 * What a geometry leaves for some of the axes when the others are other factors' business. SAME_* padding depends
 * on each axis alone, so that every factor may keep the attribute: along an axis with kernel and stride 1 it pads
 * nothing.
 */
export function alongAxes(geometry: ConvGeometry, axes: readonly boolean[]): ConvGeometry {
  const keep = (values: readonly number[], neutral: number) =>
    values.map((value, i) => (axes[i % axes.length] ? value : neutral));
  return {
    strides: keep(geometry.strides, 1),
    dilations: keep(geometry.dilations, 1),
    pads: keep(geometry.pads, 0),
    autoPad: geometry.autoPad,
    outputPadding: keep(geometry.outputPadding, 0),
  };
}

/** The attributes of a convolution; without a geometry it has stride 1 and no padding. */
export function convAttributes(
  kernel: readonly number[],
  groups: number,
  isTransposed: boolean,
  geometry?: ConvGeometry,
): Map<string, Attribute> {
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
