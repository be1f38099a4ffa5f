import { ModelError } from '../../core/onnx/modelError';
import { openFile } from '../fileSource';
import { statSync } from '../platform/files';
import { dirname, extname } from '../platform/paths';
import type { DataFiles } from './dataFiles';
import { findImages, type ImageFiles, isImageName } from './imageFiles';
import { openNpy } from './npy';
import { openNpz } from './npz';
import { findTestData } from './testData';

/** Data for the inputs of a model: arrays, or pictures. Close it. */
export type OpenData = DataFiles | Pictures;

/** Pictures for one input. */
export interface Pictures extends ImageFiles {
  readonly kind: 'images';
  close(): void;
}

/**
 * Finds out what a path is: a folder of ONNX test data, or else of pictures; a picture, a tensor (.pb), an .npz
 * archive, by name; an archive of another name, or else an .npy file. Throws {@link ModelError}s.
 */
export function openData(path: string): OpenData {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (!stat) throw new ModelError('unreadable', `${path} cannot be read: there is no such file or folder.`);
  if (stat.isDirectory()) {
    return findTestData(path) ?? { kind: 'images', ...findImages(path), close: () => {} };
  }
  // A pipe would wait for somebody to write into it.
  if (!stat.isFile()) throw new ModelError('unreadable', `${path} is not a regular file.`);
  if (isImageName(path)) return { kind: 'images', paths: [path], skipped: [], close: () => {} };
  const ending = extname(path).toLowerCase();
  if (ending === '.pb') return findTestData(path)!;
  if (ending === '.npz' || isZip(path)) return openNpz(path);
  const file = openFile(path);
  try {
    const array = openNpy(file);
    const offered = { name: '', position: 0, label: path, open: async () => array };
    return { kind: 'npy', sets: [[offered]], paths: [path], close: file.close };
  } catch (error) {
    file.close();
    throw error;
  }
}

/** What the names of a set's files are relative to. */
export function folderOf(path: string): string {
  return statSync(path).isDirectory() ? path : dirname(path);
}

function isZip(path: string): boolean {
  const file = openFile(path);
  try {
    const start = file.read(0, Math.min(2, file.size));
    return start[0] === 0x50 && start[1] === 0x4b;
  } finally {
    file.close();
  }
}
