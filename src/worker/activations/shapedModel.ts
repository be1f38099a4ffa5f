import { dimSymbol, holdsOneNumber } from '../../core/onnx/bindings';
import type { Model } from '../../core/onnx/model';
import { inferShapes } from '../../core/onnx/shapes/inferShapes';
import type { RuntimeTensor } from '../runtime';
import type { ShapedModel } from './exposedSession';

/** The sizes that a model's tensors have when it is fed with these inputs, as far as they can be inferred. */
export function shapedModel(source: ShapedModel['source'], inputs: Inputs): ShapedModel {
  const { model, openExternal } = source;
  return { source, shapes: inferShapes(model, { bind: bindings(model, inputs), openExternal }) };
}

type Inputs = ReadonlyMap<string, RuntimeTensor>;

function bindings({ graph }: Model, inputs: Inputs): ReadonlyMap<string, number> {
  const bind = new Map<string, number>();
  for (const { name, shape, type } of graph.inputs) {
    const fed = inputs.get(name);
    if (!fed || !shape) continue;
    if (holdsOneNumber(shape, type)) bind.set(name, Number(fed.data[0]));
    for (const [axis, dim] of shape.entries()) {
      const size = fed.dims[axis];
      if (typeof dim !== 'number' && size !== undefined) bind.set(dimSymbol(name, axis, dim), size);
    }
  }
  return bind;
}
