import assert from 'node:assert/strict';
import { mkdirSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import { deflateRawSync } from 'node:zlib';
import { onnx } from 'onnx-proto';
import { elementCount } from '../../src/core/onnx/elements';
import { ModelError } from '../../src/core/onnx/modelError';
import type { DataFiles } from '../../src/worker/calibration/dataFiles';
import { openNpz } from '../../src/worker/calibration/npz';
import { readEntries, type StoredArray } from '../../src/worker/calibration/storedArray';
import { findTestData } from '../../src/worker/calibration/testData';
import { zipFile } from '../support/checkpointFiles';
import { npyFile, npzFile } from '../support/npyFile';
import { floatTensor, int64Tensor } from '../support/onnxModel';
import { scratchFolder, writeInto } from '../support/scratch';

const dir = scratchFolder();

function valuesOf(array: StoredArray): number[] {
  const out = new Float64Array(elementCount(array.shape));
  readEntries({ ...array, shape: [1, ...array.shape] }, 0, [0], out);
  return [...out];
}

/** Every array of every set: name, position, shape, values. */
async function contentOf(files: DataFiles): Promise<unknown[][]> {
  try {
    return await Promise.all(
      files.sets.map(async (set) => {
        const out = [];
        for (const offered of set) {
          const array = await offered.open();
          out.push([offered.name, offered.position, array.shape, valuesOf(array)]);
        }
        return out;
      }),
    );
  } finally {
    files.close();
  }
}

function refusal(code: string, sentence: RegExp): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof ModelError, String(error));
    assert.equal(error.code, code, error.message);
    assert.match(error.message, sentence);
    return true;
  };
}

// A folder for temporary files that nobody else writes to.
const temporary = path.join(dir, 'tmp');
mkdirSync(temporary);
for (const name of ['TMPDIR', 'TEMP', 'TMP']) process.env[name] = temporary;
const leftovers = () => readdirSync(temporary);

describe('.npz archives', () => {
  const arrays = {
    x: npyFile('<f4', [2, 3], [1, 2, 3, 4, 5, 6]),
    'a/b': npyFile('|u1', [4], [9, 8, 7, 6], { fortran: true }),
    arr_1: npyFile('>i2', [2, 2], [1, 2, 3, 4], { fortran: true }),
  };
  for (const compressed of [false, true]) {
    for (const zip64 of [false, true]) {
      it(`${compressed ? 'compressed' : 'stored'}${zip64 ? ', with 64-bit records,' : ''} are read by name`, async () => {
        const file = writeInto(dir, 'a.npz', npzFile(arrays, { compressed, zip64 }));
        assert.deepEqual(await contentOf(openNpz(file)), [
          [
            ['x', undefined, [2, 3], [1, 2, 3, 4, 5, 6]],
            ['a/b', undefined, [4], [9, 8, 7, 6]],
            ['arr_1', 1, [2, 2], [1, 2, 3, 4]],
          ],
        ]);
      });
    }
  }

  it('leave no temporary file behind, whatever happens', async () => {
    const good = npzFile(arrays, { compressed: true });
    await contentOf(openNpz(writeInto(dir, 'b.npz', good)));
    const packed = deflateRawSync(arrays.x);
    const lying = (size: number, checksum: number, content: Uint8Array = packed) =>
      writeInto(dir, 'c.npz', zipFile([['x.npy', content]], { edit: () => ({ method: 8, size, checksum }) }));
    const open = (file: string) => contentOf(openNpz(file));
    const { length } = arrays.x;
    await assert.rejects(open(lying(length, 1)), refusal('bad-data', /c\.npz, x .*checksum/));
    await assert.rejects(open(lying(length - 1, 1)), refusal('bad-data', /unpacks to more than/));
    await assert.rejects(open(lying(length + 1, 1)), refusal('bad-data', /unpacks to \d+ bytes instead of/));
    await assert.rejects(open(lying(2 ** 31, 1)), refusal('bad-data', /can't be unpacked to 2,147,483,648/));
    await assert.rejects(
      open(
        lying(
          length,
          1,
          packed.map((byte, i) => (i === 3 ? byte ^ 0xff : byte)),
        ),
      ),
      refusal('bad-data', /./),
    );
    await assert.rejects(
      open(lying(length, 1, packed.subarray(0, 30))),
      refusal('bad-data', /does not unpack \(unexpected end of file\)/),
    );
    assert.deepEqual(leftovers(), []);
  });

  it('that unpack to what is no array, hold none, or are cut are refused', async () => {
    const odd = writeInto(dir, 'd.npz', npzFile({ x: new Uint8Array(40) }, { compressed: true }));
    await assert.rejects(contentOf(openNpz(odd)), refusal('bad-data', /d\.npz, x .*not in \.npy format/));
    const other = writeInto(dir, 'e.npz', zipFile([['readme', new Uint8Array(3)]]));
    assert.throws(() => openNpz(other), refusal('bad-data', /no \.npy file/));
    const cut = writeInto(dir, 'f.npz', npzFile(arrays).subarray(0, 200));
    assert.throws(() => openNpz(cut), refusal('truncated', /f\.npz is not a readable zip archive/));
  });

  it('listen to a signal', async () => {
    const file = writeInto(dir, 'g.npz', npzFile(arrays, { compressed: true }));
    const files = openNpz(file);
    await assert.rejects(files.sets[0]![0]!.open(AbortSignal.abort()), { name: 'AbortError' });
    assert.deepEqual(leftovers(), []);
    files.close();
  });
});

describe('ONNX test data', () => {
  const pb = (tensor: onnx.ITensorProto) => onnx.TensorProto.encode(tensor).finish();
  const setFolder = (name: string, files: Record<string, onnx.ITensorProto>) => {
    const folder = path.join(dir, name);
    mkdirSync(folder, { recursive: true });
    for (const [file, tensor] of Object.entries(files)) writeInto(folder, file, pb(tensor));
    return folder;
  };

  it('are found set by set and by number', async () => {
    for (let i = 0; i < 11; i++) {
      setFolder(`model/test_data_set_${i}`, {
        'input_0.pb': floatTensor('x', [1, 2], [i, -i]),
        'input_10.pb': int64Tensor('late', [1], [i]),
        'input_2.pb': int64Tensor('', [], [7]),
        'output_0.pb': floatTensor('y', [1], [0]),
      });
    }
    setFolder('model/test_data_set_x', { 'input_0.pb': floatTensor('x', [1], [0]) });
    const found = await contentOf(findTestData(path.join(dir, 'model'))!);
    assert.equal(found.length, 11);
    assert.deepEqual(found[10], [
      ['x', 0, [1, 2], [10, -10]],
      ['', 2, [], [7]],
      ['late', 10, [1], [10]],
    ]);
    const one = await contentOf(findTestData(path.join(dir, 'model', 'test_data_set_3'))!);
    assert.deepEqual(one, [found[3]]);
    const file = await contentOf(findTestData(path.join(dir, 'model', 'test_data_set_3', 'input_10.pb'))!);
    assert.deepEqual(file, [[['late', 10, [1], [3]]]]);
    assert.equal(findTestData(dir), undefined);
  });

  const typed: readonly [string, onnx.ITensorProto, number[]][] = [
    ['float_data', { dataType: 1, dims: [3], floatData: [1.5, 2, -3] }, [1.5, 2, -3]],
    ['int32_data of uint8', { dataType: 2, dims: [2], int32Data: [200, 3] }, [200, 3]],
    ['int32_data of float16', { dataType: 10, dims: [2], int32Data: [0x3c00, 0xc000] }, [1, -2]],
    ['int64_data', { dataType: 7, dims: [2, 1], int64Data: [5, -6] }, [5, -6]],
    ['double_data', { dataType: 11, dims: [1], doubleData: [0.1] }, [0.1]],
    ['raw bool', { dataType: 9, dims: [3], rawData: Uint8Array.of(1, 0, 1) }, [1, 0, 1]],
    ['raw bfloat16', { dataType: 16, dims: [1], rawData: Uint8Array.of(0x80, 0x3f) }, [1]],
  ];
  for (const [what, tensor, expected] of typed) {
    it(`is read from ${what}`, async () => {
      const folder = setFolder('typed', { 'input_0.pb': tensor });
      const [[found]] = (await contentOf(findTestData(folder)!)) as [[unknown[]]];
      assert.deepEqual(found.slice(2), [tensor.dims, expected]);
    });
  }

  const refused: readonly [string, onnx.ITensorProto, string, RegExp][] = [
    ['text', { dataType: 8, dims: [1], stringData: [new Uint8Array(1)] }, 'bad-data', /tensor of string/],
    ['no type', {}, 'bad-data', /tensor of type 0/],
    ['too few elements', { dataType: 1, dims: [4], floatData: [1, 2] }, 'data-length', /needs/],
    ['too few bytes', { dataType: 1, dims: [10 ** 12], rawData: new Uint8Array(8) }, 'data-length', /needs/],
    [
      'elements elsewhere',
      { dataType: 1, dims: [1], dataLocation: 1, externalData: [{ key: 'location', value: 'x' }] },
      'bad-data',
      /another file/,
    ],
  ];
  for (const [what, tensor, code, sentence] of refused) {
    it(`is refused: ${what}`, () => {
      const folder = setFolder('refused', { 'input_0.pb': tensor });
      assert.throws(() => findTestData(folder), refusal(code, sentence));
    });
  }
  it('is refused: no tensor at all', () => {
    const folder = path.join(dir, 'junk');
    mkdirSync(folder);
    writeInto(folder, 'input_0.pb', Uint8Array.of(0xff, 0xff, 0xff));
    assert.throws(() => findTestData(folder), refusal('truncated', /input_0\.pb is not a readable tensor: /));
  });
});
