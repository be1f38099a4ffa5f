/**
 * Writes every model below some folders without an edit, in memory, and tells how many come out byte for byte:
 *
 *     npx esbuild test/corpus/identity.ts --bundle --platform=node --outfile=out/corpusIdentity.js
 *     node out/corpusIdentity.js FOLDER…
 *
 * Files that are refused as no models, with a sentence, are counted apart. Ends with 1 where a file differs.
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { ModelError } from '../../src/core/onnx/modelError';
import { comesOutTheSame } from '../support/identity';

let [files, identical, refused] = [0, 0, 0];
for (const folder of process.argv.slice(2)) {
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort()) {
    if (!name.endsWith('.onnx')) continue;
    const path = join(folder, name);
    files++;
    try {
      if (comesOutTheSame(path)) identical++;
      else console.log(`differs: ${path}`);
    } catch (error) {
      if (!(error instanceof ModelError)) throw error;
      refused++;
      console.log(`refused: ${error.message}`);
    }
  }
}
console.log(`${files} files, ${identical} identical${refused > 0 ? `, ${refused} refused` : ''}`);
process.exitCode = files > 0 && identical + refused === files ? 0 : 1;
