import type { ByteSource } from './byteSource';
import { Leaf } from './leaf';
import { decodeMetadata, type ModelMetadata } from './proto';
import { WireReader, WireType } from './wire';

/** producer_name, producer_version, domain, model_version, doc_string and metadata_props of a ModelProto. */
const FIELDS = new Set([2, 3, 4, 5, 6, 14]);

/** Longer texts are left out of what is read: some tools keep whole files there. */
const LONGEST = 64 * 1024;

/** Fields of a file that are read, no more. */
const MOST = 1000;

/** What a model says of itself, and how many entries were too long or too many to be read. Walks past everything else. */
export function readMetadata(source: ByteSource): ModelMetadata & { readonly omitted: number } {
  const reader = new WireReader(source);
  const leaf = new Leaf(reader);
  let read = 0;
  let omitted = 0;
  reader.walk(0, source.size, (field) => {
    if (!FIELDS.has(field.number)) return;
    const isLong = field.wireType === WireType.bytes && field.end - field.payload > LONGEST;
    if (isLong || read >= MOST) omitted++;
    else {
      read++;
      leaf.add(field);
    }
  });
  return { ...leaf.decode(0, decodeMetadata), omitted };
}
