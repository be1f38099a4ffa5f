import { readdirSync, statSync } from '../platform/files';
import { basename, join } from '../platform/paths';
import type { DataFiles, OfferedArray } from './dataFiles';
import { fileOnDemand } from './fileOnDemand';
import { openTensorFile } from './tensorFile';

const SET = /^test_data_set_(\d+)$/;
const INPUT = /^input_(\d+)\.pb$/;

/**
 * ONNX's test data: a folder with `test_data_set_0`, `test_data_set_1`, …, or one of them, or one of its tensors.
 * A tensor belongs to the input of its own name or, where the names fit none, of its number. undefined for a folder
 * that holds nothing of the kind.
 */
export function findTestData(path: string): DataFiles | undefined {
  const sets = setsOf(path);
  if (sets.length === 0) return undefined;
  return {
    kind: 'test data',
    sets: sets.map((files) => files.map(offer)),
    paths: sets.flat().map(({ path }) => path),
    close: () => {},
  };
}

interface Numbered {
  readonly path: string;
  readonly number: number;
}

function setsOf(path: string): readonly (readonly Numbered[])[] {
  if (!statSync(path).isDirectory())
    return [[{ path, number: Number(INPUT.exec(basename(path))?.[1] ?? 0) }]];
  const direct = numbered(path, INPUT);
  if (direct.length > 0) return [direct];
  return numbered(path, SET)
    .filter((set) => statSync(set.path).isDirectory())
    .map((set) => numbered(set.path, INPUT))
    .filter((files) => files.length > 0);
}

/** What a folder has under numbered names, by number. */
function numbered(folder: string, pattern: RegExp): readonly Numbered[] {
  return readdirSync(folder)
    .flatMap((name) => {
      const number = pattern.exec(name)?.[1];
      return number === undefined ? [] : [{ path: join(folder, name), number: Number(number) }];
    })
    .sort((a, b) => a.number - b.number);
}

function offer({ path, number }: Numbered): OfferedArray {
  const { name, array } = openTensorFile(fileOnDemand(path));
  return { name, position: number, label: path, open: async () => array };
}
