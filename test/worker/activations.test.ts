import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import type { Layer } from '../../src/core/compress/layer';
import { collectActivations, enoughColumns } from '../../src/worker/activations/collect';
import { columnSampler } from '../../src/worker/activations/columnSampler';
import { openExposed } from '../../src/worker/activations/exposedSession';
import { calibrationBatches, samplesPerRun } from '../../src/worker/activations/inputBatches';
import { passes } from '../../src/worker/activations/passes';
import { shapedModel } from '../../src/worker/activations/shapedModel';
import { openCalibration } from '../../src/worker/calibration/calibrationData';
import { type OpenModel, openModel } from '../../src/worker/openModel';
import type { Runtime } from '../../src/worker/runtime';
import {
  countingRuntime,
  inputBatches,
  type Kept,
  keepingSink,
  layersIn,
  productError,
  RUNTIMES,
} from '../support/collected';
import { type Inputs, rewritten } from '../support/fullRank';
import { encodeGraph, encodeModel, floatTensor, type ModelSpec, seededArray } from '../support/onnxModel';
import { SAMPLE, scratchFolder, writeInto } from '../support/scratch';

const folder = scratchFolder();
let files = 0;
const native = RUNTIMES[0]![1];

function withModel<T>(spec: ModelSpec | Uint8Array, action: (open: OpenModel) => Promise<T>): Promise<T> {
  const bytes = spec instanceof Uint8Array ? spec : encodeModel(spec);
  const open = openModel(writeInto(folder, `m${files++}.onnx`, bytes));
  return action(open).finally(() => open.close());
}

/** Random floats for an input called x, one batch for each of the sizes. */
function batchesOf(...sizes: (readonly number[])[]) {
  return inputBatches(
    sizes.map((dims, i): Inputs => {
      const data = seededArray(
        dims.reduce((a, b) => a * b, 1),
        i + 1,
      );
      return new Map([['x', { type: 'float32', dims, data }]]);
    }),
  );
}

const IMAGE = [1, 28, 28] as const;

describe('activations of the sample', () => {
  const images = (count: number) => [count, ...IMAGE];

  for (const [name, runtime] of RUNTIMES) {
    it(`W · p + b is y in every layer, ${name}`, async (t) => {
      const open = openModel(SAMPLE);
      const layers = layersIn(open);
      const sink = keepingSink();
      const input = open.model.graph.inputs[0]!.name;
      const batches = inputBatches([1, 2].map((count) => renamed(input, images(count), count)));
      const limits = { columns: () => 150 };
      const { outcomes } = await collectActivations(runtime, {
        original: open,
        layers,
        batches,
        sink,
        limits,
      });
      let worst = 0;
      for (const layer of layers) {
        assert.equal(outcomes.get(layer)?.kind, 'collected', layer.name);
        const error = productError(open, layer, sink.kept.get(layer)!);
        assert.ok(error < 1e-4, `${layer.name} is off by ${error}`);
        worst = Math.max(worst, error);
      }
      assert.deepEqual(sink.finished, layers);
      t.diagnostic(`${layers.length} layers, off by ${worst.toExponential(1)} at most`);
      open.close();
    });
  }

  it('both runtimes give the same columns', async () => {
    const open = openModel(SAMPLE);
    const layers = layersIn(open);
    const input = open.model.graph.inputs[0]!.name;
    const batches = inputBatches([renamed(input, images(2), 7)]);
    const results = [];
    for (const [, runtime] of RUNTIMES) {
      const sink = keepingSink();
      const limits = { columns: () => 100 };
      await collectActivations(runtime, { original: open, layers, batches, sink, limits });
      results.push(sink.kept);
    }
    for (const layer of layers) {
      const [one, other] = results.map((kept) => kept.get(layer)![0]!) as [Kept, Kept];
      assert.equal(one.p.length, other.p.length);
      for (const what of ['p', 'y'] as const) {
        const [a, b] = [one[what].flat(), other[what].flat()];
        const norm = Math.sqrt(a.reduce((sum, v) => sum + v * v, 0));
        const apart = Math.sqrt(a.reduce((sum, v, i) => sum + (v - b[i]!) ** 2, 0));
        assert.ok(apart <= 1e-5 * norm, `${layer.name}: ${what} is ${apart / norm} apart`);
      }
    }
    open.close();
  });
});

function renamed(input: string, dims: readonly number[], seed: number): Inputs {
  const data = seededArray(
    dims.reduce((a, b) => a * b, 1),
    seed,
  );
  return new Map([[input, { type: 'float32', dims, data }]]);
}

/** Three products with activations between them; the first two share their weight. */
const TIED: ModelSpec = {
  nodes: [
    { op: 'MatMul', name: 'one', inputs: ['x', 'w'], outputs: ['a'] },
    { op: 'Relu', inputs: ['a'], outputs: ['b'] },
    { op: 'MatMul', name: 'two', inputs: ['b', 'w'], outputs: ['c'] },
    { op: 'Tanh', inputs: ['c'], outputs: ['d'] },
    { op: 'Gemm', name: 'three', inputs: ['d', 'v', 'bias'], outputs: ['y'] },
  ],
  inputs: { x: ['n', 12] },
  outputs: { y: null },
  initializers: [
    floatTensor('w', [12, 12], seededArray(144, 3)),
    floatTensor('v', [12, 7], seededArray(84, 4)),
    floatTensor('bias', [7], seededArray(7, 5)),
  ],
};

describe('collecting', () => {
  it('layers with one weight are one, with the columns of all its uses', () =>
    withModel(TIED, async (open) => {
      const layers = layersIn(open).filter(({ form }) => form.kind !== 'none');
      assert.deepEqual(
        layers.map(({ name, twins }) => [name, twins.length]),
        [
          ['one', 1],
          ['three', 0],
        ],
      );
      const sink = keepingSink();
      const batches = batchesOf([3, 12], [5, 12]);
      const { outcomes } = await collectActivations(native, { original: open, layers, batches, sink });
      assert.deepEqual(
        [...outcomes.values()],
        [
          { kind: 'collected', columns: 16, available: 16 },
          { kind: 'collected', columns: 8, available: 8 },
        ],
      );
      for (const layer of layers) assert.ok(productError(open, layer, sink.kept.get(layer)!) < 1e-5);
    }));

  it('a bound on the columns holds for all uses together, and takes the same each time', () =>
    withModel(TIED, async (open) => {
      const layers = layersIn(open).filter(({ form }) => form.kind !== 'none');
      const collect = async () => {
        const sink = keepingSink();
        const batches = batchesOf([30, 12], [30, 12], [30, 12]);
        const limits = { columns: () => 40 };
        const request = { original: open, layers, batches, sink, limits };
        return { outcomes: (await collectActivations(native, request)).outcomes, kept: sink.kept };
      };
      const [first, second] = [await collect(), await collect()];
      assert.deepEqual(
        [...first.outcomes.values()],
        [
          { kind: 'collected', columns: 40, available: 180 },
          { kind: 'collected', columns: 40, available: 90 },
        ],
      );
      assert.deepEqual(first.kept, second.kept);
      for (const layer of layers) assert.ok(productError(open, layer, first.kept.get(layer)!) < 1e-5);
    }));

  it('blocks stay within their bytes and give the same columns as one large block', () =>
    withModel(TIED, async (open) => {
      const layers = layersIn(open).filter(({ name }) => name === 'three');
      const collect = async (blockBytes: number) => {
        const sink = keepingSink();
        const batches = batchesOf([50, 12]);
        await collectActivations(native, { original: open, layers, batches, sink, limits: { blockBytes } });
        return sink;
      };
      const [small, large] = [await collect(4 * (12 + 7) * 8), await collect(2 ** 24)];
      assert.deepEqual(small.blocks, [8, 8, 8, 8, 8, 8, 2]);
      assert.deepEqual(large.blocks, [50]);
      assert.deepEqual(small.kept, large.kept);
    }));

  it('layers are shared out over passes by what is given out and by what is kept', () =>
    withModel(TIED, async (open) => {
      const layers = layersIn(open).filter(({ form }) => form.kind !== 'none');
      const whole = keepingSink();
      const batches = batchesOf([4, 12], [4, 12]);
      await collectActivations(native, { original: open, layers, batches, sink: whole });
      for (const limits of [{ runBytes: 600 }, { keptBytes: 150 }]) {
        const runtime = countingRuntime(native);
        const sink = { ...keepingSink(), keptBytes: () => 100 };
        const request = { original: open, layers, batches, sink, limits };
        const result = await collectActivations(runtime, request);
        assert.deepEqual(result.passes, [[layers[0]], [layers[1]]]);
        assert.deepEqual([runtime.opened, runtime.runs, runtime.openNow()], [2, 4, 0]);
        assert.deepEqual(sink.kept, whole.kept);
      }
    }));

  it('y is that of the normalisation which is folded in, else of the node itself', () =>
    withModel(CONVS, async (open) => {
      const batches = batchesOf([2, 3, 6, 6]);
      const firsts = [];
      for (const foldNorms of [true, false]) {
        const layers = layersIn(open, foldNorms);
        const sink = keepingSink();
        await collectActivations(native, { original: open, layers, batches, sink });
        for (const layer of layers) assert.ok(productError(open, layer, sink.kept.get(layer)!) < 1e-5);
        firsts.push(sink.kept.get(layers[0]!)![0]!);
      }
      assert.deepEqual(firsts[0]!.p, firsts[1]!.p);
      assert.notDeepEqual(firsts[0]!.y, firsts[1]!.y);
    }));

  it('batches may differ in all sizes that the model leaves open', () =>
    withModel({ ...CONVS, inputs: { x: ['n', 3, 'h', 'w'] } }, async (open) => {
      const layers = layersIn(open);
      const sink = keepingSink();
      const batches = batchesOf([1, 3, 6, 6], [2, 3, 9, 7], [1, 3, 3, 3]);
      const { outcomes } = await collectActivations(native, { original: open, layers, batches, sink });
      assert.deepEqual(
        [...outcomes.values()].map((outcome) => outcome.kind === 'collected' && outcome.columns),
        [36 + 2 * 63 + 9, 4 + 2 * 12 + 1],
      );
      for (const layer of layers) assert.ok(productError(open, layer, sink.kept.get(layer)!) < 1e-5);
    }));

  it('progress rises to 1', () =>
    withModel(TIED, async (open) => {
      const seen: number[] = [];
      const request = {
        original: open,
        layers: layersIn(open),
        batches: batchesOf([4, 12], [4, 12]),
        sink: keepingSink(),
        limits: { keptBytes: 0 },
      };
      await collectActivations(native, request, { onProgress: (done) => seen.push(done) });
      assert.deepEqual(
        seen,
        [...seen].sort((a, b) => a - b),
      );
      assert.equal(seen.at(-1), 1);
      assert.ok(seen.length >= 6);
    }));

  it('without data every layer is refused', () =>
    withModel(TIED, async (open) => {
      const layers = layersIn(open);
      const request = { original: open, layers, batches: batchesOf(), sink: keepingSink() };
      const { outcomes } = await collectActivations(native, request);
      assert.deepEqual(
        [...outcomes.values()],
        layers.map(() => ({ kind: 'refused', reason: 'There is no calibration data.' })),
      );
    }));
});

describe('calibration data', () => {
  const collect = async (batch: string | number, size: number) =>
    withModel({ ...CONVS, inputs: { x: [batch, 3, 6, 6] } }, async (open) => {
      const data = await openCalibration(open.model, new Map(), { limit: 10, holdEvery: 0 });
      const batches = calibrationBatches(data, data.fit, size);
      let seen = 0;
      for await (const { samples } of batches) seen += samples.length > 0 ? 1 : 0;
      assert.equal(batches.count, seen);
      const layers = layersIn(open);
      const sink = keepingSink();
      const { outcomes } = await collectActivations(native, { original: open, layers, batches, sink });
      return { count: seen, outcomes: [...outcomes.values()], kept: [...sink.kept.values()] };
    });

  it('comes in batches, and rows that fill up the last run of a model of fixed size count for nothing', async () => {
    const [free, fixed] = [await collect('n', 3), await collect(4, 3)];
    assert.deepEqual([free.count, fixed.count], [4, 3]);
    assert.deepEqual(free.outcomes, [
      { kind: 'collected', columns: 360, available: 360 },
      { kind: 'collected', columns: 40, available: 40 },
    ]);
    assert.deepEqual(fixed.outcomes, free.outcomes);
    for (const [i, layer] of free.kept.entries()) assert.deepEqual(fixed.kept[i]![0]!.p, layer[0]!.p);
  });
});

describe('samples per run', () => {
  it('are fewer the more one takes, and one where that is not known', () => {
    assert.deepEqual([4.1e9, 5e7, 1e3, null].map(samplesPerRun), [1, 40, 64, 1]);
  });
});

describe('asymmetric', () => {
  it('p is what the compressed model computes, y what the original does', async () => {
    const before = encodeModel(CONVS);
    const after = compressedFirst(before);
    await withModel(before, (original) =>
      withModel(after, async (compressed) => {
        const layers = layersIn(original);
        const batches = batchesOf([2, 3, 6, 6], [1, 3, 6, 6]);
        const collect = async (request: object) => {
          const sink = keepingSink();
          await collectActivations(native, { original, layers, batches, sink, ...request });
          return sink.kept;
        };
        const both = await collect({ compressed });
        const own = await collect({});
        for (const layer of layers) {
          assert.deepEqual(
            both.get(layer)!.map(({ y }) => y),
            own.get(layer)!.map(({ y }) => y),
          );
        }
        const [first, second] = layers as [Layer, Layer];
        assert.deepEqual(
          both.get(first),
          own.get(first),
          'nothing is compressed in front of the first layer',
        );
        assert.notDeepEqual(both.get(second), own.get(second));
        // Of the second layer p is what it gets in the compressed model, where it is the last one left.
        const there = layersIn(compressed).at(-1)!;
        const alone = keepingSink();
        await collectActivations(native, { original: compressed, layers: [there], batches, sink: alone });
        assert.deepEqual(
          both.get(second)!.map(({ p }) => p),
          alone.kept.get(there)!.map(({ p }) => p),
        );
      }),
    );
  });

  it('what the compressed model lacks of a shortcut is added to y', async () => {
    const residual: ModelSpec = {
      ...CONVS,
      nodes: [
        ...CONVS.nodes.slice(0, 3),
        { op: 'Conv', name: 'two', inputs: ['c', 'w2'], outputs: ['d'], attributes: { pads: [1, 1, 1, 1] } },
        { op: 'Add', inputs: ['d', 'c'], outputs: ['y'] },
      ],
      initializers: [
        ...CONVS.initializers!.filter(({ name }) => name !== 'w2'),
        floatTensor('w2', [8, 8, 3, 3], seededArray(576, 4)),
      ],
    };
    const before = encodeModel(residual);
    await withModel(before, (original) =>
      withModel(compressedFirst(before), async (compressed) => {
        const layers = layersIn(original);
        const two = layers.find(({ name }) => name === 'two')!;
        const batches = batchesOf([2, 3, 6, 6]);
        const collect = async (request: object) => {
          const sink = keepingSink();
          await collectActivations(native, { original, layers, batches, sink, ...request });
          return sink.kept;
        };
        const shortcuts = new Map([[two, 'c']]);
        const plain = await collect({ compressed });
        const corrected = await collect({ compressed, shortcuts });
        const [own, lacking] = [await shortcutOf(original), await shortcutOf(compressed)];
        const { p, y } = corrected.get(two)![0]!;
        assert.deepEqual(p, plain.get(two)![0]!.p);
        for (const [column, values] of y.entries()) {
          const [image, position] = [Math.floor(column / 36), column % 36];
          for (const [channel, value] of values.entries()) {
            const at = (image * 8 + channel) * 36 + position;
            const expected = plain.get(two)![0]!.y[column]![channel]! + own[at]! - lacking[at]!;
            assert.ok(Math.abs(value - expected) < 1e-4, `${value} instead of ${expected}`);
          }
        }
        assert.ok(own.some((value, i) => Math.abs(value - lacking[i]!) > 0.1));
        const alone = await collect({ shortcuts });
        assert.deepEqual(alone, await collect({}), 'without a compressed model nothing is lacking');
      }),
    );
  });

  it('every layer is found in a model whose layers are factored', async () => {
    const before = readFileSync(SAMPLE);
    const isWanted = ({ parameters }: Layer) => parameters < 80_000;
    const { bytes, layers: factored } = rewritten(before, 0, { isWanted });
    assert.ok(factored > 2, `${factored} layers`);
    await withModel(before, (original) =>
      withModel(bytes, async (compressed) => {
        const layers = layersIn(original);
        const batches = inputBatches([renamed(original.model.graph.inputs[0]!.name, [2, ...IMAGE], 3)]);
        const sink = keepingSink();
        const limits = { columns: () => 60 };
        const request = { original, compressed, layers, batches, sink, limits };
        const { outcomes } = await collectActivations(native, request);
        for (const layer of layers) {
          assert.equal(outcomes.get(layer)?.kind, 'collected');
          // At full rank both models compute the same.
          const error = productError(original, layer, sink.kept.get(layer)!);
          assert.ok(error < 1e-3, `${layer.name} is off by ${error}`);
        }
      }),
    );
  });
});

/** Two convolutions, the first with a normalisation. */
const CONVS: ModelSpec = {
  nodes: [
    { op: 'Conv', name: 'one', inputs: ['x', 'w1'], outputs: ['a'], attributes: { pads: [1, 1, 1, 1] } },
    {
      op: 'BatchNormalization',
      inputs: ['a', 'gamma', 'beta', 'mean', 'var'],
      outputs: ['b'],
    },
    { op: 'Relu', inputs: ['b'], outputs: ['c'] },
    { op: 'Conv', name: 'two', inputs: ['c', 'w2', 'bias'], outputs: ['y'], attributes: { strides: [2, 2] } },
  ],
  inputs: { x: ['n', 3, 6, 6] },
  outputs: { y: null },
  initializers: [
    floatTensor('w1', [8, 3, 3, 3], seededArray(216, 3)),
    floatTensor('w2', [5, 8, 3, 3], seededArray(360, 4)),
    floatTensor('bias', [5], seededArray(5, 5)),
    floatTensor('gamma', [8], seededArray(8, 6)),
    floatTensor('beta', [8], seededArray(8, 7)),
    floatTensor('mean', [8], seededArray(8, 8)),
    floatTensor(
      'var',
      [8],
      seededArray(8, 9).map((v) => 1.5 + v),
    ),
  ],
};

/** The tensor c of a model on the first batch. */
async function shortcutOf(open: OpenModel): Promise<Float32Array> {
  const tensors: Inputs = new Map([
    ['x', { type: 'float32', dims: [2, 3, 6, 6], data: seededArray(216, 1) }],
  ]);
  const wanted = [{ name: 'c', what: 'values' }] as const;
  const session = await openExposed(native, shapedModel(open, tensors), wanted);
  const [value] = await session.run(tensors);
  await session.release();
  return value!.data as Float32Array;
}

/** The model with its first layer cut to rank 2, its normalisation folded in. */
function compressedFirst(before: Uint8Array): Uint8Array {
  return rewritten(before, 0, {
    isWanted: ({ name }) => name === 'one',
    ranksOf: ({ fullRanks }) => fullRanks.map(() => 2),
  }).bytes;
}

describe('cancelling', () => {
  const request = (open: OpenModel, sink = keepingSink()) => ({
    original: open,
    layers: layersIn(open),
    batches: batchesOf(...Array.from({ length: 50 }, () => [4, 12])),
    sink,
  });

  for (const when of ['opening', 'running', 'adding'] as const) {
    it(`while ${when} stops with the signal's reason and releases the sessions`, () =>
      withModel(TIED, async (open) => {
        const controller = new AbortController();
        const reason = new Error('enough');
        const counting = countingRuntime(native);
        const runtime: Runtime =
          when === 'opening'
            ? {
                ...counting,
                async open(...args) {
                  const session = await counting.open(...args);
                  controller.abort(reason);
                  return session;
                },
              }
            : counting;
        const sink = keepingSink();
        const abortingSink = {
          ...sink,
          add: (...args: Parameters<typeof sink.add>) => {
            sink.add(...args);
            if (when === 'adding') controller.abort(reason);
          },
        };
        const options = {
          signal: controller.signal,
          onProgress: () => when === 'running' && controller.abort(reason),
        };
        const collecting = collectActivations(runtime, { ...request(open), sink: abortingSink }, options);
        await assert.rejects(collecting, reason);
        assert.equal(counting.openNow(), 0);
        assert.ok(counting.runs <= 1, `${counting.runs} runs`);
      }));
  }

  it('a sink that fails ends it, with the sessions released', () =>
    withModel(TIED, async (open) => {
      const runtime = countingRuntime(native);
      const trouble = new Error('no room');
      const sink = { add: () => Promise.reject(trouble) };
      await assert.rejects(collectActivations(runtime, { ...request(open), sink }), trouble);
      assert.deepEqual([runtime.opened, runtime.openNow()], [1, 0]);
    }));

  it('is heard between blocks of one run', () =>
    withModel(TIED, async (open) => {
      const controller = new AbortController();
      const busy = (ms: number) => {
        const end = performance.now() + ms;
        while (performance.now() < end);
      };
      let added = 0;
      const sink = {
        add() {
          if (added++ === 0) setTimeout(() => controller.abort(new Error('cancelled')), 1);
          busy(5);
        },
      };
      const collecting = collectActivations(
        native,
        { ...request(open), batches: batchesOf([1000, 12]), sink, limits: { blockBytes: 1 } },
        { signal: controller.signal },
      );
      await assert.rejects(collecting, /cancelled/);
      assert.ok(added < 100, `${added} of 1000 blocks`);
    }));
});

describe('refusals', () => {
  const reasonFor = (spec: ModelSpec, inputs = batchesOf([2, 4])) =>
    withModel(spec, async (open) => {
      const layers = layersIn(open);
      const request = { original: open, layers, batches: inputs, sink: keepingSink() };
      const { outcomes } = await collectActivations(native, request);
      return layers.map((layer) => {
        const outcome = outcomes.get(layer);
        return outcome?.kind === 'refused' ? outcome.reason : outcome?.kind;
      });
    });
  const w = floatTensor('w', [4, 4], seededArray(16, 1));
  const base = { inputs: { x: ['n', 4] }, outputs: { y: null }, initializers: [w] };

  it('a layer in the body of a branch', async () => {
    const branch = (name: string) =>
      encodeGraph({
        nodes: [{ op: 'MatMul', inputs: ['x', `${name}_w`], outputs: [name] }],
        initializers: [floatTensor(`${name}_w`, [4, 4], seededArray(16, 1))],
        outputs: { [name]: null },
      });
    const reasons = await reasonFor({
      ...base,
      initializers: [{ name: 'c', dims: [], dataType: 9, int32Data: [1] }],
      nodes: [
        {
          op: 'If',
          inputs: ['c'],
          outputs: ['y'],
          attributes: { then_branch: branch('one'), else_branch: branch('two') },
        },
      ],
    });
    assert.equal(reasons.length, 2);
    for (const reason of reasons) assert.match(reason!, /inside the body of a loop or a branch/);
  });

  it('a fused activation', async () => {
    const reasons = await reasonFor(
      {
        nodes: [
          {
            op: 'com.microsoft:FusedConv',
            inputs: ['x', 'w'],
            outputs: ['y'],
            attributes: { activation: 'Relu', kernel_shape: [1, 1] },
          },
        ],
        inputs: { x: ['n', 4, 3, 3] },
        outputs: { y: null },
        initializers: [floatTensor('w', [4, 4, 1, 1], seededArray(16, 1))],
      },
      batchesOf([1, 4, 3, 3]),
    );
    assert.deepEqual(reasons, [
      "Its activation (Relu) is fused into it, so what it computes before that can't be read.",
    ]);
  });

  it('an input that is left at its default', async () => {
    const reasons = await reasonFor({
      ...base,
      nodes: [
        { op: 'MatMul', inputs: ['c', 'w'], outputs: ['h'] },
        { op: 'Add', inputs: ['h', 'x'], outputs: ['y'] },
      ],
      inputs: { x: ['n', 4], c: [1, 4] },
      initializers: [w, floatTensor('c', [1, 4], [1, 2, 3, 4])],
    });
    assert.deepEqual(reasons, [
      '"c" is an input that is left at its default, so it is the same for all data.',
    ]);
  });

  it('a computed bias, a summand per vector, a product scaled by 0', async () => {
    const gemm = (inputs: readonly string[], attributes = {}) => ({
      ...base,
      nodes: [
        { op: 'Tanh', inputs: ['bias'], outputs: ['computed'] },
        { op: 'Gemm', inputs, outputs: ['y'], attributes },
      ],
      inputs: { x: ['n', 4], bias: [4] },
      initializers: [
        w,
        floatTensor('each', [2, 4], seededArray(8, 2)),
        floatTensor('b', [1, 4], [1, 2, 3, 4]),
      ],
    });
    const fed = inputBatches([
      new Map([
        ['x', { type: 'float32', dims: [2, 4], data: seededArray(8, 1) }],
        ['bias', { type: 'float32', dims: [4], data: seededArray(4, 2) }],
      ]),
    ]);
    assert.deepEqual(
      [
        ...(await reasonFor(gemm(['x', 'w', 'computed']), fed)),
        ...(await reasonFor(gemm(['x', 'w', 'each']), fed)),
        ...(await reasonFor(gemm(['x', 'w', 'b'], { alpha: { float: 0 } }), fed)),
        ...(await reasonFor(gemm(['x', 'w', 'b']), fed)),
      ],
      [
        'Its bias is computed, so it may be another one for other data.',
        'Its summand is no bias: it differs from vector to vector.',
        'Its product is scaled by 0, so its weight has no effect.',
        'collected',
      ],
    );
  });
});

describe('choosing columns', () => {
  it('all of them where the limit allows it', () => {
    const sampler = columnSampler(10, 10);
    assert.deepEqual([...sampler.take(4)], [0, 1, 2, 3]);
    assert.deepEqual([...sampler.take(6)], [0, 1, 2, 3, 4, 5]);
  });

  it('else exactly as many as the limit, one from each stretch, whatever the pieces', () => {
    for (const [total, limit] of [
      [1000, 10],
      [1000, 999],
      [1001, 300],
      [7, 3],
      [10_000, 1],
    ] as const) {
      const whole = [...columnSampler(total, limit).take(total)];
      assert.equal(whole.length, limit);
      for (const [i, column] of whole.entries()) {
        assert.ok(column >= (i * total) / limit && column < Math.ceil(((i + 1) * total) / limit));
      }
      const pieces = columnSampler(total, limit);
      const joined: number[] = [];
      for (let start = 0; start < total; start += 13)
        for (const column of pieces.take(Math.min(13, total - start))) joined.push(start + column);
      assert.deepEqual(joined, whole);
    }
  });

  it('each column is as likely as any other', () => {
    const counts = new Float64Array(10);
    const sampler = columnSampler(100_000, 20_000);
    for (const column of sampler.take(100_000)) counts[column % 10]! += 1;
    for (const count of counts) assert.ok(Math.abs(count - 2000) < 200, `${counts}`);
  });

  it('all columns of a small net, and no fewer than 64 per input', () => {
    assert.ok(enoughColumns(9, 32) > 1e8);
    assert.ok(enoughColumns(288, 64) > 1024 * 784);
    assert.equal(enoughColumns(4608, 512), 64 * 4608);
  });
});

describe('passes', () => {
  const cost = (tensors: Record<string, number>, kept = 0) => ({
    tensors: new Map(Object.entries(tensors)),
    kept,
  });

  it('take layers in order while they fit, a shared tensor counted once', () => {
    const costs = [
      cost({ a: 40, b: 40 }),
      cost({ b: 40, c: 20 }),
      cost({ d: 1 }),
      cost({ e: 1000 }),
      cost({ f: 1 }, 60),
      cost({ g: 1 }, 41),
    ];
    const shared = passes([0, 1, 2, 3, 4, 5], (i) => costs[i]!, { runBytes: 100, keptBytes: 100 });
    assert.deepEqual(shared, [[0, 1], [2], [3], [4], [5]]);
  });

  it('of nothing are none', () => {
    assert.deepEqual(
      passes([], () => cost({}), { runBytes: 1, keptBytes: 1 }),
      [],
    );
  });
});
