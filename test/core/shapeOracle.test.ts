import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import * as ort from 'onnxruntime-web';
import { readModel } from '../../src/core/onnx/read';
import { openFile } from '../../src/worker/fileSource';
import { SAMPLE_RATES, SILERO, sileroBindings, sileroInputs } from '../support/silero';
import { askRuntime, askRuntimeInside, floatInput } from './shapeOracle';

const ocrFolder = join('node_modules', '@gutenye', 'ocr-models', 'assets');

/** Real models with their input sizes: all of ONNX Runtime's shapes must come out. */
const MODELS: readonly (readonly [path: string, sizes: readonly number[]])[] = [
  [join('media', 'sample', 'fashion-vgg.onnx'), [3, 1, 28, 28]],
  [join(ocrFolder, 'ch_PP-OCRv4_det_infer.onnx'), [1, 3, 96, 64]],
  [join(ocrFolder, 'ch_PP-OCRv4_rec_infer.onnx'), [2, 3, 48, 163]],
  [join(ocrFolder, 'ch_ppocr_mobile_v2.0_cls_infer.onnx'), [2, 3, 48, 192]],
];

for (const [path, sizes] of MODELS) {
  test(`every shape of ${path.split(/[\\/]/).at(-1)} is the one ONNX Runtime finds`, async (t) => {
    const source = openFile(path);
    const input = readModel(source).graph.inputs[0]!;
    source.close();
    const bind = new Map<string, number>();
    input.shape!.forEach((d, axis) => {
      if (typeof d !== 'number') bind.set(d ?? `${input.name}[${axis}]`, sizes[axis]!);
    });
    const report = await askRuntime(readFileSync(path), { [input.name]: floatInput(sizes) }, bind);
    t.diagnostic(`${report.compared} values compared, ${report.unknown.length} without a complete shape`);
    assert.ok(report.compared > 5);
    assert.deepEqual(report.wrong, []);
    assert.deepEqual(report.unknown, []);
  });
}

for (const silero of SILERO) {
  for (const rate of SAMPLE_RATES) {
    test(`every shape of silero ${silero.name} at ${rate} Hz is the one ONNX Runtime finds, in the branches too`, async (t) => {
      const bytes = readFileSync(silero.path);
      const inputs = Object.fromEntries(
        [...sileroInputs(silero, rate)].map(([name, { type, data, dims }]) => [
          name,
          new ort.Tensor(type as 'float32', data as Float32Array, dims),
        ]),
      );
      const bind = sileroBindings(silero, rate);
      const outside = await askRuntime(bytes, inputs, bind);
      const inside = await askRuntimeInside(bytes, inputs, bind);
      t.diagnostic(
        `${outside.compared} values outside, ${inside.compared} inside, ${inside.unknown.length} without a complete shape`,
      );
      assert.ok(outside.compared > 2 && inside.compared > 50);
      assert.deepEqual([...outside.wrong, ...inside.wrong], []);
      assert.deepEqual([...outside.unknown, ...inside.unknown], []);
    });
  }
}
