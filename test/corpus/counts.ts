/**
 * Counts the nine classic graphs whose weights are made by ConstantOfShape, and compares with the known figures:
 *
 *     npx esbuild test/corpus/counts.ts --bundle --platform=node --outfile=out/corpusCounts.js
 *     node out/corpusCounts.js FOLDER
 *
 * FOLDER holds light_*.onnx. Ends with 1 where a figure differs in the last digit or a node cannot be counted.
 */
import { join } from 'node:path';
import { graphMacs } from '../../src/core/onnx/cost';
import { readModel } from '../../src/core/onnx/read';
import { inferShapes } from '../../src/core/onnx/shapes/inferShapes';
import { openFile } from '../../src/worker/fileSource';

/** GMACs of one inference on a batch of one. */
const KNOWN: Readonly<Record<string, string>> = {
  bvlc_alexnet: '0.6546',
  densenet121: '2.8342',
  inception_v1: '1.4316',
  inception_v2: '2.0189',
  resnet50: '4.0892',
  shufflenet: '0.1247',
  squeezenet: '0.3492',
  vgg19: '19.6321',
  zfnet512: '1.4817',
};

const folder = process.argv[2];
if (!folder) throw new Error('The first argument is the folder with light_*.onnx.');
for (const [name, expected] of Object.entries(KNOWN)) {
  const source = openFile(join(folder, `light_${name}.onnx`));
  const model = readModel(source);
  const shapes = inferShapes(model, {
    bind: new Map(),
    openExternal: () => {
      throw new Error('These graphs are one file each.');
    },
  });
  const { total, unknown } = graphMacs(model, shapes);
  source.close();
  const found = typeof total === 'number' ? (total / 1e9).toFixed(4) : 'unknown';
  const agrees = found === expected && unknown.length === 0;
  if (!agrees) process.exitCode = 1;
  console.log(`${agrees ? 'agrees' : `WRONG (${expected})`} ${name}: ${found} GMACs`, ...unknown);
}
