import { expectBytes, Leaf, spanOf } from './leaf';
import type { FieldSpan, Span, SparseTensor, Tensor, TensorData } from './model';
import * as proto from './proto';
import { type WireReader, WireType } from './wire';

/** Scans a TensorProto; its payload stays where it is. Throws ModelErrors for what no tensor can be. */
export function readTensor(reader: WireReader, span: FieldSpan): Tensor {
  const leaf = new Leaf(reader);
  const floatRuns: Span[] = [];
  let raw: Span | undefined;
  let typedFields = 0;
  reader.walk(span.payload, span.end, (field) => {
    switch (field.number) {
      case 9: // raw_data
        expectBytes(reader, field, 'raw_data');
        if (raw) throw reader.error('malformed', field.start, 'a second raw_data begins in one tensor');
        raw = { start: field.payload, end: field.end };
        break;
      case 4: // float_data
      case 10: // double_data
        typedFields++;
        if (field.wireType === WireType.bytes && field.end > field.payload) {
          floatRuns.push({ start: field.payload, end: field.end });
        }
        break;
      case 5: // int32_data
      case 6: // string_data
      case 7: // int64_data
      case 11: // uint64_data
        typedFields++;
        break;
      case 1: // dims
      case 2: // data_type
      case 3: // segment
      case 8: // name
      case 13: // external_data
      case 14: // data_location
        leaf.add(field);
        break;
    }
  });
  const header = leaf.decode(span.start, proto.decodeTensorHeader);
  const label = header.name ? `the tensor "${header.name}"` : 'a tensor';
  if (header.isSegment) throw reader.error('malformed', span.start, `${label} is only a segment of a tensor`);
  if (header.dims.some((d) => d < 0)) {
    throw reader.error(
      'malformed',
      span.start,
      `${label} has a negative dimension: ${header.dims.join(' × ')}`,
    );
  }
  if (!Number.isSafeInteger(header.dims.reduce((product, d) => product * d, 1))) {
    throw reader.error(
      'malformed',
      span.start,
      `${label} claims ${header.dims.join(' × ')}, more elements than can be counted`,
    );
  }
  let data: TensorData;
  if (header.isExternal) {
    const { externalData: e } = header;
    data = {
      kind: 'external',
      location: e.get('location') ?? '',
      offset: e.get('offset'),
      length: e.get('length'),
    };
  } else if (raw) {
    data = { kind: 'raw', span: raw };
  } else if (typedFields === 0) {
    data = { kind: 'none' };
  } else if (typedFields === 1 && floatRuns.length === 1) {
    data = { kind: 'raw', span: floatRuns[0]! };
  } else {
    data = { kind: 'typed', message: { start: span.payload, end: span.end } };
  }
  return { name: header.name, type: header.type, dims: header.dims, data, span };
}

/** Scans a SparseTensorProto: its name, element type and dimensions. */
export function readSparseTensor(reader: WireReader, span: FieldSpan): SparseTensor {
  const leaf = new Leaf(reader);
  let values: Tensor | undefined;
  reader.walk(span.payload, span.end, (field) => {
    if (field.number === 1 && field.wireType === WireType.bytes) values = readTensor(reader, spanOf(field));
    if (field.number === 3) leaf.add(field);
  });
  const dims = leaf.decode(span.start, proto.decodeSparseDims);
  return { name: values?.name ?? '', type: values?.type ?? 0, dims };
}
