import type { ByteSource } from '../../core/onnx/byteSource';
import { elementName } from '../../core/onnx/elements';
import { readTensor } from '../../core/onnx/readTensor';
import { locateTensor, readSmall } from '../../core/onnx/tensorData';
import { WireReader } from '../../core/onnx/wire';
import { dataError } from './dataError';
import { elementSize } from './decodeElements';
import type { StoredArray } from './storedArray';

/** A file that is one TensorProto, as ONNX's test data are. Throws {@link ModelError}s. */
export function openTensorFile(source: ByteSource): { readonly name: string; readonly array: StoredArray } {
  const label = source.name;
  const end = source.size;
  const tensor = readTensor(new WireReader(source, 'tensor'), { start: 0, payload: 0, end });
  const { name, type, dims: shape, data } = tensor;
  if (elementSize(type) === undefined) {
    throw dataError(label, `it is a tensor of ${elementName(type)}, not of numbers that are read here`);
  }
  const file = { source };
  const external = () => {
    throw dataError(label, 'its elements are in another file');
  };
  if (data.kind === 'external') external();
  const place = locateTensor(file, tensor, external);
  if (place) {
    const content = { kind: 'file', source, offset: place.offset, little: true, fortran: false } as const;
    return { name, array: { label, shape, type, content } };
  }
  const values = readSmall(file, tensor, external, Number.POSITIVE_INFINITY)!;
  return { name, array: { label, shape, type, content: { kind: 'values', values } } };
}
