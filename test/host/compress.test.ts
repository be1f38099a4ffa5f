import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { compress } from './compressing';
import { exists, folderWithSample, internals, modelRow } from './internals';

describe('Compress Model…', () => {
  let folder: ReturnType<typeof folderWithSample>;
  beforeEach(() => {
    folder = folderWithSample('compress');
  });
  afterEach(() => folder.remove());

  it('writes a smaller model, reports it, and lists it', async () => {
    const output = folder.file('small.onnx');
    const before = readFileSync(folder.model.fsPath);
    const [report] = (await compress({ uri: folder.model, target: 'parameters=0.5', output }))!;
    assert.ok(report);
    assert.ok(report.compressed.parameters <= 0.5 * report.original.parameters);
    assert.equal(report.compressed.bytes, statSync(output.fsPath).size);
    assert.ok(readFileSync(folder.model.fsPath).equals(before), 'the source is untouched');
    assert.deepEqual((await internals()).report.last(), report);
    await modelRow(output);
  });

  it('leaves no file when it is cancelled', async () => {
    for (const delay of [0, 50, 400]) {
      const abort = new AbortController();
      const output = folder.file('cancelled.onnx');
      const running = compress({ uri: folder.model, target: 'macs=0.4', output, signal: abort.signal });
      setTimeout(() => abort.abort(new DOMException('Cancelled.', 'AbortError')), delay);
      assert.equal(await running, undefined, `cancelled after ${delay} ms`);
      assert.deepEqual(readdirSync(path.dirname(output.fsPath)), ['net.onnx']);
    }
  });

  it('refuses to replace a file unless it was told to', async () => {
    const output = folder.file('small.onnx');
    await compress({ uri: folder.model, target: 'parameters=0.5', output });
    const first = statSync(output.fsPath).size;
    assert.equal(await compress({ uri: folder.model, target: 'parameters=0.3', output }), undefined);
    assert.equal(statSync(output.fsPath).size, first);
    await compress({ uri: folder.model, target: 'parameters=0.3', output, overwrite: true });
    assert.ok(statSync(output.fsPath).size < first);
  });

  it('survives a stopped engine: the call ends with a sentence, the next one works', async () => {
    const { host } = await internals();
    const output = folder.file('stopped.onnx');
    for (const delay of [20, 150, 400]) {
      const running = compress({ uri: folder.model, target: 'parameters=0.4', output });
      await new Promise((resolve) => setTimeout(resolve, delay));
      // A call that takes its time, so that it is under way for certain when the engine stops.
      const { fsPath } = folder.model;
      const pending = host.engine.verify({ original: fsPath, compressed: fsPath });
      void host.stop();
      await assert.rejects(pending, { code: 'engine-stopped', message: /engine stopped.*started again/ });
      assert.equal(await running, undefined);
      assert.deepEqual(readdirSync(path.dirname(output.fsPath)), ['net.onnx']);
    }
    const analysis = await host.engine.analyze({ path: folder.model.fsPath });
    assert.equal(analysis.layers.length, 8);
    const [report] = (await compress({ uri: folder.model, target: 'parameters=0.4', output }))!;
    assert.ok(report && exists(output));
  });

  it('refuses a target that it can not read', async () => {
    assert.equal(await compress({ uri: folder.model, target: 'half' }), undefined);
  });
});
