import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, describe, it } from 'node:test';
import { candidateOf, candidatesOf } from '../../src/core/compress/candidates';
import type {
  ChangeKind,
  LayerChange,
  ModelComparison,
} from '../../src/core/compress/compare/modelComparison';
import { compareModels } from '../../src/core/compress/compareModels';
import { checkRanks, METHOD_IDS } from '../../src/core/compress/method';
import { memorySource } from '../../src/core/onnx/byteSource';
import { readModel } from '../../src/core/onnx/read';
import { createCheckedSession } from '../support/checkedSession';
import { analyzed, rewritten } from '../support/fullRank';
import { encodeModel, floatTensor, type ModelSpec, seededArray } from '../support/onnxModel';
import { LAYER_KINDS, modelAround, Random } from '../support/randomLayers';
import { SAMPLE, scratchFolder, scratchSample, writeInto } from '../support/scratch';

const folder = path.resolve('dist');
const session = createCheckedSession({ folder, threadScript: path.join(folder, 'factorThread.js') });
after(() => session.close());

const side = (bytes: Uint8Array) => {
  const model = readModel(memorySource('m.onnx', bytes));
  return { model, analyzed: analyzed(model) };
};
const compare = (before: Uint8Array, after: Uint8Array) =>
  compareModels(side(before), side(after)).comparison;
const kinds = ({ layers }: ModelComparison) => layers.map(({ kind }) => kind);

/** The comparison as it is with the models in each other's place. */
function mirrored({ kind, layers, shapes, parameters, macs, bytes, method, ranks, matchedBy }: LayerChange) {
  const swap = <T>({ before, after }: { before: T; after: T }) => ({ before: after, after: before });
  const others: Partial<Record<ChangeKind, ChangeKind>> = {
    factored: 'merged',
    merged: 'factored',
    removed: 'added',
    added: 'removed',
  };
  return {
    kind: others[kind] ?? kind,
    layers: swap(layers),
    shapes: swap(shapes),
    parameters: swap(parameters),
    macs: swap(macs),
    bytes: swap(bytes),
    method,
    ranks,
    matchedBy,
  };
}

function assertMirrored(there: ModelComparison, back: ModelComparison): void {
  const sorted = (rows: readonly object[]) => rows.map((row) => JSON.stringify(row)).sort();
  const plain = ({ name, op, weightError, ...row }: LayerChange) =>
    mirrored({ ...row, name, op, weightError });
  const twice = back.layers.map(
    ({ kind, layers, shapes, parameters, macs, bytes, method, ranks, matchedBy }) => ({
      kind,
      layers,
      shapes,
      parameters,
      macs,
      bytes,
      method,
      ranks,
      matchedBy,
    }),
  );
  assert.deepEqual(sorted(there.layers.map(plain)), sorted(twice));
}

describe('two files', () => {
  it('a model is the same as itself, its weights and outputs too', async () => {
    const comparison = await session.compareModels({
      before: SAMPLE,
      after: SAMPLE,
      weights: true,
      run: true,
    });
    assert.deepEqual(kinds(comparison), Array(8).fill('same'));
    assert.ok(
      comparison.layers.every(({ weightError, matchedBy }) => weightError === 0 && matchedBy === 'tensors'),
    );
    assert.deepEqual(comparison.problems, []);
    assert.deepEqual(comparison.before, comparison.after);
    assert.ok(comparison.run && 'outputError' in comparison.run);
    assert.deepEqual([comparison.run.outputError.relative, comparison.run.outputError.max], [0, 0]);
    const { analysis } = await session.inspect({ path: SAMPLE });
    for (const [i, layer] of comparison.layers.entries()) {
      assert.equal(layer.parameters.before, analysis.layers[i]!.parameters);
      assert.equal(layer.macs.after, analysis.layers[i]!.macs);
      assert.equal(layer.bytes.before, 4 * analysis.layers[i]!.parameters);
    }
  });

  for (const method of [...METHOD_IDS, 'auto'] as const) {
    it(`a model and what ${method} made of it: as the report says`, async () => {
      const source = scratchSample();
      const output = path.join(path.dirname(source), 'small.onnx');
      const rank = method === 'tr' ? 4 : method === 'dcf' ? 5 : 12;
      const target = { kind: 'rank', rank } as const;
      const report = await session.compress({ path: source, output, target, method, overwrite: false });
      const comparison = await session.compareModels({ before: source, after: output, weights: true });
      assert.equal(comparison.before.parameters, report.original.parameters);
      assert.equal(comparison.after.macs, report.compressed.macs);
      assert.equal(comparison.after.bytes, report.compressed.bytes);
      assert.equal(comparison.layers.length, report.layers.length);
      const { layers } = analyzed(readModel(memorySource('m.onnx', readFileSync(source))));
      const forms = new Map(layers.flatMap(({ name, form }) => (form.kind === 'none' ? [] : [[name, form]])));
      for (const [i, said] of report.layers.entries()) {
        const found = comparison.layers[i]!;
        assert.equal(found.name, said.name);
        assert.equal(found.kind, said.method === 'dense' ? 'same' : 'factored', said.name);
        assert.deepEqual([found.parameters, found.macs], [said.parameters, said.macs], said.name);
        if (said.method === 'dense') continue;
        const off = Math.abs(found.weightError! - said.weightError!);
        assert.ok(off < 1e-5, `${said.name}: ${found.weightError} instead of ${said.weightError}`);
        if (found.method === said.method) {
          assert.deepEqual(found.ranks, said.ranks, said.name);
          continue;
        }
        // On one input channel dcf is what channel is; nothing in the file tells them apart.
        const form = forms.get(said.name)!;
        const [named, written] = [found.method!, said.method].map((id) => candidateOf(form, id));
        assert.ok(typeof named === 'object' && typeof written === 'object', said.name);
        assert.deepEqual(named.shapes(found.ranks!), written.shapes(said.ranks!), said.name);
      }
      const back = await session.compareModels({ before: output, after: source });
      assertMirrored(await session.compareModels({ before: source, after: output }), back);
    });
  }

  it('values of the same shape: other ones are told apart, with how far they are off', async () => {
    const spec = (scale: number): ModelSpec => ({
      inputs: { x: [1, 8] },
      outputs: { y: [1, 4] },
      nodes: [
        { op: 'MatMul', inputs: ['x', 'a'], outputs: ['h'], name: 'first' },
        { op: 'MatMul', inputs: ['h', 'b'], outputs: ['y'], name: 'second' },
      ],
      initializers: [
        floatTensor('a', [8, 16], seededArray(128, 1)),
        floatTensor(
          'b',
          [16, 4],
          seededArray(64, 2).map((v) => v * scale),
        ),
      ],
    });
    const files = scratchFolder();
    const before = writeInto(files, 'a.onnx', encodeModel(spec(1)));
    const after = writeInto(files, 'b.onnx', encodeModel(spec(0.75)));
    assert.deepEqual(kinds(await session.compareModels({ before, after })), ['same', 'same']);
    const { layers, weights, run } = await session.compareModels({ before, after, weights: true, run: true });
    assert.equal(weights, true);
    assert.deepEqual(
      layers.map(({ kind }) => kind),
      ['same', 'values'],
    );
    assert.ok(Math.abs(layers[1]!.weightError! - 0.25) < 1e-6);
    assert.ok(run && 'outputError' in run && Math.abs(run.outputError.relative - 0.25) < 1e-5);
  });

  it('models that don’t take the same inputs are compared all the same; running them is refused with the reason', async () => {
    const files = scratchFolder();
    const other = writeInto(
      files,
      'other.onnx',
      encodeModel({
        inputs: { x: [1, 8] },
        outputs: { y: [1, 4] },
        nodes: [{ op: 'MatMul', inputs: ['x', 'a'], outputs: ['y'], name: 'only' }],
        initializers: [floatTensor('a', [8, 4], seededArray(32, 1))],
      }),
    );
    const comparison = await session.compareModels({
      before: SAMPLE,
      after: other,
      run: true,
      weights: true,
    });
    assert.deepEqual(kinds(comparison), ['added', ...Array(8).fill('removed')]);
    assert.ok(comparison.run && 'refusal' in comparison.run && comparison.run.refusal.endsWith('.'));
    assert.deepEqual(
      comparison.problems.map(({ code }) => code),
      ['other-inputs', 'other-inputs', 'other-outputs', 'other-outputs'],
    );
    assert.match(
      comparison.problems[0]!.message,
      /^Only the first model has the input "input" \(float, .*\)\.$/,
    );
  });

  it('a file that can’t be read is refused by name', async () => {
    const bad = writeInto(scratchFolder(), 'bad.onnx', 'nonsense');
    await assert.rejects(session.compareModels({ before: SAMPLE, after: bad }), /bad\.onnx/);
  });

  it('is cancelled while weights are read', async () => {
    const files = scratchFolder();
    const large = path.join(files, 'large.onnx');
    writeFileSync(
      large,
      encodeModel({
        inputs: { x: [1, 1024] },
        outputs: { y3: null },
        nodes: [0, 1, 2, 3].map((i) => ({
          op: 'MatMul',
          inputs: [i === 0 ? 'x' : `y${i - 1}`, `w${i}`],
          outputs: [`y${i}`],
        })),
        initializers: [0, 1, 2, 3].map((i) => ({
          name: `w${i}`,
          dims: i % 2 === 0 ? [1024, 4096] : [4096, 1024],
          dataType: 1,
          rawData: new Uint8Array(4 * 4096 * 1024),
        })),
      }),
    );
    const abort = new AbortController();
    const running = session.compareModels(
      { before: large, after: large, weights: true },
      { signal: abort.signal, onProgress: () => abort.abort() },
    );
    await assert.rejects(running, { name: 'AbortError' });
  });
});

describe('the weight error of factored layers', () => {
  for (const [kindIndex, [kind, draw]] of Object.entries(LAYER_KINDS).entries()) {
    it(`is nothing at full rank, there and back: ${kind}`, async () => {
      const files = scratchFolder();
      let exact = 0;
      for (let i = 0; i < 6; i++) {
        const seed = 90_000 + kindIndex * 1000 + i;
        const r = new Random(seed);
        const { spec } = modelAround(draw(r), r, 1);
        const bytes = encodeModel(spec);
        const [layer] = analyzed(readModel(memorySource('m.onnx', bytes))).layers;
        if (!layer || layer.form.kind === 'none') continue;
        const first = writeInto(files, `${i}.onnx`, bytes);
        for (const [nth, { method, fullRanks }] of candidatesOf(layer, 'auto').candidates.entries()) {
          const made = rewritten(bytes, nth, { ranksOf: () => fullRanks });
          const second = writeInto(files, `${i}-${method}.onnx`, made.bytes);
          for (const [before, after] of [
            [first, second],
            [second, first],
          ] as const) {
            const { layers } = await session.compareModels({ before, after, weights: true });
            const said = `${method}, seed ${seed}: ${JSON.stringify(layers)}`;
            assert.match(layers[0]!.kind, before === first ? /^factored$/ : /^merged$/, said);
            assert.ok(layers[0]!.weightError !== null && layers[0]!.weightError < 2e-3, said);
          }
          exact++;
        }
      }
      assert.ok(exact > 5, `${exact}`);
    });
  }

  it('is that of what the second file holds, whoever wrote it', async () => {
    const files = scratchFolder();
    const [a, b] = [seededArray(6 * 2, 3), seededArray(2 * 8, 4)];
    const product = Array.from({ length: 48 }, (_, i) => {
      const [row, column] = [Math.floor(i / 8), i % 8];
      return a[2 * row]! * b[column]! + a[2 * row + 1]! * b[8 + column]!;
    });
    const norm = Math.hypot(...product);
    const off = seededArray(48, 5);
    const scale = (0.5 * norm) / Math.hypot(...off);
    const whole = writeInto(
      files,
      'whole.onnx',
      encodeModel({
        inputs: { x: [1, 6] },
        outputs: { y: [1, 8] },
        nodes: [{ op: 'MatMul', inputs: ['x', 'w'], outputs: ['y'], name: 'only' }],
        initializers: [
          floatTensor(
            'w',
            [6, 8],
            product.map((value, i) => value + scale * off[i]!),
          ),
        ],
      }),
    );
    const factors = writeInto(
      files,
      'factors.onnx',
      encodeModel({
        inputs: { x: [1, 6] },
        outputs: { y: [1, 8] },
        nodes: [
          { op: 'MatMul', inputs: ['x', 'a'], outputs: ['h'], name: 'one' },
          { op: 'MatMul', inputs: ['h', 'b'], outputs: ['y'], name: 'two' },
        ],
        initializers: [floatTensor('a', [6, 2], a), floatTensor('b', [2, 8], b)],
      }),
    );
    const [merged] = (await session.compareModels({ before: factors, after: whole, weights: true })).layers;
    assert.deepEqual([merged!.kind, merged!.method, merged!.ranks], ['merged', 'svd', [2]]);
    assert.ok(Math.abs(merged!.weightError! - 0.5) < 1e-6, `${merged!.weightError}`);
    const [factored] = (await session.compareModels({ before: whole, after: factors, weights: true })).layers;
    const larger = Math.hypot(...product.map((value, i) => value + scale * off[i]!));
    assert.equal(factored!.kind, 'factored');
    assert.ok(Math.abs(factored!.weightError! - (0.5 * norm) / larger) < 1e-6, `${factored!.weightError}`);
  });
});

describe('layers of all kinds', () => {
  for (const [kindIndex, [kind, draw]] of Object.entries(LAYER_KINDS).entries()) {
    it(`are found factored, by the shapes of what was written: ${kind}`, () => {
      let factorisations = 0;
      for (let i = 0; i < 40; i++) {
        const seed = 70_000 + kindIndex * 1000 + i;
        const r = new Random(seed);
        const { spec } = modelAround(draw(r), r, 1);
        const before = encodeModel(spec);
        const [layer] = analyzed(readModel(memorySource('m.onnx', before))).layers;
        if (!layer || layer.form.kind === 'none') continue;
        for (const [nth, candidate] of candidatesOf(layer, 'auto').candidates.entries()) {
          const ranks = candidate.fullRanks.map((full) => Math.max(1, Math.ceil(full / 2)));
          if (checkRanks(candidate, ranks) !== undefined) continue;
          const { bytes } = rewritten(before, nth, { ranksOf: () => ranks });
          const { layers } = compare(before, bytes);
          const said = `${candidate.method} at ${ranks}, seed ${seed}: ${JSON.stringify(layers)}`;
          assert.equal(layers.length, 1, said);
          const [change] = layers as [LayerChange];
          assert.deepEqual([change.kind, change.matchedBy], ['factored', 'tensors'], said);
          // Methods that write the same can't be told apart; what is named writes these very shapes.
          assert.ok(change.method && change.ranks, said);
          const named = candidateOf(layer.form, change.method);
          assert.ok(typeof named !== 'string', said);
          assert.deepEqual(named.shapes(change.ranks), candidate.shapes(ranks), said);
          const bias = change.parameters.before! - candidate.dense.parameters;
          const most = layer.norm || bias > 0 ? Number.POSITIVE_INFINITY : 0;
          const grown = change.parameters.after! - candidate.cost(ranks).parameters;
          assert.ok(grown >= 0 && grown <= most, said);
          assertMirrored(compare(before, bytes), compare(bytes, before));
          factorisations++;
        }
      }
      assert.ok(factorisations > 20, `${factorisations}`);
    });
  }
});

describe('models of other hands', () => {
  /** A chain of products; names are made by what is given. */
  const chain = (
    widths: readonly number[],
    { node = (i: number) => `n${i}`, value = (i: number) => `v${i}`, weight = (i: number) => `w${i}` } = {},
  ) =>
    encodeModel({
      inputs: { x: [1, widths[0]!] },
      outputs: { y: null },
      nodes: widths.slice(1).map((_, i) => ({
        op: 'MatMul',
        name: node(i),
        inputs: [i === 0 ? 'x' : value(i), weight(i)],
        outputs: [i === widths.length - 2 ? 'y' : value(i + 1)],
      })),
      initializers: widths
        .slice(1)
        .map((to, i) => floatTensor(weight(i), [widths[i]!, to], seededArray(widths[i]! * to, i))),
    });
  const matchedBy = ({ layers }: ModelComparison) => [...new Set(layers.map((layer) => layer.matchedBy))];

  it('are matched by tensors, else by nodes, else by weights, else by shapes in order', () => {
    const widths = [8, 16, 12, 16, 12, 4];
    const own = chain(widths);
    const value = (i: number) => `other${i}`;
    const node = (i: number) => `node${i}`;
    const weight = (i: number) => `weight${i}`;
    assert.deepEqual(matchedBy(compare(own, chain(widths, { node, weight }))), ['tensors']);
    assert.deepEqual(matchedBy(compare(own, chain(widths, { value, weight }))), ['name']);
    assert.deepEqual(matchedBy(compare(own, chain(widths, { value, node }))), ['weight']);
    const shapes = compare(own, chain(widths, { value, node, weight }));
    assert.deepEqual(matchedBy(shapes), ['shape']);
    assert.deepEqual(kinds(shapes), Array(5).fill('same'));
    assert.deepEqual(
      shapes.layers.map(({ layers }) => layers),
      [0, 1, 2, 3, 4].map((i) => ({ before: [`n${i}`], after: [`node${i}`] })),
    );
  });

  it('show pruned layers as changed, and what came and went where it is', () => {
    const pruned = compare(chain([8, 16, 12, 4]), chain([8, 10, 12, 4]));
    assert.deepEqual(kinds(pruned), ['changed', 'changed', 'same']);
    assert.deepEqual(pruned.layers[0]!.shapes, { before: [[8, 16]], after: [[8, 10]] });
    const value = (i: number) => `other${i}`;
    const longer = compare(
      chain([8, 16, 12, 4]),
      chain([8, 16, 30, 12, 4], { value, node: (i) => `m${i}`, weight: (i) => `k${i}` }),
    );
    assert.deepEqual(
      longer.layers.map(({ kind, layers }) => [kind, ...layers.before, ...layers.after]),
      [
        ['same', 'n0', 'm0'],
        ['added', 'm1'],
        ['added', 'm2'],
        ['removed', 'n1'],
        ['same', 'n2', 'm3'],
      ],
    );
  });

  it('compares ten thousand layers in time that grows with their number', () => {
    const widths = Array.from({ length: 10_001 }, (_, i) => (i % 2 === 0 ? 2 : 3));
    const other = chain(widths, { node: (i) => `m${i}`, value: (i) => `o${i}`, weight: (i) => `k${i}` });
    assert.equal(compare(chain(widths), other).layers.length, 10_000);
  });
});
