import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ModelError } from '../../src/core/onnx/modelError';
import {
  NO_PREPROCESSING,
  type PreprocessingOptions,
  parsePreprocessing,
  printPreprocessing,
} from '../../src/worker/calibration/preprocessing';
import { selectSamples } from '../../src/worker/calibration/selectSamples';

describe('preprocessing options', () => {
  it('are nothing by default', () => {
    assert.deepEqual(parsePreprocessing({}), NO_PREPROCESSING);
    assert.deepEqual(printPreprocessing(NO_PREPROCESSING), []);
  });

  const cases: readonly [PreprocessingOptions, readonly string[]][] = [
    [
      { mean: '0.485, 0.456,0.406', std: '0.229,0.224,0.225' },
      ['--mean', '0.485,0.456,0.406', '--std', '0.229,0.224,0.225'],
    ],
    [{ mean: '-1,2' }, ['--mean=-1,2']],
    [
      { mean: '0.5', std: '1,2,3', normalize: 'image' },
      ['--mean', '0.5', '--std', '1,2,3', '--normalize', 'image'],
    ],
    [{ scale: '1 / 255', mean: '0.5' }, ['--scale', '1/255', '--mean', '0.5']],
    [{ scale: '0.3' }, ['--scale', '0.3']],
    [
      { fit: 'Stretch', channels: 'BGR', layout: 'nhwc' },
      ['--fit', 'stretch', '--channels', 'bgr', '--layout', 'nhwc'],
    ],
  ];
  for (const [options, printed] of cases) {
    it(`are printed as what is parsed back: ${printed.join(' ')}`, () => {
      const parsed = parsePreprocessing(options);
      assert.deepEqual(printPreprocessing(parsed), printed);
      const back: Record<string, string> = {};
      const words = printed.flatMap((word) => (word.startsWith('--') ? word.split('=') : [word]));
      for (let i = 0; i < words.length; i += 2) back[words[i]!.slice(2)] = words[i + 1]!;
      assert.deepEqual(parsePreprocessing(back), parsed);
    });
  }

  const refused: readonly [PreprocessingOptions, RegExp][] = [
    [{ mean: '0.5,' }, /--mean takes numbers with commas between them, not "0\.5,"/],
    [{ mean: 'x' }, /--mean/],
    [{ mean: '' }, /--mean/],
    [{ std: 'Infinity' }, /--std/],
    [{ std: '1,0' }, /--std takes positive numbers/],
    [{ scale: '0' }, /--scale takes a number above 0, or a fraction like 1\/255, not "0"/],
    [{ scale: '1/0' }, /--scale/],
    [{ scale: '1,2' }, /--scale/],
    [{ mean: '1,2', std: '1,2,3' }, /--mean has 2 numbers, but --std 3/],
    [{ fit: 'pad' }, /--fit takes crop or stretch, not "pad"/],
    [{ channels: 'grb' }, /--channels/],
    [{ layout: 'chw' }, /--layout/],
  ];
  for (const [options, sentence] of refused) {
    it(`are refused: ${JSON.stringify(options)}`, () => {
      assert.throws(
        () => parsePreprocessing(options),
        (error) => error instanceof ModelError && error.code === 'bad-data' && sentence.test(error.message),
      );
    });
  }
});

describe('the choice of samples', () => {
  it('is a set of the wanted size in rising order, the same for the same seed', () => {
    for (const [count, limit] of [
      [10, 4],
      [1000, 100],
      [5, 5],
      [3, 10],
      [1, 1],
    ] as const) {
      const { fit, heldBack } = selectSamples(count, limit, 7, 4);
      assert.deepEqual(selectSamples(count, limit, 7, 4), { fit, heldBack });
      for (const list of [fit, heldBack]) {
        assert.deepEqual(
          list,
          [...list].sort((a, b) => a - b),
        );
      }
      const all = new Set([...fit, ...heldBack]);
      assert.equal(all.size, Math.min(count, limit));
      assert.equal(fit.length + heldBack.length, all.size);
      assert.ok([...all].every((index) => Number.isInteger(index) && index >= 0 && index < count));
    }
    assert.notDeepEqual(selectSamples(1000, 100, 7, 4), selectSamples(1000, 100, 8, 4));
  });

  it('takes no longer for many samples than for few', () => {
    const { fit } = selectSamples(2 ** 40, 1000, 1, 0);
    assert.equal(new Set(fit).size, 1000);
    // The middle one of a thousand, five standard deviations either way.
    assert.ok(Math.abs(fit[500]! / 2 ** 40 - 0.5) < 0.08);
  });

  it('takes every sample as often as any other', () => {
    const times = new Array<number>(10).fill(0);
    for (let seed = 0; seed < 4000; seed++) {
      for (const index of selectSamples(10, 3, seed, 0).fit) times[index]!++;
    }
    // Binomial with p = 0.3: five standard deviations are 145.
    for (const n of times) assert.ok(Math.abs(n - 1200) < 145, String(times));
  });

  it('holds one of every group back, and of data in turns not always the same', () => {
    const { fit, heldBack } = selectSamples(1024, 1024, 1, 4);
    assert.equal(heldBack.length, 256);
    assert.equal(fit.length, 768);
    for (const [group, index] of heldBack.entries()) assert.equal(Math.floor(index / 4), group);
    assert.deepEqual([...new Set(heldBack.map((index) => index % 4))].sort(), [0, 1, 2, 3]);
  });

  it('holds back what it can of few samples', () => {
    const held = (count: number, every: number) => selectSamples(count, 100, 1, every).heldBack.length;
    assert.deepEqual(
      [1, 2, 3, 4, 5, 6, 8, 9].map((count) => held(count, 4)),
      [0, 1, 1, 1, 1, 2, 2, 2],
    );
    assert.equal(held(100, 0), 0);
    assert.equal(held(100, 10), 10);
  });
});
