import { elementBytes, elementCount } from '../../core/onnx/elements';
import type { Runtime, RuntimeTensor } from '../runtime';
import { openExposed, type ShapedModel } from './exposedSession';

/**
 * Bytes of tensors in a run on `fed`. What shape inference leaves open is asked of the model itself, in one run that
 * gives out nothing but sizes. 0 for graph inputs, which take no memory of their own.
 */
export async function tensorSizes(
  runtime: Runtime,
  model: ShapedModel,
  names: readonly string[],
  fed: ReadonlyMap<string, RuntimeTensor>,
): Promise<ReadonlyMap<string, number>> {
  const { shapes, source } = model;
  const inputs = new Set(source.model.graph.inputs.map(({ name }) => name));
  const sizes = new Map<string, number>();
  const bytes = (name: string, dims: readonly number[]) =>
    sizes.set(name, elementBytes(shapes.get(name)?.type || 1, elementCount(dims)));
  const open: string[] = [];
  for (const name of names) {
    const shape = shapes.get(name)?.shape;
    const known = shape?.filter((dim) => typeof dim === 'number');
    if (inputs.has(name)) sizes.set(name, 0);
    else if (shape && known?.length === shape.length) bytes(name, known);
    else open.push(name);
  }
  if (open.length === 0) return sizes;
  const session = await openExposed(
    runtime,
    model,
    open.map((name) => ({ name, what: 'shape' })),
  );
  try {
    const dims = await session.run(fed);
    for (const [i, name] of open.entries()) {
      const found = dims[i];
      if (found) bytes(name, Array.from(found.data, Number));
    }
    return sizes;
  } finally {
    await session.release();
  }
}
