import type { Layer } from '../../core/compress/layer';
import type { ShapeTable } from '../../core/onnx/shapes/inferShapes';
import { type ValueTable, valueTable } from '../../core/onnx/values';
import type { OpenModel } from '../openModel';

/**
 * The tensors that are added to what layers give, by layer: the shortcuts of residual branches that end in it. Between the
 * layer and the sum nothing but constants may be added, nothing else may read what it gives, and the shortcut is of its
 * size, so that what is lost of the one can be made up for by the other.
 */
export function findShortcuts(
  { model }: OpenModel,
  shapes: ShapeTable,
  layers: readonly Layer[],
): ReadonlyMap<Layer, string> {
  const values = valueTable(model);
  const found = new Map<Layer, string>();
  for (const layer of layers) {
    const output = (layer.norm?.node ?? layer.sum ?? layer.node).outputs[0];
    const shortcut = output && layer.twins.length === 0 ? shortcutOf(values, layer, output) : undefined;
    if (shortcut !== undefined && sizeOf(shapes, shortcut) === sizeOf(shapes, output!))
      found.set(layer, shortcut);
  }
  return found;
}

function shortcutOf(values: ValueTable, { graph }: Layer, output: string): string | undefined {
  for (let name = output; ; ) {
    const value = values.find(graph, name);
    const [use, ...others] = value?.uses ?? [];
    if (!use || value!.isKept || others.length > 0 || use.graph !== graph || use.node.opType !== 'Add')
      return undefined;
    const other = use.node.inputs[1 - use.input]!;
    const source = values.find(graph, other)?.source;
    const isConstant =
      source?.kind === 'initializer' || (source?.kind === 'node' && source.node.opType === 'Constant');
    if (!isConstant) return source ? other : undefined;
    name = use.node.outputs[0]!;
  }
}

/** As text; different for every unknown one. */
function sizeOf(shapes: ShapeTable, name: string): string {
  const shape = shapes.get(name)?.shape;
  return shape?.every((dim) => typeof dim === 'number') ? shape.join(' × ') : name;
}
