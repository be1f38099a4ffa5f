import { counted } from '../counted';
import { formatNumber } from '../format';
import type { ByteSource } from '../onnx/byteSource';
import { elementCount } from '../onnx/elements';
import { ModelError } from '../onnx/modelError';
import type { Checkpoint, CheckpointTensor } from './checkpoint';
import { type Json, JsonError, parseJson, shorten } from './json';
import { SAFETENSORS_TYPES } from './tensorType';

/** The reference implementation's limit; the largest real headers have a few MB. */
const MAX_HEADER_BYTES = 100_000_000;
/** The format needs three levels: header, tensor, shape. */
const MAX_DEPTH = 8;
const MAX_DIMS = 64;

/**
 * Reads the header of a safetensors file (https://github.com/huggingface/safetensors#format): an 8-byte
 * length, a JSON object, then the tensors without holes or overlaps. Nothing behind the header is read.
 * Throws {@link ModelError} where the file departs from the format.
 */
export function readSafetensors(source: ByteSource): Checkpoint {
  const { text, dataStart } = headerText(source);
  const header = parseHeader(source, text);
  const dataSize = source.size - dataStart;
  const tensors: CheckpointTensor[] = [];
  let metadata: ReadonlyMap<string, string> = new Map();
  for (const [name, value] of header) {
    if (name === '__metadata__') metadata = textMap(source, value);
    else tensors.push(tensorOf(source, name, value, dataStart, dataSize));
  }
  tensors.sort((a, b) => a.where.offset - b.where.offset || a.where.length - b.where.length);
  checkCovered(source, tensors, dataStart);
  return { source, format: 'safetensors', tensors, metadata, skipped: [] };
}

function headerText(source: ByteSource): { readonly text: string; readonly dataStart: number } {
  if (source.size < 8) throw refusal(source, 'truncated', `it has only ${counted(source.size, 'byte')}`);
  const prefix = source.read(0, 8);
  const claimed = new DataView(prefix.buffer, prefix.byteOffset, 8).getBigUint64(0, true);
  const length = Number(claimed);
  if (length > MAX_HEADER_BYTES) {
    throw refusal(
      source,
      'malformed',
      `its header claims ${counted(claimed, 'byte')}, more than the ${formatNumber(MAX_HEADER_BYTES)} that are allowed`,
    );
  }
  if (8 + length > source.size) {
    throw refusal(
      source,
      'truncated',
      `its header should end at byte ${8 + length}, but the file ends at byte ${source.size}`,
    );
  }
  const bytes = source.read(8, length);
  if (bytes[0] !== 0x7b) throw refusal(source, 'not-a-checkpoint', 'its header does not begin with "{"');
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    return { text, dataStart: 8 + length };
  } catch {
    throw refusal(source, 'malformed', 'its header is not UTF-8 text');
  }
}

function parseHeader(source: ByteSource, text: string): ReadonlyMap<string, Json> {
  try {
    const header = parseJson(text, MAX_DEPTH);
    // It begins with a brace, so it is an object.
    return header as ReadonlyMap<string, Json>;
  } catch (error) {
    if (!(error instanceof JsonError)) throw error;
    throw refusal(source, 'malformed', `at character ${error.position} of its header, ${error.message}`);
  }
}

function textMap(source: ByteSource, value: Json): ReadonlyMap<string, string> {
  if (!(value instanceof Map)) throw refusal(source, 'malformed', '"__metadata__" is not an object');
  for (const [key, text] of value) {
    if (typeof text !== 'string') {
      throw refusal(
        source,
        'malformed',
        `"__metadata__" holds something else than text under ${JSON.stringify(shorten(key))}`,
      );
    }
  }
  return value as ReadonlyMap<string, string>;
}

function tensorOf(
  source: ByteSource,
  name: string,
  value: Json,
  dataStart: number,
  dataSize: number,
): CheckpointTensor {
  const label = `the tensor ${JSON.stringify(shorten(name))}`;
  const fail = (what: string) => refusal(source, 'malformed', `${label} ${what}`);
  if (!(value instanceof Map)) throw fail('is not described by an object');
  const dtype = value.get('dtype');
  if (typeof dtype !== 'string') throw fail('has no dtype');
  const type = SAFETENSORS_TYPES.get(dtype);
  if (!type) {
    throw refusal(
      source,
      'unsupported-type',
      `${label} has the dtype ${JSON.stringify(shorten(dtype))}, which is not known here`,
    );
  }
  const dims = value.get('shape');
  if (!isCounts(dims) || dims.length > MAX_DIMS) throw fail('has no shape of whole numbers');
  const count = elementCount(dims);
  if (!Number.isSafeInteger(count * type.bits)) {
    throw fail(`claims ${dims.join(' × ')}, more elements than can be counted`);
  }
  const offsets = value.get('data_offsets');
  if (!isCounts(offsets) || offsets.length !== 2) throw fail('has no data_offsets of two whole numbers');
  const [start, end] = offsets as readonly [number, number];
  if (end < start || end > dataSize) {
    const code = end > dataSize ? 'truncated' : 'malformed';
    throw refusal(
      source,
      code,
      `${label} should stand in bytes ${start} to ${end} of the data, which has ${counted(dataSize, 'byte')}`,
    );
  }
  if ((end - start) * 8 !== count * type.bits) {
    throw refusal(
      source,
      'data-length',
      `${label} (${type.name} ${dims.join(' × ') || 'scalar'}) needs ${counted((count * type.bits) / 8, 'byte')}, but its data_offsets span ${end - start}`,
    );
  }
  return { name, type, dims, where: { offset: dataStart + start, length: end - start } };
}

/** Whether a value is a list of numbers that count something: whole, not negative, exact. */
function isCounts(value: Json | undefined): value is readonly number[] {
  return Array.isArray(value) && value.every((item) => Number.isSafeInteger(item) && (item as number) >= 0);
}

/** Every byte of the data belongs to exactly one tensor. `sorted` is in the order of the file. */
function checkCovered(source: ByteSource, sorted: readonly CheckpointTensor[], dataStart: number): void {
  let end = dataStart;
  for (const { name, where } of sorted) {
    if (where.offset !== end) {
      const what =
        where.offset < end
          ? 'overlaps the tensor before it'
          : `leaves ${counted(where.offset - end, 'byte')} before it to nobody`;
      throw refusal(source, 'malformed', `the tensor ${JSON.stringify(shorten(name))} ${what}`);
    }
    end = where.offset + where.length;
  }
  if (end !== source.size) {
    throw refusal(source, 'malformed', `it has ${counted(source.size - end, 'byte')} behind its last tensor`);
  }
}

function refusal(
  source: ByteSource,
  code: 'truncated' | 'malformed' | 'not-a-checkpoint' | 'data-length' | 'unsupported-type',
  what: string,
): ModelError {
  const hint = code === 'truncated' ? ' The file looks cut off.' : '';
  return new ModelError(code, `${source.name} is not a readable safetensors file: ${what}.${hint}`);
}
