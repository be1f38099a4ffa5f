import { writeFileSync } from 'node:fs';
import { onnx } from 'onnx-proto';
import { product } from '../src/core/compress/method';
import { resnet50 } from '../test/support/architectures/residual';
import { seededArray } from '../test/support/onnxModel';

/** Writes ResNet-50 with random weights and a free batch size: 224 × 224 pixels, 25.6 million parameters, 100 MB. */
export function writeResnet50(file: string): void {
  const { model } = resnet50();
  const proto = onnx.ModelProto.decode(model.source.read(0, model.source.size));
  const variances = new Set(
    proto.graph!.node!.flatMap(({ opType, input }) =>
      opType === 'BatchNormalization' ? [input![1]!, input![4]!] : [],
    ),
  );
  for (const [i, tensor] of proto.graph!.initializer!.entries()) {
    if (tensor.dataType !== 1) continue;
    const dims = tensor.dims!.map(Number);
    const scale = Math.sqrt(6 / Math.max(1, product(dims.slice(1))));
    const isVariance = variances.has(tensor.name!);
    const values = seededArray(product(dims), i + 1).map((v) => (isVariance ? 1 + 0.1 * v : scale * v));
    tensor.rawData = new Uint8Array(values.buffer);
  }
  proto.graph!.input![0]!.type!.tensorType!.shape!.dim![0] = { dimParam: 'n' };
  writeFileSync(file, onnx.ModelProto.encode(proto).finish());
}
