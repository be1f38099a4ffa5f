import type { Checkpoint, CheckpointTensor } from '../checkpoint/checkpoint';
import { elementCount } from '../onnx/elements';
import type { Analysis, Problem } from './analysis';
import { type CheckpointLayer, checkpointLayers } from './checkpointLayers';

/** What a checkpoint tells: parameters and layers, but no MACs, which need a graph. No weight is read. */
export function analyzeCheckpoint(checkpoint: Checkpoint): {
  readonly analysis: Analysis;
  readonly layers: readonly CheckpointLayer[];
} {
  const { source, format, tensors, skipped } = checkpoint;
  const layers = checkpointLayers(checkpoint);
  const floats = tensors.filter(({ type }) => type.isFloat);
  const statistics = floats.filter(({ name }) => /\.running_(mean|var)$/.test(name));
  const count = (list: typeof floats) => list.reduce((sum, { dims }) => sum + elementCount(dims), 0);
  const trained = floats.filter((tensor) => !statistics.includes(tensor));
  const problems: Problem[] = [
    {
      code: 'needs-graph',
      message:
        'A checkpoint holds weights, but no graph: MACs need one, and so does compressing. Export it to ONNX for both.',
    },
    ...skipped.map(({ name, reason }) => ({ code: 'skipped-part', message: `${name}: ${reason}` })),
  ];
  const analysis: Analysis = {
    file: source.name,
    format,
    opset: null,
    bytes: source.size,
    parameters: {
      stored: count(trained.filter((tensor) => tensor.sharedWith === undefined)),
      used: count(trained),
      statistics: count(statistics),
    },
    macs: null,
    flops: null,
    macsFormula: null,
    otherOps: null,
    activationBytes: null,
    bytesByType: bytesByType(tensors),
    unknownMacs: [],
    freeDims: [],
    assumedDims: {},
    layers: layers.map(({ name, tensor, parameters, form }) => ({
      name,
      op: tensor.dims.length === 2 ? 'Matrix' : 'Convolution',
      weight: tensor.name,
      weightShape: tensor.dims,
      parameters,
      macs: null,
      macsFormula: null,
      intensity: null,
      outputShape: null,
      ...(form.kind === 'none' ? { status: 'skipped', reason: form.reason } : { status: 'compressible' }),
    })),
    problems,
  };
  return { analysis, layers };
}

function bytesByType(tensors: readonly CheckpointTensor[]): Readonly<Record<string, number>> {
  const bytes = new Map<string, number>();
  for (const { type, where, sharedWith } of tensors) {
    if (sharedWith === undefined) bytes.set(type.name, (bytes.get(type.name) ?? 0) + where.length);
  }
  return Object.fromEntries([...bytes].sort((a, b) => b[1] - a[1]));
}
