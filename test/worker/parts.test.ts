import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import { readModel } from '../../src/core/onnx/read';
import { openFile } from '../../src/worker/fileSource';
import { openModel } from '../../src/worker/openModel';
import { partsOf } from '../../src/worker/parts/partsOf';
import { runBatches } from '../../src/worker/parts/runBatches';
import { runtimeInParts } from '../../src/worker/parts/runtimeInParts';
import { loadRuntime, type RuntimeTensor } from '../../src/worker/runtime';
import {
  encodeGraph,
  encodeModel,
  floatTensor,
  int64Tensor,
  type ModelSpec,
  seededArray,
} from '../support/onnxModel';
import { evenWeight, residualNet } from '../support/residualNet';
import { SAMPLE, scratchFolder, writeInto } from '../support/scratch';

/** Models that a runtime has no room for, cut into parts: they compute what they compute as a whole. */

const folder = path.resolve('dist');
const runtimes = [
  ['native', loadRuntime(folder)],
  ['WebAssembly', loadRuntime(folder, false)],
] as const;

type Inputs = ReadonlyMap<string, RuntimeTensor>;

const floats = (dims: readonly number[], seed: number): RuntimeTensor => ({
  type: 'float32',
  dims,
  data: seededArray(
    dims.reduce((a, b) => a * b, 1),
    seed,
  ),
});

const plain = (outputs: Inputs) =>
  [...outputs].map(([name, { type, dims, data }]) => [name, type, [...dims], Array.from(data, Number)]);

/**
 * The runtime sums a shortcut up inside of the convolution in front of the sum (its NCHWc kernels start from it), where
 * both have its own layout; a shortcut that comes from another part is added behind. That is a rounding or two per block.
 */
const ROUNDING = 1e-6;

function sameOutputs(actual: Inputs, expected: Inputs, rounding: number, what: string): void {
  const heads = (outputs: Inputs) => [...outputs].map(([name, { type, dims }]) => [name, type, [...dims]]);
  assert.deepEqual(heads(actual), heads(expected), what);
  for (const [name, { data }] of expected) {
    const [one, other] = [actual.get(name)!.data, data].map((values) => Array.from(values, Number));
    const most = Math.max(...other!.map(Math.abs));
    const apart = Math.max(...other!.map((value, i) => Math.abs(value - one![i]!)));
    assert.ok(apart <= rounding * most, `${what}: ${name} is off by ${apart} of ${most}`);
  }
}

const limitsOf = (part: number) => ({ whole: 0, part, largest: 4 * part });

/**
 * Runs a model as a whole and in parts on the same inputs, on both runtimes; returns how many parts it had.
 *
 * @param rounding how far elements may be apart, in relation to the largest
 */
async function sameInParts(
  file: string,
  part: number,
  runs: readonly Inputs[],
  rounding = 0,
): Promise<number> {
  let count = 0;
  for (const [kind, runtime] of runtimes) {
    const open = openModel(file);
    open.close();
    const whole = await runtime.open(file, open.externalFiles);
    const parted = await runtimeInParts(runtime, limitsOf(part)).open(file, open.externalFiles);
    const together = await parted.parted!.runAll(runs);
    for (const [i, inputs] of runs.entries()) {
      const one = await parted.run(inputs);
      assert.deepEqual(plain(together[i]!), plain(one), `${kind}, several runs at once`);
      sameOutputs(one, await whole.run(inputs), rounding, kind);
    }
    assert.deepEqual(parted.inputNames, whole.inputNames);
    assert.ok((await parted.time(runs[0]!)) > 0);
    count = parted.parted!.count;
    await whole.release();
    await parted.release();
  }
  return count;
}

const fileOf = (spec: ModelSpec) => writeInto(scratchFolder(), 'model.onnx', encodeModel(spec));

describe('a model in parts computes what it computes as a whole, bit for bit but where it is said why not', () => {
  it('the sample VGG', async () => {
    const images = [2, 2, 3].map((n, i) => new Map([['input', floats([n, 1, 28, 28], i)]]));
    const count = await sameInParts(SAMPLE, 2.6e6, images);
    assert.ok(count >= 3 && count <= 5, `${count} parts`);
  });

  it('residual blocks, across which tensors wait; cuts stand in front of convolutions', async () => {
    const file = fileOf(residualNet());
    const runs = [1, 3].map((n, i) => new Map([['x', floats([n, 3, 12, 12], 5 + i)]]));
    const count = await sameInParts(file, 45_000, runs, ROUNDING);
    assert.ok(count >= 3 && count <= 5, `${count} parts`);
    const open = openModel(file);
    const { parts } = partsOf(open, limitsOf(45_000));
    open.close();
    for (const { nodes } of parts.slice(1)) assert.equal([...nodes][0]!.opType, 'Conv');
    for (const { bytes } of parts) assert.ok(bytes <= 45_000);
  });

  it('weights in data files, at any place, small ones and large ones', async () => {
    const place = scratchFolder();
    const spec = residualNet();
    const chunks: Uint8Array[] = [new Uint8Array(3)];
    let offset = 3;
    const initializers = spec.initializers!.map((tensor) => {
      const raw = tensor.rawData as Uint8Array;
      const at = offset;
      chunks.push(raw);
      offset += raw.length;
      const { name, dims, dataType } = tensor;
      const entries = { location: 'weights.bin', offset: String(at), length: String(raw.length) };
      return {
        name: name!,
        dims: dims!,
        dataType: dataType!,
        dataLocation: 1,
        externalData: Object.entries(entries).map(([key, value]) => ({ key, value })),
      };
    });
    writeInto(place, 'weights.bin', Buffer.concat(chunks));
    const file = writeInto(place, 'model.onnx', encodeModel({ ...spec, initializers }));
    await sameInParts(file, 45_000, [new Map([['x', floats([2, 3, 12, 12], 9)]])], ROUNDING);
    const large = {
      nodes: [
        { op: 'MatMul', inputs: ['x', 'w1'], outputs: ['a'] },
        { op: 'MatMul', inputs: ['a', 'w2'], outputs: ['y'] },
      ],
      inputs: { x: [1, 160] },
      outputs: { y: null },
      initializers: [evenWeight('w1', [160, 160], 1), evenWeight('w2', [160, 160], 2)],
    };
    assert.equal(await sameInParts(fileOf(large), 103_000, [new Map([['x', floats([1, 160], 3)]])]), 2);
  });

  it('branches and loops that read tensors of other parts, and weights in their bodies', async () => {
    const branch = (name: string, seed: number) =>
      encodeGraph({
        nodes: [
          { op: 'MatMul', inputs: ['early', `${name}-w`], outputs: [`${name}-m`] },
          { op: 'Add', inputs: [`${name}-m`, 'x'], outputs: [`${name}-out`] },
        ],
        outputs: { [`${name}-out`]: null },
        initializers: [evenWeight(`${name}-w`, [32, 32], seed)],
      });
    const body = encodeGraph({
      nodes: [
        { op: 'MatMul', inputs: ['state', 'shared'], outputs: ['turned'] },
        { op: 'Add', inputs: ['turned', 'early'], outputs: ['next'] },
        { op: 'Identity', inputs: ['go'], outputs: ['still'] },
      ],
      inputs: { i: [], go: [], state: [2, 32] },
      inputTypes: { i: 7, go: 9 },
      outputs: { still: [], next: [2, 32] },
      outputTypes: { still: 9 },
    });
    const spec: ModelSpec = {
      nodes: [
        { op: 'MatMul', inputs: ['x', 'w1'], outputs: ['early'] },
        { op: 'MatMul', inputs: ['early', 'w2'], outputs: ['h'] },
        { op: 'ReduceSum', inputs: ['h'], outputs: ['sum'], attributes: { keepdims: 0 } },
        { op: 'Greater', inputs: ['sum', 'zero'], outputs: ['positive'] },
        { op: 'MatMul', inputs: ['h', 'w3'], outputs: ['h3'] },
        {
          op: 'If',
          inputs: ['positive'],
          outputs: ['chosen'],
          attributes: { then_branch: branch('then', 11), else_branch: branch('else', 12) },
        },
        { op: 'Add', inputs: ['chosen', 'h3'], outputs: ['start'] },
        { op: 'Loop', inputs: ['trips', 'yes', 'start'], outputs: ['turns'], attributes: { body } },
        { op: 'MatMul', inputs: ['turns', 'shared'], outputs: ['y'] },
      ],
      inputs: { x: [2, 32] },
      outputs: { y: null, h: null },
      initializers: [
        evenWeight('w1', [32, 32], 1),
        evenWeight('w2', [32, 32], 2),
        evenWeight('w3', [32, 32], 3),
        evenWeight('shared', [32, 32], 4),
        floatTensor('zero', [], [0]),
        int64Tensor('trips', [], [3]),
        { name: 'yes', dims: [], dataType: 9, int32Data: [1] },
      ],
    };
    const runs = [1, 2, 3, 4].map((seed) => new Map([['x', floats([2, 32], seed)]]));
    const count = await sameInParts(fileOf(spec), 9000, runs);
    assert.ok(count >= 3 && count <= 6, `${count} parts`);
  });

  it('constants that are computed, outputs from all over, nodes out of order', async () => {
    const spec: ModelSpec = {
      nodes: [
        { op: 'Reshape', inputs: ['b', 'shape'], outputs: ['c'] },
        { op: 'MatMul', inputs: ['a', 'turned'], outputs: ['b'] },
        { op: 'MatMul', inputs: ['x', 'shared'], outputs: ['a'] },
        { op: 'Transpose', inputs: ['w'], outputs: ['turned'], attributes: { perm: [1, 0] } },
        { op: 'Constant', inputs: [], outputs: ['half'], attributes: { value: int64Tensor('', [1], [40]) } },
        { op: 'Concat', inputs: ['minus', 'half'], outputs: ['shape'], attributes: { axis: 0 } },
        { op: 'MatMul', inputs: ['c', 'shared'], outputs: ['d'] },
        { op: 'MatMul', inputs: ['d', 'turned'], outputs: ['e'] },
        { op: 'Clip', inputs: ['e', '', 'one'], outputs: ['y'] },
        { op: 'Neg', inputs: ['unused'], outputs: ['nothing'] },
        { op: 'Relu', inputs: ['x'], outputs: ['unused'] },
      ],
      inputs: { x: ['N', 40], spare: [1] },
      outputs: { y: null, b: null, shape: null, a: null },
      outputTypes: { shape: 7 },
      initializers: [
        evenWeight('shared', [40, 40], 1),
        evenWeight('w', [40, 40], 2),
        int64Tensor('minus', [1], [-1]),
        floatTensor('one', [], [1]),
      ],
    };
    const spare = floats([1], 1);
    const runs = [2, 5].map(
      (n) =>
        new Map([
          ['x', floats([n, 40], n)],
          ['spare', spare],
        ]),
    );
    const count = await sameInParts(fileOf(spec), 7000, runs);
    assert.ok(count >= 3 && count <= 4, `${count} parts`);
  });

  it('lists of tensors stay inside of a part; halves and whole numbers go from one to the next', async () => {
    const spec: ModelSpec = {
      nodes: [
        { op: 'MatMul', inputs: ['x', 'w1'], outputs: ['a'] },
        { op: 'SplitToSequence', inputs: ['a', 'two'], outputs: ['list'], attributes: { axis: 1 } },
        { op: 'MatMul', inputs: ['a', 'w2'], outputs: ['b'] },
        { op: 'SequenceAt', inputs: ['list', 'one'], outputs: ['right'] },
        { op: 'Cast', inputs: ['right'], outputs: ['thin'], attributes: { to: 10 } },
        { op: 'ArgMax', inputs: ['b'], outputs: ['most'], attributes: { axis: 1 } },
        { op: 'MatMul', inputs: ['b', 'w3'], outputs: ['c'] },
        { op: 'Cast', inputs: ['thin'], outputs: ['wide'], attributes: { to: 1 } },
        { op: 'Concat', inputs: ['c', 'wide'], outputs: ['d'], attributes: { axis: 1 } },
        { op: 'Gather', inputs: ['w1', 'most'], outputs: ['rows'] },
        { op: 'Squeeze', inputs: ['rows', 'axis'], outputs: ['flat'] },
        { op: 'Concat', inputs: ['d', 'flat'], outputs: ['y'], attributes: { axis: 1 } },
      ],
      inputs: { x: ['N', 32] },
      outputs: { y: null, most: null },
      outputTypes: { most: 7 },
      initializers: [
        evenWeight('w1', [32, 32], 1),
        evenWeight('w2', [32, 32], 2),
        evenWeight('w3', [32, 32], 3),
        int64Tensor('two', [], [16]),
        int64Tensor('one', [], [1]),
        int64Tensor('axis', [1], [1]),
      ],
    };
    const runs = [2, 3].map((n) => new Map([['x', floats([n, 32], n)]]));
    const file = fileOf(spec);
    assert.ok((await sameInParts(file, 4800, runs)) >= 3);
    const open = openModel(file);
    const { parts } = partsOf(open, limitsOf(4800));
    open.close();
    const together = parts.find(({ nodes }) => [...nodes].some(({ opType }) => opType === 'SequenceAt'))!;
    assert.ok([...together.nodes].some(({ opType }) => opType === 'SplitToSequence'));
  });

  it('a model that is nowhere but in memory', async () => {
    const bytes = new Uint8Array(readFileSync(SAMPLE));
    const inputs = new Map([['input', floats([1, 1, 28, 28], 1)]]);
    for (const [kind, runtime] of runtimes) {
      const memory = bytes.slice();
      const session = await runtimeInParts(runtime, limitsOf(3e6)).open(SAMPLE, [], memory);
      memory.fill(0);
      const whole = await runtime.open(SAMPLE, []);
      assert.deepEqual(plain(await session.run(inputs)), plain(await whole.run(inputs)), kind);
      await session.release();
      await whole.release();
    }
  });
});

describe('parts', () => {
  it('are loaded once for several batches, as far as their tensors leave room', async () => {
    const [, native] = runtimes[0];
    const opened: string[] = [];
    const counting = {
      ...native,
      open: (...model: Parameters<typeof native.open>) => {
        opened.push(model[0]);
        return native.open(...model);
      },
    };
    const file = fileOf(residualNet());
    const batches = [0, 1, 2, 3].map((i) => ({
      samples: [i],
      padding: 0,
      tensors: new Map([['x', floats([1, 3, 12, 12], i)]]),
    }));
    const parted = await runtimeInParts(counting, limitsOf(45_000)).open(file, []);
    const whole = await native.open(file, []);
    assert.ok(parted.parted!.room(batches[0]!.tensors) >= 4);
    const order: number[] = [];
    for await (const { batch, outputs } of runBatches([whole, parted], batches)) {
      order.push(batch.samples[0]!);
      sameOutputs(outputs[1]!, outputs[0]!, ROUNDING, `batch ${order.length}`);
    }
    assert.deepEqual(order, [0, 1, 2, 3]);
    assert.equal(opened.length, parted.parted!.count);
    const aborted = AbortSignal.abort(new DOMException('Enough.', 'AbortError'));
    await assert.rejects(runBatches([parted], batches, aborted).next(), { name: 'AbortError' });
    await parted.release();
    await whole.release();
    const open = { ...residualNet(), inputs: { x: ['N', 3, 'H', 'W'] } };
    const unknown = await runtimeInParts(native, limitsOf(45_000)).open(fileOf(open), []);
    assert.equal(unknown.parted!.room(batches[0]!.tensors), 1);
    await unknown.release();
  });

  it('a layer that is too large by itself is refused with its name', async () => {
    const [, runtime] = runtimes[0];
    await assert.rejects(
      async () => runtimeInParts(runtime, { whole: 0, part: 1000, largest: 2e6 }).open(SAMPLE, []),
      { code: 'too-large', message: /fashion-vgg\.onnx: ".+" \((Conv|Gemm|MatMul)\).*takes 2 MB at once/ },
    );
  });

  it('hold every node that counts once, and no part reads what a later one gives', () => {
    const source = openFile(SAMPLE);
    const model = readModel(source);
    const { parts } = partsOf(
      { path: SAMPLE, model, openExternal: () => assert.fail('no data file was expected') },
      limitsOf(3e6),
    );
    source.close();
    const given = new Set(model.graph.inputs.map(({ name }) => name));
    const nodes = parts.flatMap((part) => [...part.nodes].filter(({ opType }) => opType !== 'Constant'));
    assert.equal(new Set(nodes).size, nodes.length);
    for (const { reads, gives } of parts) {
      for (const name of reads) assert.ok(given.has(name), name);
      for (const name of gives) given.add(name);
    }
  });
});
