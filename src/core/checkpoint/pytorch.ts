import { counted } from '../counted';
import type { ByteSource } from '../onnx/byteSource';
import { ModelError } from '../onnx/modelError';
import type { Checkpoint, CheckpointRemainder, CheckpointTensor } from './checkpoint';
import { shorten } from './json';
import { readPickle } from './pickle';
import type { PickleTensor } from './pickleValue';
import { findStateDict } from './stateDict';
import { viewOf } from './tensorView';
import { locateEntry, readZip, type ZipArchive } from './zip';

/** The pickle describes tensors, it does not hold them: real ones have a few MB. */
const MAX_PICKLE_BYTES = 128 * 1024 * 1024;

/**
 * Reads a PyTorch checkpoint (the zip format of `torch.save` since version 1.6): `<prefix>/data.pkl`, a pickle
 * that describes tensors, and `<prefix>/data/<key>`, the bytes of each storage. Only the archive's directory,
 * the pickle and the local headers of the storages are read. Throws {@link ModelError} for TorchScript
 * archives, other zip files, and whatever contradicts itself.
 */
export function readPytorch(source: ByteSource): Checkpoint {
  const archive = readZip(source);
  const prefix = findPrefix(archive);
  checkByteOrder(archive, prefix);
  const pickle = locateEntry(archive, archive.entries.get(`${prefix}data.pkl`)!);
  if (pickle.length > MAX_PICKLE_BYTES) {
    throw new ModelError(
      'too-large',
      `${source.name}: its data.pkl has ${counted(pickle.length, 'byte')}, more than are read here.`,
    );
  }
  const label = `${source.name}: data.pkl`;
  const root = readPickle(source.read(pickle.offset, pickle.length), label);
  const found = findStateDict(root, source.name);
  const skipped = [...found.skipped];
  const tensors = locateTensors(archive, prefix, found.tensors, skipped);
  if (tensors.length === 0 && skipped.length === 0) {
    throw new ModelError('not-a-checkpoint', `${source.name} is a PyTorch file, but it holds no tensors.`);
  }
  return { source, format: 'pytorch', tensors, metadata: found.metadata, skipped };
}

function findPrefix(archive: ZipArchive): string {
  const { source, entries } = archive;
  const prefixes = [...entries.keys()].filter((name) => /^[^/]+\/data\.pkl$/.test(name));
  const [pickle, another] = prefixes;
  if (pickle === undefined) {
    throw new ModelError(
      'not-a-checkpoint',
      `${source.name} is a zip archive, but not a PyTorch checkpoint: it has no data.pkl in its folder.`,
    );
  }
  if (another !== undefined) {
    throw new ModelError(
      'malformed',
      `${source.name} holds two checkpoints: ${shorten(pickle)} and ${shorten(another)}.`,
    );
  }
  const prefix = pickle.slice(0, -'data.pkl'.length);
  if (entries.has(`${prefix}constants.pkl`)) {
    throw new ModelError(
      'unsupported-format',
      `${source.name} is a TorchScript program, which is not read. Save its state_dict() with torch.save, or export it to ONNX.`,
    );
  }
  return prefix;
}

function checkByteOrder(archive: ZipArchive, prefix: string): void {
  const entry = archive.entries.get(`${prefix}byteorder`);
  if (!entry) return;
  const { offset, length } = locateEntry(archive, entry);
  const order = new TextDecoder('latin1').decode(archive.source.read(offset, Math.min(length, 16)));
  if (order === 'little') return;
  throw new ModelError(
    'unsupported-format',
    `${archive.source.name} keeps its numbers in the byte order ${JSON.stringify(order)}; only "little" is read.`,
  );
}

function locateTensors(
  archive: ZipArchive,
  prefix: string,
  described: ReadonlyMap<string, PickleTensor>,
  skipped: CheckpointRemainder[],
): readonly CheckpointTensor[] {
  const { source } = archive;
  const storages = new Map<string, { readonly offset: number; readonly length: number }>();
  const first = new Map<string, string>();
  const tensors: CheckpointTensor[] = [];
  for (const [name, tensor] of described) {
    const label = `${source.name}: the tensor ${JSON.stringify(shorten(name))}`;
    if (tensor.storage.device === 'meta') {
      skipped.push({ name, reason: 'It is a tensor on the device "meta", which has no data.' });
      continue;
    }
    const { key } = tensor.storage;
    let storage = storages.get(key);
    if (!storage) {
      const entry = archive.entries.get(`${prefix}data/${key}`);
      if (!entry) {
        throw new ModelError(
          'truncated',
          `${label} should stand in data/${shorten(key)}, which is not in the archive.`,
        );
      }
      storage = locateEntry(archive, entry);
      storages.set(key, storage);
    }
    const view = viewOf(tensor, storage.length, label);
    const where = { offset: storage.offset + view.start, length: view.length };
    const place = `${where.offset} ${where.length} ${tensor.type.name}`;
    const sharedWith = where.length > 0 ? first.get(place) : undefined;
    if (sharedWith === undefined) first.set(place, name);
    tensors.push({
      name,
      type: tensor.type,
      dims: view.dims,
      where,
      ...(view.strides && { strides: view.strides }),
      ...(sharedWith !== undefined && { sharedWith }),
    });
  }
  return tensors;
}
