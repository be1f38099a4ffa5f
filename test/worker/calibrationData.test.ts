import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import { onnx } from 'onnx-proto';
import { memorySource } from '../../src/core/onnx/byteSource';
import { ModelError } from '../../src/core/onnx/modelError';
import { readModel } from '../../src/core/onnx/read';
import { seededUniform } from '../../src/core/tensor/seeded';
import type { Batch } from '../../src/worker/calibration/batches';
import { type CalibrationOptions, openCalibration } from '../../src/worker/calibration/calibrationData';
import { printDescription } from '../../src/worker/calibration/description';
import { NO_PREPROCESSING, parsePreprocessing } from '../../src/worker/calibration/preprocessing';
import { openModel } from '../../src/worker/openModel';
import { npyFile, npzFile } from '../support/npyFile';
import { buildModel, floatTensor, type ModelSpec } from '../support/onnxModel';
import { pngFile } from '../support/pngFile';
import { SAMPLE, scratchFolder, writeInto } from '../support/scratch';

const dir = scratchFolder();
const FLOAT = 1;
const UINT8 = 2;
const INT64 = 7;

type Shapes = NonNullable<ModelSpec['inputs']>;

/** A model with these inputs, and something that reads them. */
function model(inputs: Shapes, types: Record<string, number> = {}, op = 'Conv') {
  return buildModel({
    nodes: Object.keys(inputs).map((name) => ({ op, inputs: [name], outputs: [`${name}_out`] })),
    inputs,
    inputTypes: types,
    outputs: {},
  });
}

let files = 0;
const file = (name: string, bytes: Uint8Array) => writeInto(dir, `${files++}-${name}`, bytes);
const range = (count: number, scale = 1) => Array.from({ length: count }, (_, i) => i * scale);

async function open<T>(
  inputs: Shapes,
  options: CalibrationOptions,
  use: (data: Awaited<ReturnType<typeof openCalibration>>) => T,
  {
    types = {},
    given = {},
    op = 'Conv',
  }: { types?: Record<string, number>; given?: Record<string, number>; op?: string } = {},
): Promise<Awaited<T>> {
  const data = await openCalibration(model(inputs, types, op), new Map(Object.entries(given)), options);
  try {
    return await use(data);
  } finally {
    data.close();
  }
}

const everything = { holdEvery: 0, limit: 1e6 };

/** All samples in batches of a size: rows of the first input's values, and what was padded. */
function runs(
  batches: Iterable<Batch>,
): { dims: readonly number[]; data: number[]; type: string; padding: number }[][] {
  return [...batches].map(({ tensors, padding }) =>
    [...tensors.values()].map(({ dims, data, type }) => ({
      dims,
      data: Array.from(data as ArrayLike<number | bigint>, Number),
      type,
      padding,
    })),
  );
}

const allRuns = (inputs: Shapes, options: CalibrationOptions, size: number, more = {}) =>
  open(inputs, { ...everything, ...options }, (data) => runs(data.batches(data.fit, size)), more);

function refused(sentence: RegExp, code = 'bad-data'): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof ModelError, String(error));
    assert.equal(error.code, code, error.message);
    assert.match(error.message, sentence);
    return true;
  };
}

const close = (a: readonly number[], b: readonly number[], tolerance = 1e-6) => {
  assert.equal(a.length, b.length);
  for (const [i, value] of a.entries())
    assert.ok(Math.abs(value - b[i]!) <= tolerance, `${i}: ${value} ${b[i]}`);
};

describe('one .npy file', () => {
  it('of bytes is scaled by 1/255 for floats, and split into batches', async () => {
    const values = range(5 * 6);
    const found = await allRuns(
      { x: ['N', 1, 2, 3] },
      { path: file('x.npy', npyFile('|u1', [5, 1, 2, 3], values)) },
      2,
    );
    assert.deepEqual(
      found.map(([x]) => [x!.dims, x!.type, x!.padding]),
      [
        [[2, 1, 2, 3], 'float32', 0],
        [[2, 1, 2, 3], 'float32', 0],
        [[1, 1, 2, 3], 'float32', 0],
      ],
    );
    close(
      found.flatMap(([x]) => x!.data),
      values.map((v) => v / 255),
    );
  });

  it('of floats is taken as it is', async () => {
    const values = range(12, 0.25);
    const path = file('x.npy', npyFile('<f4', [3, 4], values, { fortran: true }));
    const found = await allRuns({ x: ['N', 4] }, { path }, 100);
    assert.deepEqual(
      found.map(([x]) => x!.data),
      [values],
    );
  });

  it('of bytes for an input of bytes is taken as it is, mean or not', async () => {
    const path = file('x.npy', npyFile('|u1', [2, 3], range(6)));
    const found = await allRuns({ x: ['N', 3] }, { path }, 2, { types: { x: UINT8 } });
    assert.deepEqual(found, [[{ dims: [2, 3], data: range(6), type: 'uint8', padding: 0 }]]);
    const preprocessing = parsePreprocessing({ mean: '1' });
    await assert.rejects(
      allRuns({ x: ['N', 3] }, { path, preprocessing }, 2, { types: { x: UINT8 } }),
      refused(/no input of floating-point numbers/),
    );
  });

  it('gets mean and standard deviation after the scaling, by channel or by one number', async () => {
    const values = range(2 * 3 * 2 * 2, 10);
    const path = file('x.npy', npyFile('|u1', [2, 3, 2, 2], values));
    const mean = [0.1, 0.2, 0.3];
    const std = [2, 4, 0.5];
    const by = (preprocessing: ReturnType<typeof parsePreprocessing>) =>
      allRuns({ x: ['N', 3, 2, 2] }, { path, preprocessing }, 2);
    const [[all]] = (await by({ ...NO_PREPROCESSING, mean, std })) as unknown as [[{ data: number[] }]];
    close(
      all.data,
      values.map((v, i) => (v / 255 - mean[(i >> 2) % 3]!) / std[(i >> 2) % 3]!),
    );
    const [[one]] = (await by(parsePreprocessing({ mean: '0.5', std: '0.25' }))) as unknown as [
      [{ data: number[] }],
    ];
    close(
      one.data,
      values.map((v) => (v / 255 - 0.5) / 0.25),
    );
    await assert.rejects(
      by(parsePreprocessing({ mean: '1,2' })),
      refused(/"x" \(N × 3 × 2 × 2\) has no 2 channels/),
    );
  });

  it('of channels last gets them last', async () => {
    const values = range(2 * 2 * 2 * 3);
    const path = file('x.npy', npyFile('<f8', [2, 2, 2, 3], values));
    const preprocessing = parsePreprocessing({ mean: '1,2,3' });
    const [[x]] = (await allRuns({ x: [2, 2, 2, 3] }, { path, preprocessing }, 1)) as unknown as [
      [{ data: number[] }],
    ];
    close(
      x.data,
      values.map((v, i) => v - ((i % 3) + 1)),
    );
  });

  it('is padded to the size that a model takes, with the last sample', async () => {
    const path = file('x.npy', npyFile('<f4', [5, 2], range(10)));
    const found = await allRuns({ x: [3, 2] }, { path }, 100);
    assert.deepEqual(found, [
      [{ dims: [3, 2], data: [0, 1, 2, 3, 4, 5], type: 'float32', padding: 0 }],
      [{ dims: [3, 2], data: [6, 7, 8, 9, 8, 9], type: 'float32', padding: 1 }],
    ]);
    assert.equal(await open({ x: [3, 2] }, { path }, (data) => data.fixedRows), 3);
  });

  it('is split along the axis of the samples, wherever it is', async () => {
    // The first input says what the samples are called; time comes first in the second.
    const bytes = npzFile({
      x: npyFile('<f4', [5, 1], range(5)),
      h: npyFile('<f4', [2, 5, 3], range(30)),
    });
    const inputs = { x: ['B', 1], h: [2, 'B', 3] } as const;
    const found = await allRuns(inputs, { path: file('a.npz', bytes) }, 2);
    assert.deepEqual(found[1]![1], {
      dims: [2, 2, 3],
      data: [6, 7, 8, 9, 10, 11, 21, 22, 23, 24, 25, 26],
      type: 'float32',
      padding: 0,
    });
    assert.deepEqual(found[2]![1]!.data, [12, 13, 14, 27, 28, 29]);
  });

  it('may lack axes of size 1, be flat, stacked, or a single sample', async () => {
    const fits: readonly [Shapes[string], readonly number[], readonly number[]][] = [
      [
        ['N', 1, 2, 3],
        [4, 2, 3],
        [4, 1, 2, 3],
      ],
      [
        ['N', 'a', 1, 'b'],
        [4, 2, 3],
        [4, 2, 1, 3],
      ],
      [
        ['N', 6],
        [4, 2, 3],
        [4, 6],
      ],
      [
        ['N', 2, 3],
        [2, 3],
        [1, 2, 3],
      ],
      [
        ['N', 1, 2, 3],
        [1, 2, 3],
        [1, 1, 2, 3],
      ],
      [null as unknown as Shapes[string], [4, 2], [4, 2]],
    ];
    for (const [declared, shape, dims] of fits) {
      const values = range(shape.reduce((a, b) => a * b, 1));
      const path = file('x.npy', npyFile('<f4', shape, values));
      const inputs = { x: declared };
      const spec = declared === null ? openShape() : model(inputs);
      const data = await openCalibration(spec, new Map(), { ...everything, path });
      const [[x]] = runs(data.batches(data.fit, 100)) as unknown as [[{ dims: number[]; data: number[] }]];
      assert.deepEqual([x.dims, x.data], [dims, values]);
      data.close();
    }
    const stacked = file('s.npy', npyFile('<f4', [3, 2, 2], range(12)));
    const found = await allRuns({ x: [2, 2] }, { path: stacked }, 100);
    assert.deepEqual(
      found.map(([x]) => [x!.dims, x!.data]),
      [
        [
          [2, 2],
          [0, 1, 2, 3],
        ],
        [
          [2, 2],
          [4, 5, 6, 7],
        ],
        [
          [2, 2],
          [8, 9, 10, 11],
        ],
      ],
    );
  });

  it('that does not fit is refused with both shapes, and a hint', async () => {
    const reject = (declared: Shapes[string], shape: readonly number[], sentence: RegExp, given = {}) => {
      const path = file(
        'x.npy',
        npyFile(
          '|u1',
          shape,
          range(
            shape.reduce((a, b) => a * b, 1),
            0,
          ),
        ),
      );
      return assert.rejects(
        open({ x: declared }, { path }, () => {}, { given }),
        refused(sentence),
      );
    };
    await reject(
      ['N', 3, 4, 4],
      [2, 4, 4, 3],
      /2 × 4 × 4 × 3 numbers.*takes N × 3 × 4 × 4; its channels stand last.*\(2 × 3 × 4 × 4\)/,
    );
    await reject(['N', 4, 4, 3], [2, 3, 4, 4], /its channels stand first.*\(2 × 4 × 4 × 3\)/);
    await reject(['N', 5], [2, 4], /2 × 4 numbers, but the input "x" takes N × 5/);
    await reject(['N', 'len'], [2, 4], /"len" is 4 in it, but was given as 8/, { len: 8 });
    await reject(['N', 3], [0, 3], /holds no sample/);
    await reject(['N', 'a', 3], [7, 0, 3], /samples \(0 × 3\) hold no numbers/);
  });
});

/** A model whose input does not even say how many axes it has. */
function openShape() {
  const bytes = onnx.ModelProto.encode({
    irVersion: 8,
    opsetImport: [{ domain: '', version: 17 }],
    graph: { name: 'g', input: [{ name: 'x', type: { tensorType: { elemType: 1 } } }] },
  }).finish();
  return readModel(memorySource('open.onnx', bytes));
}

describe('several inputs', () => {
  const inputs = { ids: ['B', 'len'], mask: ['B', 'len'] } as const;
  const types = { ids: INT64, mask: FLOAT };
  const ids = npyFile('<i4', [4, 3], range(12));
  const mask = npyFile('<f4', [4, 3], range(12, 0));
  const more = { types };

  it('are matched by name, and bind the open sizes', async () => {
    const path = file('a.npz', npzFile({ mask, ids }, { compressed: true }));
    await open(
      inputs,
      { ...everything, path },
      (data) => {
        assert.deepEqual(data.sizes, { len: 3 });
        const found = runs(data.batches(data.fit, 3));
        assert.deepEqual(
          found.map(([a, b]) => [a!.dims, a!.type, b!.dims, b!.type]),
          [
            [[3, 3], 'int64', [3, 3], 'float32'],
            [[1, 3], 'int64', [1, 3], 'float32'],
          ],
        );
        assert.deepEqual(
          found.flatMap(([a]) => a!.data),
          range(12),
        );
      },
      more,
    );
  });

  it('are matched by position where they are numbered', async () => {
    const path = file('a.npz', npzFile({ arr_1: mask, arr_0: ids }));
    const found = await allRuns(inputs, { path }, 10, more);
    assert.deepEqual(
      found[0]!.map((t) => t.type),
      ['int64', 'float32'],
    );
  });

  it('that are missing are made up, and named', async () => {
    const path = file('ids.npy', ids);
    await open(
      inputs,
      { ...everything, path },
      async (data) => {
        const { warnings } = await data.describe();
        assert.match(warnings[0]!, /no data for the input "mask": random numbers/);
        const [first, again] = [runs(data.batches(data.fit, 4)), runs(data.batches(data.fit, 1))];
        assert.deepEqual(
          again.flatMap((run) => run[1]!.data),
          first[0]![1]!.data,
        );
        assert.deepEqual(first[0]![1]!.dims, [4, 3]);
      },
      more,
    );
  });

  const conflicts: readonly [string, Record<string, Uint8Array>, RegExp][] = [
    ['names', { ids, maske: mask }, /it holds "maske", but the model's inputs without data are "mask"/],
    [
      'numbers of samples',
      { ids, mask: npyFile('<f4', [3, 3], range(9)) },
      /mask .*3 samples, but .*ids has 4/,
    ],
    ['open sizes', { ids, mask: npyFile('<f4', [4, 5], range(20)) }, /"len" is 5 in it, but 3 in .*ids/],
  ];
  for (const [what, arrays, sentence] of conflicts) {
    it(`with conflicting ${what} are refused`, async () => {
      const path = file('c.npz', npzFile(arrays));
      await assert.rejects(
        open(inputs, { path }, () => {}, more),
        refused(sentence),
      );
    });
  }

  it('of whole numbers refuse fractions and what they cannot hold', async () => {
    const fraction = file('x.npy', npyFile('<f4', [2, 1], [1, 0.5]));
    await assert.rejects(
      allRuns({ x: ['N', 1] }, { path: fraction }, 2, { types: { x: INT64 } }),
      refused(/holds 0\.5, but the input "x" takes int64/),
    );
    const large = file('x.npy', npyFile('<i2', [2, 1], [1, 300]));
    await assert.rejects(
      allRuns({ x: ['N', 1] }, { path: large }, 2, { types: { x: UINT8 } }),
      refused(/holds 300/),
    );
  });

  it('without an axis of samples get their one value in every run', async () => {
    const path = file(
      'a.npz',
      npzFile({ x: npyFile('<f4', [3, 2], range(6)), rate: npyFile('<i8', [], [16000]) }),
    );
    const found = await allRuns({ x: ['N', 2], rate: [] }, { path }, 2, { types: { rate: INT64 } });
    assert.deepEqual(
      found.map(([, rate]) => [rate!.dims, rate!.data]),
      [
        [[], [16000]],
        [[], [16000]],
      ],
    );
  });

  it('with a value for each sample that has no axis of samples are run one by one', async () => {
    const path = file(
      'a.npz',
      npzFile({ x: npyFile('<f4', [3, 2], range(6)), scale: npyFile('<f4', [3], [7, 8, 9]) }),
    );
    const found = await allRuns({ x: ['N', 2], scale: [1] }, { path }, 2);
    assert.deepEqual(
      found.map(([x, scale]) => [x!.dims, scale!.dims, scale!.data]),
      [
        [[1, 2], [1], [7]],
        [[1, 2], [1], [8]],
        [[1, 2], [1], [9]],
      ],
    );
  });

  it('may have one sample that serves all, which is said', async () => {
    const path = file(
      'a.npz',
      npzFile({ x: npyFile('<f4', [3, 2], range(6)), y: npyFile('<f4', [1, 2], [7, 8]) }),
    );
    await open({ x: ['N', 2], y: ['N', 2] }, { ...everything, path }, async (data) => {
      const [[, y]] = runs(data.batches(data.fit, 8)) as [[unknown, { data: number[] }]];
      assert.deepEqual(y.data, [7, 8, 7, 8, 7, 8]);
      assert.match((await data.describe()).warnings[0]!, /, y has one sample, which serves all 3\.$/);
    });
  });

  it('are needed', async () => {
    const path = file('x.npy', npyFile('<f4', [1], [1]));
    for (const options of [{}, { path }]) {
      await assert.rejects(
        open({}, options, () => {}),
        refused(/takes no input/),
      );
    }
  });

  it('that take different numbers of samples at once are refused', async () => {
    const path = file(
      'a.npz',
      npzFile({ x: npyFile('<f4', [4, 2], range(8)), y: npyFile('<f4', [4, 2], range(8)) }),
    );
    await assert.rejects(
      open({ x: [2, 2], y: [4, 2] }, { path }, () => {}),
      refused(/"x" takes 2 samples at once, but "y" takes 4/),
    );
  });
});

describe('ONNX test data as samples', () => {
  const write = (folder: string, sets: readonly (readonly onnx.ITensorProto[])[]) => {
    for (const [s, tensors] of sets.entries()) {
      const set = path.join(dir, folder, `test_data_set_${s}`);
      mkdirSync(set, { recursive: true });
      for (const [i, tensor] of tensors.entries()) {
        writeFileSync(path.join(set, `input_${i}.pb`), onnx.TensorProto.encode(tensor).finish());
      }
    }
    return path.join(dir, folder);
  };

  it('follow one another, set by set', async () => {
    const sets = [
      [floatTensor('x', [2, 2], [0, 1, 2, 3]), floatTensor('s', [1], [10])],
      [floatTensor('x', [1, 2], [4, 5]), floatTensor('s', [1], [20])],
    ];
    const found = await allRuns({ x: ['N', 2], s: [1] }, { path: write('two', sets) }, 8);
    // The second input has another value in each set, so that samples can't be run together.
    assert.deepEqual(
      found.map(([x, s]) => [x!.data, s!.data]),
      [
        [[0, 1], [10]],
        [[2, 3], [10]],
        [[4, 5], [20]],
      ],
    );
    const only = sets.map(([x]) => [x!]);
    const together = await allRuns({ x: ['N', 2] }, { path: write('only', only) }, 8);
    assert.deepEqual(
      together.map(([x]) => [x!.dims, x!.data]),
      [
        [
          [3, 2],
          [0, 1, 2, 3, 4, 5],
        ],
      ],
    );
  });

  it('whose sets disagree are refused', async () => {
    const sets = [[floatTensor('x', [1, 2], [0, 1])], [floatTensor('x', [1, 3], [4, 5, 6])]];
    await assert.rejects(
      open({ x: ['N', 'len'] }, { path: write('odd', sets) }, () => {}),
      refused(/"len" is 3 in it, but 2 in .*test_data_set_0/),
    );
  });
});

describe('pictures as data', () => {
  const folder = path.join(dir, 'pictures');
  mkdirSync(path.join(folder, 'cat'), { recursive: true });
  const uniform = seededUniform(4);
  const save = (name: string, width: number, height: number) => {
    const values = Array.from({ length: width * height * 3 }, () => Math.floor(uniform() * 256));
    writeInto(folder, name, pngFile({ width, height, colorType: 2, values }));
    return values;
  };
  const a = save('cat/a.png', 2, 2);
  save('b.png', 6, 4);
  writeInto(folder, 'labels.txt', 'x');

  it('are brought to the size of the input', async () => {
    const found = await allRuns({ x: ['N', 3, 2, 2] }, { path: folder }, 8);
    assert.deepEqual(
      found.map(([x]) => x!.dims),
      [[2, 3, 2, 2]],
    );
    const first = found[0]![0]!.data.slice(12);
    close(
      first,
      [0, 1, 2].flatMap((c) => range(4).map((p) => a[3 * p + c]! / 255)),
    );
  });

  it('go to the input that takes some; the others are made up', async () => {
    await open(
      { size: ['N', 2], x: ['N', 5, 5, 1] },
      { ...everything, path: folder, preprocessing: parsePreprocessing({ mean: '0.5' }) },
      async (data) => {
        const [[size, x]] = runs(data.batches(data.fit, 8)) as unknown as [
          [{ dims: number[] }, { dims: number[]; data: number[] }],
        ];
        assert.deepEqual(
          [size.dims, x.dims],
          [
            [2, 2],
            [2, 5, 5, 1],
          ],
        );
        assert.ok(x.data.every((v) => Math.abs(v) <= 0.5 + 1e-6) && x.data.some((v) => v < 0));
        const { warnings } = await data.describe();
        assert.match(warnings.join(' '), /input "size".*labels\.txt/);
      },
    );
  });

  it('give an open size, unless it is given', async () => {
    const inputs = { x: ['N', 3, 'h', 'w'] } as const;
    await open(inputs, { ...everything, path: folder }, async (data) => {
      assert.deepEqual(data.sizes, { w: 6, h: 4 });
      assert.match((await data.describe()).warnings.join(' '), /all are brought to that of .*b\.png, 6 × 4/);
    });
    const given = { h: 5, w: 3 };
    const found = await allRuns(inputs, { path: folder }, 8, { given });
    assert.deepEqual(found[0]![0]!.dims, [2, 3, 5, 3]);
  });

  it('are refused where no input takes them, and one by one when they are damaged', async () => {
    await assert.rejects(
      open({ x: ['N', 12] }, { path: folder }, () => {}),
      refused(/take none: "x" \(N × 12\)/),
    );
    const broken = path.join(dir, 'broken');
    mkdirSync(broken);
    writeInto(broken, 'a.png', pngFile({ width: 2, height: 2, colorType: 0, values: range(4) }));
    writeInto(broken, 'b.png', new Uint8Array(30));
    await open({ x: ['N', 1, 2, 2] }, { ...everything, path: broken }, (data) => {
      const batches = data.batches(data.fit, 1);
      assert.equal(batches.next().done, false);
      assert.throws(() => batches.next(), refused(/b\.png can't be used as input/));
    });
  });

  it('may be a single one', async () => {
    const found = await allRuns({ x: [1, 3, 2, 2] }, { path: path.join(folder, 'cat', 'a.png') }, 8);
    assert.equal(found.length, 1);
  });
});

describe('no data', () => {
  it('is random numbers, said to be uncalibrated', async () => {
    await open({ x: ['N', 3, 'h', 8], n: [1] }, {}, async (data) => {
      assert.equal(data.count, 32);
      assert.deepEqual([data.fit.length, data.heldBack.length], [28, 4]);
      assert.deepEqual(data.assumed, { h: 224 });
      const description = await data.describe();
      assert.match(
        printDescription(description),
        /^random numbers, seed 1 \(random\): 32 samples, all used, 4 of them held back\n/,
      );
      assert.match(description.warnings[0]!, /uncalibrated/);
      const { min, max, mean } = description.inputs[0]!.range;
      assert.ok(min < -3.5 && max > 3.5 && Math.abs(mean) < 0.02);
    });
  });
  it('depends on the seed and the sample only', async () => {
    const sample = (seed: number, index: number, size: number) =>
      open({ x: ['N', 5] }, { seed, limit: 9, holdEvery: 0 }, (data) =>
        runs(data.batches(data.fit, size))
          .flatMap(([x]) => x!.data)
          .slice(5 * index, 5 * index + 5),
      );
    assert.deepEqual(await sample(1, 3, 2), await sample(1, 3, 9));
    assert.notDeepEqual(await sample(1, 3, 2), await sample(2, 3, 2));
    assert.notDeepEqual(await sample(1, 3, 2), await sample(1, 4, 2));
  });
  it('gives a whole number its given value', async () => {
    const found = await allRuns({ x: ['N', 2], sr: [1] }, { limit: 2 }, 2, {
      types: { sr: INT64 },
      given: { sr: 16000 },
    });
    assert.deepEqual(found[0]![1], { dims: [1], data: [16000], type: 'int64', padding: 0 });
  });
});

describe('the description', () => {
  const uniform = seededUniform(2);
  const warningsOf = async (
    values: ArrayLike<number>,
    type: string,
    {
      shape = [200, 3, 2, 2],
      options = {},
      op = 'Conv',
    }: { shape?: number[]; options?: Parameters<typeof parsePreprocessing>[0]; op?: string } = {},
  ) => {
    const path = file('w.npy', npyFile(type, shape, values));
    return open(
      { x: ['N', ...shape.slice(1)] },
      { path, preprocessing: parsePreprocessing(options) },
      async (data) => (await data.describe()).warnings,
      { op },
    );
  };
  const count = 200 * 12;
  const bytes = Array.from({ length: count }, () => Math.floor(uniform() * 256));
  const normal = bytes.map((b) => b / 64 - 2);
  const imagenet = { mean: '0.485,0.456,0.406', std: '0.229,0.224,0.225' };

  it('tells counts, shapes, types and ranges by channel', async () => {
    const values = range(count).map((i) => [10, 20, 30][(i >> 2) % 3]! + (i % 2));
    const path = file('d.npy', npyFile('|u1', [200, 3, 2, 2], values));
    await open(
      { x: ['N', 3, 2, 2] },
      { path, limit: 100, preprocessing: parsePreprocessing({ mean: '0,0,1' }) },
      async (data) => {
        const d = await data.describe();
        assert.deepEqual([d.kind, d.count, d.fit, d.heldBack], ['npy', 200, 87, 13]);
        const [x] = d.inputs;
        assert.deepEqual(
          [x!.name, x!.shape, x!.storedType, x!.type, x!.measured],
          ['x', [3, 2, 2], 'uint8', 'float', 64],
        );
        assert.equal(x!.channels.length, 3);
        close(
          [x!.channels[1]!.min, x!.channels[1]!.max, x!.channels[1]!.mean],
          [20 / 255, 21 / 255, 20.5 / 255],
        );
        close([x!.channels[2]!.min, x!.range.min, x!.range.max], [30 / 255 - 1, 30 / 255 - 1, 21 / 255]);
        assert.match(printDescription(d), /x: 3 × 2 × 2 float from uint8, -0\.8824 to 0\.08235/);
      },
    );
  });

  it('is quiet where nothing looks wrong', async () => {
    assert.deepEqual(await warningsOf(normal, '<f4'), []);
    assert.deepEqual(await warningsOf(bytes, '|u1', { options: imagenet }), []);
    assert.deepEqual(
      await warningsOf(bytes.slice(0, 200 * 4), '|u1', { shape: [200, 1, 2, 2], options: { mean: '0' } }),
      [],
    );
    assert.deepEqual(await warningsOf(bytes, '<f4', { options: { mean: '123.7', std: '58' } }), []);
    assert.deepEqual(await warningsOf(bytes, '|u1', { op: 'Sub' }), []);
  });

  it('warns of bytes that are stored as floats', async () => {
    assert.match((await warningsOf(bytes, '<f4'))[0]!, /from 0 to 255, as bytes of pixels have/);
    assert.match((await warningsOf(bytes, '<i2', { options: imagenet }))[0]!, /as bytes of pixels have/);
  });
  it('warns of a mean that is meant for bytes', async () => {
    assert.match(
      (await warningsOf(bytes, '|u1', { options: { mean: '123.7,116.3,103.5', std: '58,57,57' } }))[0]!,
      /divide both by 255/,
    );
  });
  it('warns of pixels that are not normalised', async () => {
    const grey = await warningsOf(bytes.slice(0, 200 * 4), '|u1', { shape: [200, 1, 2, 2] });
    assert.match(grey[0]!, /pixels from 0 to [01.]+\d* without a mean/);
    assert.match((await warningsOf(bytes, '|u1'))[0]!, /without a mean and a standard deviation/);
  });
  it('warns of constants, of NaN, and of samples that are all the same', async () => {
    assert.match((await warningsOf(new Array(count).fill(3), '<f4'))[0]!, /nothing but 3/);
    const strange = normal.map((v, i) => (i < 12 ? v : i % 7 === 0 ? Number.NaN : v));
    assert.match((await warningsOf(strange, '<f4'))[0]!, /NaN or infinite \(sample \d+\)/);
    assert.match(
      (
        await warningsOf(
          normal.map((_, i) => (i % 12) / 8),
          '<f4',
        )
      )[0]!,
      /are the same/,
    );
  });
  it('warns of few samples, and of none that is held back', async () => {
    const found = await warningsOf(normal.slice(0, 12), '<f4', { shape: [1, 3, 2, 2] });
    assert.match(found[0]!, /fitted to 1 sample;/);
    assert.match(found[1]!, /No sample is held back/);
  });
  it('listens to a signal', async () => {
    const path = file('s.npy', npyFile('<f4', [4, 1], range(4)));
    await open({ x: ['N', 1] }, { path }, async (data) => {
      await assert.rejects(data.describe(AbortSignal.abort()), { name: 'AbortError' });
      await assert.rejects(data.hash(AbortSignal.abort()), { name: 'AbortError' });
    });
  });
});

describe('the sample model', () => {
  it('gets the same from pictures, bytes, floats and test data', async () => {
    const open = openModel(SAMPLE);
    const uniform = seededUniform(9);
    const pixels = Array.from({ length: 3 * 784 }, () => Math.floor(uniform() * 256));
    const floats = pixels.map((value) => (value / 255 - 0.286) / 0.353);
    const folder = path.join(dir, 'forms');
    mkdirSync(path.join(folder, 'png'), { recursive: true });
    const set = path.join(folder, 'test_data_set_0');
    mkdirSync(set);
    for (const i of range(3)) {
      const values = pixels.slice(784 * i, 784 * (i + 1));
      writeInto(
        path.join(folder, 'png'),
        `${i}.png`,
        pngFile({ width: 28, height: 28, colorType: 0, values }),
      );
    }
    const shape = [3, 1, 28, 28];
    writeInto(set, 'input_0.pb', onnx.TensorProto.encode(floatTensor('', shape, floats)).finish());
    const forms: readonly [string, boolean][] = [
      [path.join(folder, 'png'), true],
      [writeInto(folder, 'bytes.npy', npyFile('|u1', [3, 28, 28], pixels)), true],
      [
        writeInto(
          folder,
          'floats.npz',
          npzFile({ any: npyFile('<f4', shape, floats) }, { compressed: true }),
        ),
        false,
      ],
      [folder, false],
    ];
    const preprocessing = parsePreprocessing({ mean: '0.286', std: '0.353' });
    for (const [form, scaled] of forms) {
      const options = { ...everything, path: form, ...(scaled ? { preprocessing } : {}) };
      const data = await openCalibration(open.model, new Map(), options);
      const [batch, ...more] = data.batches(data.fit, 8);
      const { dims, data: found } = [...batch!.tensors.values()][0]!;
      assert.deepEqual([more.length, dims], [0, shape], form);
      close(Array.from(found as Float32Array), floats, 1e-5);
      data.close();
    }
    open.close();
  });
});

describe('the hash', () => {
  const hashOf = (path: string, options: CalibrationOptions = {}, inputs: Shapes = { x: ['N', 3] }) =>
    open(inputs, { path, ...options }, (data) => data.hash());
  const bytes = npyFile('<f4', [8, 3], range(24));

  it('is that of content and settings, not of the place', async () => {
    const path = file('x.npy', bytes);
    const hash = await hashOf(path);
    assert.match(hash, /^[0-9a-f]{64}$/);
    const elsewhere = scratchFolder();
    assert.equal(await hashOf(writeInto(elsewhere, path.split(/[\\/]/).at(-1)!, bytes)), hash);
    const others = [
      await hashOf(writeInto(elsewhere, path.split(/[\\/]/).at(-1)!, npyFile('<f4', [8, 3], range(24, 2)))),
      await hashOf(path, { preprocessing: parsePreprocessing({ mean: '1' }) }),
      await hashOf(path, { limit: 4 }),
      await hashOf(path, { holdEvery: 2 }),
      await hashOf(path, { seed: 2 }),
    ];
    assert.equal(new Set([hash, ...others]).size, 6);
  });

  it('of pictures depends on those that are used', async () => {
    const folder = path.join(dir, 'hashed');
    mkdirSync(folder);
    for (const i of range(8))
      writeInto(folder, `${i}.png`, pngFile({ width: 1, height: 1, colorType: 0, values: [i] }));
    const inputs = { x: ['N', 1, 1, 1] } as const;
    const before = await hashOf(folder, { limit: 4 }, inputs);
    const used = await open(inputs, { path: folder, limit: 4 }, ({ fit, heldBack }) => [...fit, ...heldBack]);
    const unused = range(8).find((i) => !used.includes(i))!;
    writeInto(folder, `${unused}.png`, pngFile({ width: 1, height: 1, colorType: 0, values: [99] }));
    assert.equal(await hashOf(folder, { limit: 4 }, inputs), before);
    writeInto(folder, `${used[0]}.png`, pngFile({ width: 1, height: 1, colorType: 0, values: [99] }));
    assert.notEqual(await hashOf(folder, { limit: 4 }, inputs), before);
  });
});

describe('a path', () => {
  it('to nothing is refused', async () => {
    await assert.rejects(
      open({ x: ['N', 3] }, { path: path.join(dir, 'nowhere') }, () => {}),
      refused(/no such file or folder/, 'unreadable'),
    );
  });
  it('to what is no data is refused', async () => {
    await assert.rejects(
      open({ x: ['N', 3] }, { path: file('x.csv', new TextEncoder().encode('1,2,3\n4,5,6\n')) }, () => {}),
      refused(/x\.csv .*not in \.npy format/),
    );
  });
});
