import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { type Checkpoint, readCheckpoint } from '../../src/core/checkpoint/checkpoint';
import { isReadableFloat, readCheckpointFloats } from '../../src/core/checkpoint/checkpointData';
import { isCheckpoint } from '../../src/core/checkpoint/isCheckpoint';
import { DTYPES } from '../../src/core/checkpoint/tensorType';
import { memorySource } from '../../src/core/onnx/byteSource';
import { ModelError } from '../../src/core/onnx/modelError';
import {
  countingSource,
  fileOf,
  floatTensor,
  latin1,
  safetensorsFile,
  torchFile,
  zipFile,
} from '../support/checkpointFiles';

/** Written by test/models/checkpoints/make.py with Python's own pickle, zipfile and numpy. */
const folder = path.resolve('test/models/checkpoints');
type Expected = Readonly<Record<string, readonly [string, readonly number[], readonly number[] | null]>>;
const fixtures = readFileSync(path.join(folder, 'expected.jsonl'), 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as [string, Expected]);

function open(name: string): Checkpoint {
  return readCheckpoint(memorySource(name, readFileSync(path.join(folder, name))));
}

for (const [name, expected] of fixtures) {
  test(`the tensors of ${name}, as Python wrote them`, () => {
    const checkpoint = open(name);
    assert.deepEqual(
      checkpoint.tensors.map((tensor) => tensor.name),
      Object.keys(expected),
    );
    for (const tensor of checkpoint.tensors) {
      const [type, dims, values] = expected[tensor.name]!;
      assert.equal(tensor.type.name, type, tensor.name);
      assert.deepEqual(tensor.dims, dims, tensor.name);
      assert.equal(isReadableFloat(tensor.type), values !== null, tensor.name);
      if (values) {
        assert.deepEqual([...readCheckpointFloats(checkpoint.source, tensor)], values, tensor.name);
      } else {
        assert.throws(() => readCheckpointFloats(checkpoint.source, tensor), { code: 'unsupported-type' });
      }
    }
  });
}

test('tied weights, strides and the numbers beside a state dict', () => {
  const checkpoint = open('training.ckpt');
  const tensor = (name: string) => checkpoint.tensors.find((t) => t.name === name)!;
  assert.equal(tensor('head.weight').sharedWith, 'embed.weight');
  assert.equal(tensor('embed.weight').sharedWith, undefined);
  assert.deepEqual(tensor('conv.weight').strides, [6, 1, 3, 3]);
  assert.equal('strides' in tensor('conv.row'), false);
  assert.equal(tensor('conv.row').sharedWith, undefined);
  assert.equal(tensor('conv.row').where.offset, tensor('conv.weight').where.offset + 12);
  assert.deepEqual(Object.fromEntries(checkpoint.metadata), { epoch: '3', arch: 'tiny' });
  assert.deepEqual(
    checkpoint.skipped.map((s) => s.name),
    ['best', 'optimizer'],
  );
  assert.match(checkpoint.skipped[1]!.reason, /^It is not part of the model, .*"state_dict"\.$/);
});

const torchTensors = readFileSync(path.join(folder, 'torch-1.13.jsonl'), 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as [string, string, number[], number[] | null]);
for (const name of ['torch-1.13.pt', 'torch-1.13-module.pt']) {
  test(`the tensors of ${name}, as PyTorch wrote them`, () => {
    const checkpoint = open(name);
    assert.deepEqual(
      checkpoint.tensors.map((tensor) => tensor.name),
      torchTensors.map(([tensor]) => tensor),
    );
    for (const [i, tensor] of checkpoint.tensors.entries()) {
      const [, type, dims, values] = torchTensors[i]!;
      assert.equal(tensor.type, DTYPES.get(type), tensor.name);
      assert.deepEqual(tensor.dims, dims, tensor.name);
      if (values) {
        assert.deepEqual([...readCheckpointFloats(checkpoint.source, tensor)], values, tensor.name);
      }
    }
    const tied = checkpoint.tensors.filter((tensor) => tensor.sharedWith !== undefined);
    assert.deepEqual(
      tied.map((tensor) => [tensor.name, tensor.sharedWith]),
      [['head.weight', 'embed.weight']],
    );
    const strided = checkpoint.tensors.filter((tensor) => tensor.strides).map((tensor) => tensor.name);
    assert.deepEqual(strided, ['brain', 'spread', 'conv.weight']);
  });
}

test('what stands beside a state dict of PyTorch', () => {
  const { skipped, metadata } = open('torch-1.13.pt');
  assert.deepEqual(
    skipped.map(({ name }) => name),
    ['optimizer', 'rng_state'],
  );
  assert.deepEqual(Object.fromEntries(metadata), { epoch: '12', arch: 'net' });
});

test('tensors of PyTorch that are not read are named, with the reason', () => {
  const { tensors, skipped } = open('torch-1.13-odd.pt');
  assert.deepEqual(
    tensors.map(({ name, type }) => [name, type.name]),
    [
      ['quantised', 'qint8'],
      ['plain', 'float'],
    ],
  );
  assert.deepEqual(
    skipped.map(({ name, reason }) => [
      name,
      /^It is a tensor of a kind that is not read \(.*\)\.$/.test(reason),
    ]),
    [
      ['sparse', true],
      ['meta', true],
    ],
  );
});

test('what a pickle asks to be called is not called', () => {
  open('hostile.pt');
  assert.equal(existsSync('/tmp/ranksmith-pickle-was-here'), false);
});

test('a safetensors file says what it is', () => {
  const checkpoint = open('small.safetensors');
  assert.equal(checkpoint.format, 'safetensors');
  assert.deepEqual([...checkpoint.metadata], [['format', 'np']]);
  assert.equal(checkpoint.tensors[0]!.type.element, 1);
});

test('names of checkpoints', () => {
  const yes = ['a.safetensors', 'A.SafeTensors', 'b.pt', 'c.pth', 'pytorch_model.bin', 'd.ckpt', 'x/y.pt'];
  const no = ['a.onnx', 'pt', 'a.pt.txt', 'a.safetensors.index.json', 'bin'];
  for (const name of yes) assert.equal(isCheckpoint(name), true, name);
  for (const name of no) assert.equal(isCheckpoint(name), false, name);
});

const others: readonly [string, Uint8Array, string, RegExp][] = [
  ['nothing', new Uint8Array(0), 'empty', /is empty/],
  [
    'a pickle of before PyTorch 1.6',
    readFileSync(path.join(folder, 'legacy.pt')),
    'unsupported-format',
    /before version 1\.6/,
  ],
  ['a bare pickle', latin1('\x80\x04N.'), 'unsupported-format', /bare Python pickle/],
  ['a tar archive', latin1(`${'\0'.repeat(257)}ustar`), 'unsupported-format', /tar archive/],
  [
    'a Git LFS pointer',
    latin1('version https://git-lfs.github.com/spec/v1\n'),
    'unsupported-format',
    /git lfs pull/,
  ],
  ['GGUF', latin1('GGUF\x03\0\0\0\0\0\0\0'), 'unsupported-format', /GGUF/],
  ['HDF5', latin1('\x89HDF\r\n\x1a\n'), 'unsupported-format', /HDF5/],
  ['an empty zip', latin1(`PK\x05\x06${'\0'.repeat(18)}`), 'unsupported-format', /empty zip/],
  ['another zip', zipFile([['a.txt', latin1('x')]]), 'not-a-checkpoint', /no data\.pkl/],
  ['text', latin1('hello, I am a text'), 'not-a-checkpoint', /neither/],
];
for (const [what, bytes, code, sentence] of others) {
  test(`${what} is refused in a sentence`, () => {
    assert.throws(
      () => readCheckpoint(fileOf(bytes)),
      (error: unknown) =>
        error instanceof ModelError &&
        error.code === code &&
        sentence.test(error.message) &&
        /^test\.pt .*\.$/.test(error.message),
    );
  });
}

test('the content decides, not the name', () => {
  const bytes = safetensorsFile('{"w":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}', Uint8Array.of(7));
  for (const name of ['model.bin', 'model.pt', 'model.safetensors']) {
    assert.equal(readCheckpoint(fileOf(bytes, name)).format, 'safetensors');
  }
});

test('the cost follows the number of tensors, not their bytes', () => {
  const cost = (elements: number) => {
    const bytes = new Uint8Array(4 * elements);
    const pytorch = torchFile(
      { dict: ['a', 'b'].map((key) => [key, floatTensor(key, elements)]) },
      { a: bytes, b: bytes },
    );
    const header = JSON.stringify({
      a: { dtype: 'F32', shape: [elements], data_offsets: [0, bytes.length] },
    }).padEnd(100);
    return [pytorch, safetensorsFile(header, bytes)].map((content) => {
      const source = countingSource(fileOf(content));
      readCheckpoint(source);
      return source;
    });
  };
  const [smallZip, smallSafe] = cost(100_000);
  const [largeZip, largeSafe] = cost(400_000);
  assert.ok(smallZip!.bytesRead < 3000, String(smallZip!.bytesRead));
  assert.equal(largeZip!.bytesRead, smallZip!.bytesRead);
  assert.equal(largeZip!.reads, smallZip!.reads);
  assert.equal(smallSafe!.bytesRead, 512 + 108);
  assert.equal(largeSafe!.bytesRead, 512 + 108);
});
