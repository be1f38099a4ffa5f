import { closeSync, ftruncateSync, openSync, writeSync } from 'node:fs';
import { onnx } from 'onnx-proto';
import { fieldHeader } from '../../src/core/onnx/wire';

/**
 * Writes a model whose one weight of `rows` × `columns` floats is a hole in the file: of any size, and no byte on the disk
 * but those of the graph.
 */
export function writeSparseModel(path: string, rows: number, columns: number): void {
  const value = (name: string, sizes: readonly number[]) => ({
    name,
    type: { tensorType: { elemType: 1, shape: { dim: sizes.map((dimValue) => ({ dimValue })) } } },
  });
  const graph = onnx.GraphProto.encode({
    name: 'large',
    node: [{ opType: 'MatMul', name: 'product', input: ['x', 'w'], output: ['y'] }],
    input: [value('x', [1, rows])],
    output: [value('y', [1, columns])],
  }).finish();
  const header = onnx.TensorProto.encode({ name: 'w', dataType: 1, dims: [rows, columns] }).finish();
  const bytes = 4 * rows * columns;
  const raw = fieldHeader(9, bytes);
  const tensor = fieldHeader(5, header.length + raw.length + bytes);
  const model = onnx.ModelProto.encode({
    irVersion: 8,
    producerName: 'test',
    opsetImport: [{ domain: '', version: 17 }],
  }).finish();
  const start = Buffer.concat([
    model,
    fieldHeader(7, graph.length + tensor.length + header.length + raw.length + bytes),
    graph,
    tensor,
    header,
    raw,
  ]);
  const file = openSync(path, 'w');
  writeSync(file, start);
  ftruncateSync(file, start.length + bytes);
  closeSync(file);
}
