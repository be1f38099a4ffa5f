/**
 * The engine's door to files: the part of Node's synchronous calls that it uses. On other platforms a module of the
 * same names stands in this one's place.
 */
export {
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
  writeSync,
} from 'node:fs';
export { tmpdir } from 'node:os';
