import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after } from 'node:test';

/** The sample model of the project: tests run from its root. */
export const SAMPLE = path.resolve('media/sample/fashion-vgg.onnx');

/** A folder that goes when the test file has run. */
export function scratchFolder(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'ranksmith-test-'));
  after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A new scratch folder with a copy of the sample; returns the copy's path. */
export function scratchSample(): string {
  const target = path.join(scratchFolder(), 'vgg.onnx');
  copyFileSync(SAMPLE, target);
  return target;
}

/** Writes a file into a folder and returns its path. */
export function writeInto(folder: string, name: string, content: Uint8Array | string): string {
  const target = path.join(folder, name);
  writeFileSync(target, content);
  return target;
}
