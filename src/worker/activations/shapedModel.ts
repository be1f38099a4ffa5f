import { dimSymbol, holdsOneNumber } from '../../core/onnx/bindings';
import type { Model } from '../../core/onnx/model';
import { inferShapes } from '../../core/onnx/shapes/inferShapes';
import type { ShapedModel } from './exposedSession';
import type { InputBatch } from './inputBatches';

/** The sizes that a model's tensors have when it is fed with a batch, as far as they can be inferred. */
export function shapedModel(source: ShapedModel['source'], batch: InputBatch): ShapedModel {
  const { model, openExternal } = source;
  return { source, shapes: inferShapes(model, { bind: bindings(model, batch), openExternal }) };
}

function bindings({ graph }: Model, batch: InputBatch): ReadonlyMap<string, number> {
  const bind = new Map<string, number>();
  for (const { name, shape, type } of graph.inputs) {
    const fed = batch.get(name);
    if (!fed || !shape) continue;
    if (holdsOneNumber(shape, type)) bind.set(name, Number(fed.data[0]));
    for (const [axis, dim] of shape.entries()) {
      const size = fed.dims[axis];
      if (typeof dim !== 'number' && size !== undefined) bind.set(dimSymbol(name, axis, dim), size);
    }
  }
  return bind;
}
