import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { posix } from 'node:path';
import { describe, it } from 'node:test';
import { deflateRawSync, deflateSync, crc32 as zlibCrc32 } from 'node:zlib';
import { seededUniform } from '../../src/core/tensor/seeded';
import * as disk from '../../src/worker/platform/files';
import type { Files } from '../../src/worker/platform/filesPort';
import { FileWanted } from '../../src/worker/platform/fileWanted';
import * as web from '../../src/worker/platform/inflate.web';
import { createMemoryFiles, OWN_FOLDER } from '../../src/worker/platform/memoryFiles';
import { sha256 } from '../../src/worker/platform/sha256.web';
import * as webPaths from '../../src/worker/platform/webPaths';

const random = (count: number, seed: number) => {
  const next = seededUniform(seed);
  return Uint8Array.from({ length: count }, () => Math.floor(next() * 256));
};

/** What somebody sees who works with files: the answers, and the codes of what is refused. */
function story(files: Files, folder: string): readonly unknown[] {
  const seen: unknown[] = [];
  const note = (act: () => unknown) => {
    try {
      seen.push(act());
    } catch (error) {
      seen.push((error as { code?: string }).code);
    }
  };
  const path = (name: string) => `${folder}/${name}`;
  const text = (name: string) => Buffer.from(files.readFileSync(path(name))).toString();
  files.mkdirSync(path('a'));
  note(() => files.mkdirSync(path('a')));
  note(() => files.mkdirSync(path('x/y')));
  note(() => files.openSync(path('a/none'), 'r') > 0);
  const fd = files.openSync(path('a/one'), 'wx');
  note(() => files.openSync(path('a/one'), 'wx'));
  for (const piece of ['Hello', ', ', 'world']) note(() => files.writeSync(fd, Buffer.from(piece)));
  note(() => files.writeSync(fd, Buffer.from('[!]'), 1, 1));
  files.fsyncSync(fd);
  note(() => files.fstatSync(fd).size);
  files.closeSync(fd);
  note(() => files.closeSync(fd));
  note(() => text('a/one'));
  files.appendFileSync(path('a/one'), Buffer.from('?'));
  note(() => text('a/one'));
  const read = files.openSync(path('a/one'), 'r');
  const into = new Uint8Array(8);
  note(() => files.readSync(read, into, 2, 6, 9));
  note(() => [...into]);
  note(() => files.readSync(read, into, 0, 6, 100));
  files.closeSync(read);
  files.mkdirSync(path('b'));
  note(() => files.renameSync(path('a/one'), path('c/one')));
  files.appendFileSync(path('b/two'), Buffer.from('old'));
  note(() => files.renameSync(path('a/one'), path('b/two')));
  note(() => text('b/two'));
  note(() => files.existsSync(path('a/one')));
  note(() => files.statSync(path('a/one')));
  note(() => files.lstatSync(path('a/one'), { throwIfNoEntry: false }));
  note(() => [files.statSync(path('b')).isDirectory(), files.statSync(path('b/two')).isFile()]);
  note(() => files.statSync(path('b/two')).ino === files.statSync(path('b/../b/two')).ino);
  note(() => [...files.readdirSync(folder)].sort());
  note(() => files.readdirSync(path('b/two')));
  note(() => files.readdirSync(folder, { withFileTypes: true }).map((each) => each.isDirectory()));
  note(() => files.readFileSync(path('b')));
  note(() => files.rmSync(path('none'), {}));
  note(() => files.rmSync(path('none'), { force: true }));
  note(() => files.rmSync(path('b'), { recursive: true, force: true }));
  note(() => files.existsSync(path('b/two')));
  const made = files.mkdtempSync(path('made-'));
  note(() => files.statSync(made).isDirectory());
  note(() => files.realpathSync(path('a/..')) === files.realpathSync(folder));
  return seen;
}

describe('files in memory', () => {
  it('answer as those of the disk do', () => {
    const folder = mkdtempSync(posix.join(tmpdir(), 'ranksmith-platform-'));
    try {
      const onDisk = story(disk, folder);
      assert.ok(onDisk.length > 25);
      const files = createMemoryFiles();
      assert.deepEqual(story(files, files.mkdtempSync(`${OWN_FOLDER}/story-`)), onDisk);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('want to know what they were not told, and no more than is asked', () => {
    const files = createMemoryFiles();
    const model = 'memfs:/folder/net.onnx';
    const wants = (act: () => unknown) => {
      try {
        return act();
      } catch (error) {
        assert.ok(error instanceof FileWanted, String(error));
        return `${error.what} ${error.path}`;
      }
    };
    assert.equal(
      wants(() => files.existsSync(model)),
      `stat ${model}`,
    );
    files.tell(model, { kind: 'file', size: 3, mtimeMs: 5 });
    assert.equal(
      wants(() => files.statSync(model).size),
      3,
    );
    assert.equal(
      wants(() => files.openSync(model, 'r')),
      `content ${model}`,
    );
    files.place(model, Uint8Array.of(1, 2, 3), 5);
    assert.deepEqual([...files.readFileSync(model)], [1, 2, 3]);
    assert.equal(
      wants(() => files.existsSync(`${model}.data`)),
      `stat ${model}.data`,
    );
    files.tell(`${model}.data`, { kind: 'absent' });
    assert.equal(files.existsSync(`${model}.data`), false);
    files.tell('memfs:/folder', { kind: 'folder' });
    assert.equal(
      wants(() => files.readdirSync('memfs:/folder')),
      'entries memfs:/folder',
    );
    files.closeFolder('memfs:/folder');
    assert.deepEqual(files.readdirSync('memfs:/folder'), ['net.onnx']);
    files.forgetAnswers();
    assert.deepEqual([...files.readFileSync(model)], [1, 2, 3]);
    assert.equal(
      wants(() => files.existsSync(`${model}.data`)),
      `stat ${model}.data`,
    );
  });

  it('hand over what was moved to where others look, in its order', () => {
    const files = createMemoryFiles();
    files.tell('memfs:/', { kind: 'folder' });
    files.tell('memfs:/old.onnx', { kind: 'file', size: 1, mtimeMs: 1 });
    files.mkdirSync('memfs:/.made');
    for (const [name, byte] of [
      ['weights', 1],
      ['old.onnx', 2],
    ] as const) {
      files.appendFileSync(`memfs:/.made/${name}`, Uint8Array.of(byte, byte));
      files.renameSync(`memfs:/.made/${name}`, `memfs:/${name}`);
    }
    files.rmSync('memfs:/.made', { recursive: true, force: true });
    assert.deepEqual(files.takeWritten(), [
      { path: 'memfs:/weights', bytes: Uint8Array.of(1, 1), replaces: false },
      { path: 'memfs:/old.onnx', bytes: Uint8Array.of(2, 2), replaces: true },
    ]);
    assert.deepEqual(files.takeWritten(), []);
  });
});

describe('paths of addresses', () => {
  it('are those of Node where they have no scheme', () => {
    const samples = [
      '/a/b/c.onnx',
      '/a/../b/./c',
      'x',
      'x/y.tar.gz',
      '/',
      '.hidden',
      '/a/.hidden',
      'a/..',
      '../x',
    ];
    for (const path of samples) {
      assert.equal(webPaths.join(path), posix.join(path).replace(/(.)\/$/, '$1'), path);
      assert.equal(webPaths.basename(path), posix.basename(posix.join(path)), path);
      assert.equal(webPaths.extname(path), posix.extname(posix.join(path)), path);
      assert.equal(webPaths.dirname(path), posix.dirname(posix.join(path)), path);
      for (const other of samples) {
        assert.equal(webPaths.join(path, other), posix.join(path, other).replace(/(.)\/$/, '$1'));
      }
    }
    assert.equal(webPaths.relative('/a/b', '/a/c/d'), posix.relative('/a/b', '/a/c/d'));
    assert.equal(webPaths.relative('/a', '/a/c/d'), 'c/d');
  });

  it('keep scheme and host', () => {
    const net = 'vscode-vfs://github/owner/repo/net.onnx';
    assert.equal(webPaths.dirname(net), 'vscode-vfs://github/owner/repo');
    assert.equal(webPaths.basename(net), 'net.onnx');
    assert.equal(
      webPaths.join(webPaths.dirname(net), '../x y#1.data'),
      'vscode-vfs://github/owner/x y#1.data',
    );
    assert.equal(webPaths.join('memfs:/a', '../../b'), 'memfs:/b');
    assert.equal(webPaths.dirname('memfs:/a'), 'memfs:/');
    assert.equal(webPaths.dirname('memfs:/'), 'memfs:/');
    assert.equal(webPaths.relative('memfs:/data', 'memfs:/data/one/two.png'), 'one/two.png');
  });
});

describe('SHA-256 in JavaScript', () => {
  it('is that of OpenSSL, whole and in pieces', () => {
    for (const length of [...Array(200).keys(), 4095, 4096, 100_003]) {
      const bytes = random(length, length + 1);
      const hash = sha256();
      const cut = Math.floor(length / 3);
      for (const piece of [bytes.subarray(0, cut), bytes.subarray(cut)]) hash.update(piece);
      assert.equal(hash.digest('hex'), createHash('sha256').update(bytes).digest('hex'), `${length} bytes`);
    }
    const hash = sha256();
    hash.update('größer');
    assert.equal(hash.digest('base64'), createHash('sha256').update('größer').digest('base64'));
  });
});

describe('inflating in a browser', () => {
  const bytes = Uint8Array.from(random(300_000, 3), (byte) => byte & 15);
  const unpack = async (packed: Uint8Array, size: number) => {
    const chunks: Uint8Array[] = [];
    const blocks = Array.from({ length: Math.ceil(packed.length / size) }, (_, i) =>
      packed.subarray(i * size, (i + 1) * size),
    );
    await web.inflateRaw(blocks, (chunk) => chunks.push(chunk));
    return Buffer.concat(chunks);
  };

  it('gives back what zlib packed', async () => {
    assert.deepEqual(web.inflate(deflateSync(bytes), bytes.length + 1), bytes);
    assert.deepEqual(new Uint8Array(await unpack(deflateRawSync(bytes), 4096)), bytes);
  });

  it('gives no more than was wanted', () => {
    assert.equal(web.inflate(deflateSync(bytes), 1000).length, 1000);
  });

  it('refuses what is damaged, and passes on what the receiver says', async () => {
    const packed = deflateRawSync(bytes);
    await assert.rejects(unpack(packed.subarray(0, 1000), 100), web.DamagedDeflate);
    await assert.rejects(unpack(Uint8Array.of(7, 255, 255, 255), 4), web.DamagedDeflate);
    const refusal = new Error('No more.');
    await assert.rejects(
      web.inflateRaw([packed], () => {
        throw refusal;
      }),
      refusal,
    );
    const broken = () =>
      (function* () {
        yield packed.subarray(0, 1000);
        throw refusal;
      })();
    await assert.rejects(
      web.inflateRaw(broken(), () => {}),
      refusal,
    );
    const stopped = AbortSignal.abort(new Error('Stop.'));
    await assert.rejects(
      web.inflateRaw([packed], () => {}, stopped),
      /Stop/,
    );
  });

  it('counts the checksum of zip archives', () => {
    const whole = zlibCrc32(bytes);
    assert.equal(web.crc32(bytes.subarray(1000), web.crc32(bytes.subarray(0, 1000), 0)), whole);
  });
});
