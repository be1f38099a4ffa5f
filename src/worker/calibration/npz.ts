import { locateEntry, readZip, ZipMethod } from '../../core/checkpoint/zip';
import { type FileSource, openFile } from '../fileSource';
import { dataError } from './dataError';
import type { DataFiles, OfferedArray } from './dataFiles';
import { inflateEntry } from './inflateEntry';
import { openNpy } from './npy';

/**
 * The arrays of an .npz archive (numpy.savez, numpy.savez_compressed), by name; those that were saved without one
 * (`arr_0`) by position. Only arrays that are opened are unpacked.
 */
export function openNpz(path: string): DataFiles {
  const file = openFile(path);
  const open: FileSource[] = [file];
  const close = () => {
    for (const source of open.splice(0)) source.close();
  };
  try {
    const archive = readZip(file);
    const arrays = [...archive.entries.values()]
      .filter(({ name }) => name.endsWith('.npy'))
      .map((entry): OfferedArray => {
        const name = entry.name.slice(0, -'.npy'.length);
        const label = `${path}, ${name}`;
        const position = /^arr_(\d+)$/.exec(name)?.[1];
        return {
          name,
          label,
          position: position === undefined ? undefined : Number(position),
          async open(signal) {
            const range = locateEntry(archive, entry, true);
            if (entry.method === ZipMethod.stored) return openNpy(file, label, range);
            const unpacked = await inflateEntry({ source: file, ...entry, ...range }, label, signal);
            open.push(unpacked);
            return openNpy(unpacked, label);
          },
        };
      });
    if (arrays.length === 0) throw dataError(path, 'the archive holds no .npy file');
    return { kind: 'npz', sets: [arrays], paths: [path], close };
  } catch (error) {
    close();
    throw error;
  }
}
