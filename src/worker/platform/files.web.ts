import { createMemoryFiles } from './memoryFiles';

/** The engine's files in a browser, where there is no disk: what it reads is put here first, what it writes is taken from here. */
export const memoryFiles = createMemoryFiles();

export const {
  appendFileSync,
  closeSync,
  existsSync,
  fstatSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  tmpdir,
  writeSync,
} = memoryFiles;
