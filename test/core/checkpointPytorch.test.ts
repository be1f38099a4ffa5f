import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readCheckpoint } from '../../src/core/checkpoint/checkpoint';
import { readCheckpointFloats } from '../../src/core/checkpoint/checkpointData';
import { ModelError } from '../../src/core/onnx/modelError';
import {
  concat,
  fileOf,
  floatTensor,
  latin1,
  little,
  type Pickled,
  pickleOf,
  sparseSource,
  type TorchTensor,
  torchFile,
  torchTensor,
  zipFile,
} from '../support/checkpointFiles';

/** One storage of six floats, 0 to 5, that all tensors here are views of. */
const data = { '0': new Uint8Array(Float32Array.of(0, 1, 2, 3, 4, 5).buffer) };
const w = floatTensor('0', 2, 3);
const score = torchTensor({ key: '0', storage: 'torch.FloatStorage', count: 6, dims: [], strides: [] });
const dict = (entries: Readonly<Record<string, Pickled>>): Pickled => ({ dict: Object.entries(entries) });
const read = (root: Pickled, storages: Readonly<Record<string, Uint8Array>> = data) =>
  readCheckpoint(fileOf(torchFile(root, storages), 'x.pt'));
const moduleOf = (className: string, state: Readonly<Record<string, Pickled>>): Pickled => ({
  raw: concat(
    latin1(`c${className.replace('.', '\n')}\n)\x81`),
    pickleOf(dict(state)).slice(2, -1),
    latin1('b'),
  ),
});

const found: readonly [string, Pickled, readonly string[], readonly string[]][] = [
  ['a state dict', dict({ 'a.w': w, 'b.w': w }), ['a.w', 'b.w'], []],
  ['nested dicts', dict({ a: dict({ w, b: dict({ w }) }), c: w }), ['a.w', 'a.b.w', 'c'], []],
  ['lists and tuples', dict({ a: [w, { tuple: [w, 1] }] }), ['a.0', 'a.1.0'], []],
  ['a list of tensors', [w, w], ['0', '1'], []],
  ['one tensor', w, ['tensor'], []],
  [
    'numbers as keys',
    {
      dict: [
        [0, w],
        [1, dict({ w })],
      ],
    },
    ['0', '1.w'],
    [],
  ],
  ['tuples as keys', { dict: [[{ tuple: ['a'] }, w]] }, ['#0'], []],
  [
    "'state_dict'",
    dict({ epoch: 1, state_dict: dict({ w }), optimizer: dict({ m: w }) }),
    ['w'],
    ['optimizer'],
  ],
  [
    "'model' beside a score and an optimiser",
    dict({ best: score, model: dict({ w }), optim: dict({ m: w }) }),
    ['w'],
    ['best', 'optim'],
  ],
  [
    "'model' with 'state_dict' in it",
    dict({ model: dict({ state_dict: dict({ w }), other: dict({ w }) }) }),
    ['w'],
    ['model.other'],
  ],
  ["'module' of DeepSpeed", dict({ module: dict({ 'a.w': w }), lr_scheduler: dict({}) }), ['a.w'], []],
  ["'params_ema' before 'params'", dict({ params: dict({ w }), params_ema: dict({ w }) }), ['w'], ['params']],
  [
    "'model' and something that is no training state",
    dict({ model: dict({ w }), head: dict({ w }) }),
    ['model.w', 'head.w'],
    [],
  ],
  ["a layer called 'model'", dict({ w, model: dict({ w }) }), ['w', 'model.w'], []],
  [
    'optimiser state alone',
    dict({ state: dict({ '0': dict({ exp_avg: w }) }), param_groups: [] }),
    ['state.0.exp_avg'],
    [],
  ],
  ['an object among tensors', dict({ w, extra: { call: 'm.Packed', args: [w] } }), ['w'], ['extra']],
  [
    'a whole module',
    dict({
      model: moduleOf('m.Net', {
        _parameters: dict({ w, b: null }),
        _buffers: dict({ mean: w }),
        _modules: dict({ fc: moduleOf('m.Linear', { _parameters: dict({ w }), training: true }) }),
        cache: dict({ w }),
      }),
    }),
    ['w', 'mean', 'fc.w'],
    [],
  ],
  [
    'a subclass of dict',
    { raw: concat(latin1('cm\nD\n)\x81'), latin1('X\x01\0\0\0w'), pickleOf(w).slice(2, -1), latin1('s')) },
    ['w'],
    [],
  ],
  [
    '__proto__ and constructor',
    dict({ a: w, ['__proto__']: w, constructor: w }),
    ['a', '__proto__', 'constructor'],
    [],
  ],
  [
    'a dict that holds itself beside the model',
    {
      raw: concat(
        latin1('}q\x01X\x04\0\0\0selfh\x01sX\x01\0\0\0w'),
        pickleOf(w).slice(2, -1),
        latin1('s0'),
        pickleOf(dict({ state_dict: dict({ w }) })).slice(2, -1),
        latin1('X\x04\0\0\0selfh\x01s'),
      ),
    },
    ['w'],
    ['self'],
  ],
];
for (const [what, root, names, skipped] of found) {
  test(`found: ${what}`, () => {
    const checkpoint = read(root);
    assert.deepEqual(
      checkpoint.tensors.map((t) => t.name),
      names,
    );
    assert.deepEqual(
      checkpoint.skipped.map((s) => s.name),
      skipped,
    );
    for (const { reason } of checkpoint.skipped) assert.match(reason, /^It is .*\.$/);
    for (const tensor of checkpoint.tensors) {
      const values = readCheckpointFloats(checkpoint.source, tensor);
      assert.deepEqual([...values], [0, 1, 2, 3, 4, 5].slice(0, values.length));
    }
  });
}

const view = (change: Partial<TorchTensor>): Pickled =>
  dict({
    w: torchTensor({
      key: '0',
      storage: 'torch.FloatStorage',
      count: 6,
      dims: [2, 3],
      strides: [3, 1],
      ...change,
    }),
  });

const views: readonly [string, Partial<TorchTensor>, readonly number[], boolean][] = [
  ['row by row', {}, [0, 1, 2, 3, 4, 5], false],
  ['transposed', { dims: [3, 2], strides: [1, 3] }, [0, 3, 1, 4, 2, 5], true],
  ['a column', { dims: [2], strides: [3], offset: 1 }, [1, 4], true],
  ['a slice', { dims: [3], strides: [1], offset: 3 }, [3, 4, 5], false],
  ['strides of single rows that mean nothing', { dims: [1, 3], strides: [77, 1] }, [0, 1, 2], false],
  ['a repeated row', { dims: [2, 3], strides: [0, 1] }, [0, 1, 2, 0, 1, 2], true],
  ['overlapping windows', { dims: [3, 2], strides: [1, 1] }, [0, 1, 1, 2, 2, 3], true],
  ['a scalar', { dims: [], strides: [], offset: 5 }, [5], false],
  ['no elements', { dims: [0, 3], strides: [3, 1] }, [], false],
  ['no elements, from behind the end', { dims: [0], strides: [1], offset: 50 }, [], false],
  ['no elements, with strides that lead nowhere', { dims: [2, 0], strides: [1e9, 1e9] }, [], false],
];
for (const [what, change, values, strided] of views) {
  test(`view: ${what}`, () => {
    const { source, tensors } = read(view(change));
    const [tensor] = tensors;
    assert.deepEqual([...readCheckpointFloats(source, tensor!)], values);
    assert.equal(tensor!.strides !== undefined, strided);
    const raw = new Float32Array(source.read(tensor!.where.offset, tensor!.where.length).slice().buffer);
    assert.equal(raw[0], values[0]);
    assert.equal(raw.at(-1), values.length === 0 ? undefined : Math.max(...values));
  });
}

const rejectedViews: readonly [string, Partial<TorchTensor>, string, RegExp][] = [
  ['beyond the storage', { offset: 1 }, 'malformed', /needs the bytes 4 to 28 of its storage, which has 24/],
  ['by strides', { strides: [4, 1] }, 'malformed', /bytes 0 to 28/],
  ['a storage that is larger than its file', { count: 7 }, 'truncated', /28 bytes, but data\/0 has only 24/],
  ['a storage of 2^60 elements', { count: 2 ** 60 }, 'malformed', /whole numbers/],
  ['a storage that is not there', { key: '9' }, 'truncated', /data\/9, which is not in the archive/],
  ['a storage outside', { key: '../../etc/passwd' }, 'truncated', /not in the archive/],
  ['a negative offset', { offset: -1 }, 'malformed', /whole numbers/],
  ['a negative dimension', { dims: [-2, -3] }, 'malformed', /whole numbers/],
  ['a negative stride', { strides: [3, -1], offset: 2 }, 'malformed', /whole numbers/],
  ['half a dimension', { dims: [0.5], strides: [1] }, 'malformed', /whole numbers/],
  ['a dimension that is a text', { dims: ['2', 3] }, 'malformed', /whole numbers/],
  ['fewer strides than dimensions', { strides: [1] }, 'malformed', /whole numbers/],
  [
    'dimensions beyond counting',
    { dims: [2 ** 40, 2 ** 40], strides: [0, 0] },
    'malformed',
    /more elements than can be counted/,
  ],
  ['strides beyond counting', { strides: [2 ** 52, 2 ** 52] }, 'malformed', /needs the bytes/],
  ['65 dimensions', { dims: Array(65).fill(1), strides: Array(65).fill(1) }, 'malformed', /whole numbers/],
  [
    'an untyped storage too small',
    { storage: 'torch.storage.UntypedStorage', dtype: 'torch.float64', dims: [4], strides: [1], count: 24 },
    'malformed',
    /bytes 0 to 32/,
  ],
];
for (const [what, change, code, sentence] of rejectedViews) {
  test(`refused view: ${what}`, () => {
    assert.throws(
      () => read(view(change)),
      (error: unknown) => {
        assert.ok(error instanceof ModelError, String(error));
        assert.equal(error.code, code, error.message);
        assert.match(error.message, sentence);
        assert.match(error.message, /^x\.pt: the tensor "w" .*\.$/);
        return true;
      },
    );
  });
}

test('a tensor that makes billions of elements of four bytes is listed, not read', () => {
  const { source, tensors } = read(view({ dims: [50_000, 50_000], strides: [0, 0] }));
  assert.deepEqual(tensors[0]!.where.length, 4);
  assert.throws(() => readCheckpointFloats(source, tensors[0]!), { code: 'too-large' });
});

test('tensors without data are skipped, with the reason', () => {
  const { tensors, skipped } = read(view({ device: 'meta' }));
  assert.equal(tensors.length, 0);
  assert.match(skipped[0]!.reason, /"meta"/);
});

test('quantised tensors keep their name, and are no floats', () => {
  const { source, tensors } = read(
    dict({
      q: torchTensor({ key: '0', storage: 'torch.QInt8Storage', count: 24, dims: [24], strides: [1] }),
      c: torchTensor({ key: '0', storage: 'torch.ComplexFloatStorage', count: 3, dims: [3], strides: [1] }),
    }),
  );
  assert.deepEqual(
    tensors.map(({ type }) => [type.name, type.element]),
    [
      ['qint8', null],
      ['complex64', 14],
    ],
  );
  for (const tensor of tensors) {
    assert.throws(() => readCheckpointFloats(source, tensor), { code: 'unsupported-type' });
  }
});

test('tied weights name the first; other types and other parts of a storage are not tied', () => {
  const part = (storage: string, count: number, dims: number[], offset = 0) =>
    torchTensor({ key: '0', storage, count, dims, strides: dims.length === 1 ? [1] : [dims[1]!, 1], offset });
  const { tensors } = read(
    dict({
      a: part('torch.FloatStorage', 6, [6]),
      b: part('torch.IntStorage', 6, [6]),
      c: part('torch.FloatStorage', 6, [3], 3),
      d: part('torch.FloatStorage', 6, [2, 3]),
      e: part('torch.FloatStorage', 6, [0]),
      f: part('torch.FloatStorage', 6, [0]),
    }),
  );
  assert.deepEqual(
    tensors.map((t) => t.sharedWith),
    [undefined, undefined, undefined, 'a', undefined, undefined],
  );
});

const archives: readonly [string, Uint8Array, string, RegExp][] = [
  [
    'a TorchScript program',
    zipFile([
      ['m/data.pkl', pickleOf(w)],
      ['m/constants.pkl', pickleOf(null)],
    ]),
    'unsupported-format',
    /TorchScript/,
  ],
  [
    'two checkpoints',
    zipFile([
      ['a/data.pkl', pickleOf(w)],
      ['b/data.pkl', pickleOf(w)],
    ]),
    'malformed',
    /two checkpoints/,
  ],
  ['a pickle in no folder', zipFile([['data.pkl', pickleOf(w)]]), 'not-a-checkpoint', /no data\.pkl/],
  [
    'the byte order of mainframes',
    zipFile([
      ['m/data.pkl', pickleOf(w)],
      ['m/byteorder', latin1('big')],
    ]),
    'unsupported-format',
    /byte order "big"/,
  ],
  ['no tensors', torchFile(dict({ epoch: 1 })), 'not-a-checkpoint', /no tensors/],
  [
    'a compressed storage',
    torchFile(dict({ w }), data, { edit: ({ name }) => (name === 'm/data/0' ? { method: 8 } : {}) }),
    'unsupported-format',
    /compressed/,
  ],
  [
    'a compressed pickle',
    torchFile(dict({ w }), data, { edit: ({ name }) => (name === 'm/data.pkl' ? { method: 8 } : {}) }),
    'unsupported-format',
    /compressed/,
  ],
  [
    'a pickle of garbage',
    zipFile([['m/data.pkl', latin1('\x80\x02\xff')]]),
    'malformed',
    /x\.pt: data\.pkl .* at byte \d+/,
  ],
  [
    'one name for two tensors',
    torchFile(
      {
        dict: [
          [1, w],
          ['1', w],
        ],
      },
      data,
    ),
    'malformed',
    /two tensors called "1"/,
  ],
  [
    'tensors 100 levels deep',
    torchFile(
      Array.from({ length: 100 }).reduce((inner: Pickled) => dict({ a: inner }), w),
      data,
    ),
    'too-deep',
    /deeper than 64/,
  ],
  [
    'a dict that holds itself and a tensor',
    torchFile(
      {
        raw: concat(latin1('}q\x01X\x04\0\0\0selfh\x01sX\x01\0\0\0w'), pickleOf(w).slice(2, -1), latin1('s')),
      },
      data,
    ),
    'too-deep',
    /deeper than 64/,
  ],
  [
    'a billion tensors by repetition',
    torchFile(
      {
        raw: concat(
          latin1(']'),
          pickleOf(w).slice(2, -1),
          latin1('aq\x00'),
          ...Array.from({ length: 20 }, (_, i) =>
            latin1(`](${`h${String.fromCharCode(i)}`.repeat(10)}eq${String.fromCharCode(i + 1)}`),
          ),
        ),
      },
      data,
    ),
    'too-large',
    /beyond measure/,
  ],
  [
    'names that are long and nested',
    torchFile(
      Array.from({ length: 60 }).reduce((inner: Pickled) => dict({ ['n'.repeat(100_000)]: inner }), w),
      data,
    ),
    'too-large',
    /beyond measure/,
  ],
];
for (const [what, bytes, code, sentence] of archives) {
  test(`refused: ${what}`, () => {
    assert.throws(
      () => readCheckpoint(fileOf(bytes, 'x.pt')),
      (error: unknown) => {
        assert.ok(error instanceof ModelError, String(error));
        assert.equal(error.code, code, error.message);
        assert.match(error.message, sentence);
        assert.match(error.message, /^x\.pt.*\.$/s);
        return true;
      },
    );
  });
}

test('nesting without tensors costs nothing, however deep', () => {
  const deep = { raw: concat(latin1(']'.repeat(100_000)), latin1('a'.repeat(99_999))) };
  assert.equal(read(dict({ deep, state_dict: dict({ w }) })).tensors.length, 1);
});

test('100,000 models beside the model are passed by', () => {
  // memo 0: a dict with a tensor; then it again under ever new names
  const again = Array.from({ length: 100_000 }, (_, i) =>
    concat([0x8c, 6], latin1(String(100_000 + i)), latin1('h\x00s')),
  );
  const raw = concat(
    latin1('}X\x0a\0\0\0state_dict'),
    pickleOf(dict({ w })).slice(2, -1),
    latin1('q\x00s'),
    ...again,
  );
  const { tensors, skipped } = read({ raw });
  assert.equal(tensors.length, 1);
  assert.equal(skipped.length, 100_000);
});

test('a directory beyond 16 MB is refused before it is read', () => {
  const end = concat(latin1('PK\x05\x06'), new Uint8Array(8), little(2 ** 25, 4), little(0, 4), [0, 0]);
  const source = sparseSource('x.pt', 2 ** 25 + 22, [
    [0, concat(latin1('PK\x03\x04'), new Uint8Array(508))],
    [2 ** 25 - 20, concat(new Uint8Array(20), end)],
  ]);
  assert.throws(() => readCheckpoint(source), { code: 'too-large' });
});
