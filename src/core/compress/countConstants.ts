import { defaultOf, resolveConstant } from '../onnx/constants';
import { elementBytes, elementCount, elementName, isFloatType } from '../onnx/elements';
import type { Graph, Model, Tensor } from '../onnx/model';
import { allGraphs } from '../onnx/names';
import { type Value, valueTable } from '../onnx/values';
import type { Analysis } from './analysis';
import type { GraphSizes } from './findLayers';

/** Operators that only hand a constant on: reading one is not using it. */
const PASSING = new Set([
  'Identity',
  'Transpose',
  'Cast',
  'Reshape',
  'Squeeze',
  'Unsqueeze',
  'Flatten',
  'DequantizeLinear',
]);

/** Inputs of BatchNormalization that were measured, not trained. */
const STATISTICS = [3, 4];

/**
 * Elements of the floating-point constants that nodes use (initializers, Constant, ConstantOfShape): `stored` counts
 * each once, `used` once for each node input it feeds. Running means and variances are `statistics`, and in neither.
 */
export function countParameters(model: Model, sizesOf: (graph: Graph) => GraphSizes): Analysis['parameters'] {
  const values = valueTable(model);
  const stored = new Map<Value, number>();
  const statistics = new Map<Value, number>();
  let used = 0;
  for (const graph of values.graphs) {
    const { sizes } = sizesOf(graph);
    for (const node of graph.nodes) {
      if (node.domain === '' && PASSING.has(node.opType)) continue;
      for (const [input, name] of node.inputs.entries()) {
        const resolved = name ? resolveConstant(values, graph, name, sizes) : 'computed';
        const constant = resolved === 'overridable' ? (defaultOf(values, graph, name) ?? resolved) : resolved;
        if (typeof constant === 'string' || !isFloatType(constant.type)) continue;
        const count = elementCount(constant.source.dims);
        const value = constant.values.at(-1)!;
        if (node.opType === 'BatchNormalization' && STATISTICS.includes(input)) {
          statistics.set(value, count);
        } else {
          stored.set(value, count);
          used += count;
        }
      }
    }
  }
  // What nobody reads is stored all the same.
  for (const graph of values.graphs) {
    for (const { name, type, dims } of graph.initializers) {
      const value = values.find(graph, name);
      if (value && isFloatType(type) && value.uses.length === 0) stored.set(value, elementCount(dims));
    }
  }
  const total = (counts: ReadonlyMap<Value, number>) => [...counts.values()].reduce((a, b) => a + b, 0);
  return { stored: total(stored), used, statistics: total(statistics) };
}

/** Bytes of the constants in every graph by element type, largest first. */
export function bytesByType(model: Model): Readonly<Record<string, number>> {
  const bytes = new Map<string, number>();
  const add = ({ type, dims }: Tensor) => {
    const size = elementBytes(type, elementCount(dims));
    if (size > 0) bytes.set(elementName(type), (bytes.get(elementName(type)) ?? 0) + size);
  };
  for (const graph of allGraphs(model.graph)) {
    graph.initializers.forEach(add);
    for (const node of graph.nodes) {
      const value = node.opType === 'Constant' ? node.attributes.get('value') : undefined;
      if (value?.kind === 'tensor') add(value.value);
    }
  }
  return Object.fromEntries([...bytes].sort((a, b) => b[1] - a[1]));
}

/** Bytes of the external ranges a model refers to, by dims and type: the data file may hold more, or be missing. */
export function externalBytes(model: Model): number {
  let bytes = 0;
  for (const graph of allGraphs(model.graph)) {
    for (const tensor of graph.initializers) {
      if (tensor.data.kind === 'external') bytes += elementBytes(tensor.type, elementCount(tensor.dims));
    }
  }
  return bytes;
}
