import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { after, describe, it } from 'node:test';
import type { ModelError } from '../../src/core/onnx/modelError';
import type { Engine } from '../../src/worker/engine';
import { memoryFiles } from '../../src/worker/platform/files.web';
import { OWN_FOLDER } from '../../src/worker/platform/memoryFiles';
import { createSession, type SessionOptions } from '../../src/worker/session';
import { setExtensionHost } from '../../src/worker/web/extensionFiles';
import type { HostFiles } from '../../src/worker/web/hostFiles';
import { lapackFile } from '../../src/worker/web/lapackFile';
import { createMemoryEngine } from '../../src/worker/web/memoryEngine';
import { npyBytes, npyFile, npzFile } from '../support/npyFile';
import { pngFile } from '../support/pngFile';
import { sameFigures } from '../support/sameFigures';

const SAMPLE = new Uint8Array(readFileSync(path.resolve('media/sample/fashion-vgg.onnx')));
const MODEL = 'memfs:/models/net.onnx';
const OUTPUT = 'memfs:/models/net.compressed.onnx';

/** A host whose files are these, and what it was asked. */
function hostOf(files: Map<string, Uint8Array>, refuse: (path: string) => boolean = () => false) {
  const asked: string[] = [];
  let time = 1;
  const times = new Map<string, number>();
  const host: HostFiles = {
    async stat({ path: name }) {
      const bytes = files.get(name);
      if (bytes) return { kind: 'file', size: bytes.length, mtimeMs: times.get(name) ?? 0 };
      const isFolder = [...files.keys()].some((each) => each.startsWith(`${name}/`));
      return { kind: isFolder ? 'folder' : 'absent' };
    },
    async read({ path: name }) {
      asked.push(`read ${name}`);
      return { bytes: files.get(name)!.slice() };
    },
    async list({ path: name }) {
      const inside = [...files.keys()].filter((each) => each.startsWith(`${name}/`));
      return [...new Set(inside.map((each) => each.slice(name.length + 1).split('/')[0]!))];
    },
    async write({ path: name, bytes }) {
      asked.push(`write ${name}`);
      if (refuse(name)) throw new Error(`${name} can't be written.`);
      files.set(name, bytes.slice());
      times.set(name, ++time);
    },
    async remove({ path: name }) {
      asked.push(`remove ${name}`);
      files.delete(name);
    },
    resource: async ({ name }) => ({ bytes: new Uint8Array(readFileSync(path.resolve('dist', name))) }),
  };
  return { host, asked, touch: (name: string) => times.set(name, ++time) };
}

const sessions: { close(): Promise<void> }[] = [];
after(() => Promise.all(sessions.map((session) => session.close())));

function engineOf(
  host: HostFiles,
  options: { readonly mostHeld?: number; readonly limits?: SessionOptions['limits'] } = {},
): Engine {
  setExtensionHost(host);
  const folder = `${OWN_FOLDER}/dist`;
  const { limits = {} } = options;
  const session = createSession({ folder, threadScript: `${folder}/factorThread.js`, limits });
  sessions.push(session);
  const prepare = async () => {
    const file = (await lapackFile())!;
    if (memoryFiles.existsSync(`${folder}/${file.name}`)) return;
    if (!memoryFiles.existsSync(folder)) memoryFiles.mkdirSync(folder);
    memoryFiles.appendFileSync(`${folder}/${file.name}`, file.bytes);
  };
  for (const { path: name } of memoryFiles.placed()) memoryFiles.forget(name);
  return createMemoryEngine(session, memoryFiles, host, prepare, options.mostHeld);
}

const half = { target: { kind: 'parameters', share: 0.5 }, method: 'auto', overwrite: false } as const;

describe('the engine on the files of its host', () => {
  it('compresses, reads a model once, and hands over the whole result', async () => {
    const files = new Map([[MODEL, SAMPLE]]);
    const { host, asked } = hostOf(files);
    const engine = engineOf(host);
    const analysis = await engine.analyze({ path: MODEL });
    assert.equal(analysis.bytes, SAMPLE.length);
    const report = await engine.compress({ ...half, path: MODEL, output: OUTPUT });
    assert.deepEqual(asked, [`read ${MODEL}`, `write ${OUTPUT}`]);
    assert.equal(report.compressed.file, OUTPUT);
    assert.equal(report.compressed.bytes, files.get(OUTPUT)!.length);
    assert.match(report.factoredWith, /^LAPACK/);
    assert.match(report.engine, /WebAssembly/);
    const again = await engine.analyze({ path: OUTPUT });
    assert.equal(again.parameters.stored, report.compressed.parameters);
    sameFigures(await engine.verify({ original: MODEL, compressed: OUTPUT }), report);
    await assert.rejects(engine.compress({ ...half, path: MODEL, output: OUTPUT }), {
      code: 'target-exists',
    });
    await assert.rejects(engine.compress({ ...half, path: MODEL, output: MODEL, overwrite: true }), {
      code: 'target-is-source',
    });
    await assert.rejects(engine.compress({ ...half, path: MODEL, output: 'memfs:/none/x.onnx' }), {
      code: 'target-folder',
    });
  });

  it('writes weights into a data file, and reads them from there', async () => {
    const files = new Map([[MODEL, SAMPLE]]);
    const { host, asked } = hostOf(files);
    const engine = engineOf(host, { limits: { largestModel: 64 * 1024 } });
    const report = await engine.compress({ ...half, path: MODEL, output: OUTPUT });
    assert.deepEqual(asked, [`read ${MODEL}`, `write ${OUTPUT}.data`, `write ${OUTPUT}`]);
    sameFigures(await engine.verify({ original: MODEL, compressed: OUTPUT }), report);
  });

  it('runs a model in parts, whose weights it cuts out of the files it holds', async () => {
    const files = new Map([[MODEL, SAMPLE]]);
    const { host } = hostOf(files);
    const parts = { whole: 0, part: 2.6e6, largest: 1e7 };
    const report = await engineOf(host, { limits: { parts } }).compress({
      ...half,
      path: MODEL,
      output: OUTPUT,
      allowSlower: true,
    });
    assert.match(report.engine, /WebAssembly.*in parts \(\d, \d\)/);
    const whole = await engineOf(host).verify({ original: MODEL, compressed: OUTPUT });
    assert.doesNotMatch(whole.engine, /parts/);
    sameFigures(whole, report);
  });

  it('leaves nothing where the second of two files is refused, and nothing when cancelled', async () => {
    const files = new Map([[MODEL, SAMPLE]]);
    const { host, asked } = hostOf(files, (name) => name === OUTPUT);
    const engine = engineOf(host, { limits: { largestModel: 64 * 1024 } });
    await assert.rejects(engine.compress({ ...half, path: MODEL, output: OUTPUT }), /can't be written/);
    assert.deepEqual(asked.slice(-3), [`write ${OUTPUT}.data`, `write ${OUTPUT}`, `remove ${OUTPUT}.data`]);
    assert.deepEqual([...files.keys()], [MODEL]);
    const abort = new AbortController();
    const stopped = new DOMException('Enough.', 'AbortError');
    const call = engine.compress(
      { ...half, path: MODEL, output: 'memfs:/models/other.onnx' },
      { signal: abort.signal, onProgress: ({ phase }) => phase === 'verify' && abort.abort(stopped) },
    );
    await assert.rejects(call, stopped);
    assert.deepEqual([...files.keys()], [MODEL]);
  });

  it('notices that a file was changed, and that it is gone', async () => {
    const files = new Map([[MODEL, SAMPLE]]);
    const { host, asked, touch } = hostOf(files);
    const engine = engineOf(host);
    await engine.analyze({ path: MODEL });
    touch(MODEL);
    await engine.analyze({ path: MODEL });
    assert.equal(asked.length, 2);
    files.delete(MODEL);
    await assert.rejects(engine.analyze({ path: MODEL }), (error: ModelError) => {
      assert.equal(error.code, 'unreadable');
      assert.match(error.message, /^memfs:\/models\/net\.onnx cannot be read: there is no such file/);
      return true;
    });
  });

  it('holds no more than it may: lets go of the longest unused, and refuses what is too large', async () => {
    const other = 'memfs:/models/other.onnx';
    const files = new Map([
      [MODEL, SAMPLE],
      [other, SAMPLE],
    ]);
    const { host, asked } = hostOf(files);
    const engine = engineOf(host, { mostHeld: 1.5 * SAMPLE.length });
    for (const name of [MODEL, other, MODEL]) await engine.analyze({ path: name });
    assert.deepEqual(asked, [`read ${MODEL}`, `read ${other}`, `read ${MODEL}`]);
    await assert.rejects(engine.compareModels({ before: MODEL, after: other }), { code: 'too-large' });
    const small = engineOf(host, { mostHeld: SAMPLE.length - 1 });
    await assert.rejects(small.analyze({ path: MODEL }), (error: ModelError) => {
      assert.equal(error.code, 'too-large');
      assert.match(error.message, /net\.onnx is too large for a browser.*desktop/);
      return true;
    });
  });

  it('reads calibration data: a picture, folders of pictures, an archive', async () => {
    const picture = (seed: number) =>
      pngFile({
        width: 28,
        height: 28,
        colorType: 0,
        values: Array.from({ length: 784 }, (_, i) => (i * seed) % 256),
      });
    const array = npyFile('<f4', [3, 1, 28, 28], Float32Array.from({ length: 3 * 784 }, Math.sin));
    const files = new Map([
      [MODEL, SAMPLE],
      ['memfs:/data/a/one.png', picture(3)],
      ['memfs:/data/a/two.png', picture(5)],
      ['memfs:/data/b/three.png', picture(7)],
      ['memfs:/samples.npz', npzFile({ input: array }, { compressed: true })],
    ]);
    const engine = engineOf(hostOf(files).host);
    const countOf = async (place: string) => {
      const described = await engine.describeCalibration({
        path: MODEL,
        calibration: { path: place },
        identify: true,
      });
      assert.match(described.identity!.sha256, /^[0-9a-f]{64}$/);
      return `${described.count} ${described.kind}`;
    };
    assert.equal(await countOf('memfs:/data/a/one.png'), '1 images');
    assert.equal(await countOf('memfs:/data'), '3 images');
    assert.equal(await countOf('memfs:/samples.npz'), '3 npz');
    await assert.rejects(countOf('memfs:/none.npy'), /no such file or folder/);
  });

  it('plans on calibration data', async () => {
    const values = Float32Array.from({ length: 24 * 28 * 28 }, (_, i) => Math.sin(i) ** 2);
    const header = "{'descr': '<f4', 'fortran_order': False, 'shape': (24, 1, 28, 28), }";
    const array = npyBytes(header, new Uint8Array(values.buffer));
    const files = new Map([
      [MODEL, SAMPLE],
      ['memfs:/models/samples.npy', array],
    ]);
    const { host } = hostOf(files);
    const engine = engineOf(host);
    const calibration = { path: 'memfs:/models/samples.npy' };
    const { plan } = await engine.plan({ path: MODEL, target: half.target, method: 'svd', calibration });
    assert.equal(plan.calibration?.file, 'samples.npy');
  });
});
