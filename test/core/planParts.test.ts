import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { planParts } from '../../src/core/onnx/parts/planParts';
import { topologicalOrder } from '../../src/core/onnx/parts/topologicalOrder';
import { inferShapes } from '../../src/core/onnx/shapes/inferShapes';
import { buildModel, floatTensor, type ModelSpec } from '../support/onnxModel';

/** Where models are cut so that they run part by part. */

const openExternal = () => assert.fail('no data file was expected');

function cut(spec: ModelSpec, part: number, largest = part) {
  const model = buildModel(spec);
  const shapes = inferShapes(model, { bind: new Map(), openExternal });
  return planParts(model, shapes, { limits: { whole: 0, part, largest }, canPass: (type) => type !== 8 });
}

function partsOf(spec: ModelSpec, part: number, largest?: number) {
  const plan = cut(spec, part, largest);
  assert.equal(plan.kind, 'parts');
  return plan.kind === 'parts' ? plan.parts : [];
}

const zeros = (name: string, ...dims: readonly number[]) =>
  floatTensor(name, dims, new Float32Array(dims.reduce((a, b) => a * b, 1)));
const namesIn = (part: { readonly nodes: ReadonlySet<{ readonly outputs: readonly string[] }> }) =>
  [...part.nodes].map(({ outputs }) => outputs[0]).sort();

/** Layers of 1600 bytes each, which pass on 40 numbers and 10 in turn. */
const chain: ModelSpec = {
  nodes: [
    { op: 'MatMul', inputs: ['x', 'w1'], outputs: ['a'] },
    { op: 'MatMul', inputs: ['a', 'w2'], outputs: ['b'] },
    { op: 'Add', inputs: ['b', 'bias'], outputs: ['c'] },
    { op: 'MatMul', inputs: ['c', 'w3'], outputs: ['d'] },
    { op: 'MatMul', inputs: ['d', 'w4'], outputs: ['e'] },
    { op: 'Add', inputs: ['e', 'c'], outputs: ['y'] },
  ],
  inputs: { x: [1, 10] },
  outputs: { y: null },
  initializers: [
    zeros('w1', 10, 40),
    zeros('w2', 40, 10),
    zeros('bias', 10),
    zeros('w3', 10, 40),
    zeros('w4', 40, 10),
  ],
};

describe('cutting a model', () => {
  it('where the least is passed on, in front of a weight rather than of what belongs to the one before', () => {
    assert.deepEqual(partsOf(chain, 5100).map(namesIn), [
      ['a', 'b', 'c'],
      ['d', 'e', 'y'],
    ]);
    assert.deepEqual(partsOf(chain, 1700).map(namesIn), [['a'], ['b', 'c'], ['d'], ['e', 'y']]);
    assert.equal(partsOf(chain, 10_000).length, 1);
  });

  it('says what each part reads and gives', () => {
    const parts = partsOf(chain, 1700).map(({ reads, gives }) => [[...reads].sort(), gives]);
    assert.deepEqual(parts, [
      [['x'], ['a']],
      [['a'], ['c']],
      [['c'], ['d']],
      [['c', 'd'], ['y']],
    ]);
  });

  it('names the node that has too much', () => {
    const plan = cut(chain, 1000, 1500);
    assert.ok(plan.kind === 'uncuttable');
    assert.deepEqual([plan.node.outputs[0], plan.largest?.name], ['a', 'w1']);
    assert.ok(plan.bytes > 1600);
    assert.equal(cut(chain, 1000, 1700).kind, 'parts');
  });

  it('gives each part the constants it needs, but what is random once only', () => {
    const parts = partsOf(
      {
        nodes: [
          { op: 'Transpose', inputs: ['w'], outputs: ['turned'] },
          {
            op: 'RandomNormal',
            inputs: [],
            outputs: ['noise'],
            attributes: { shape: [10, 10] },
          },
          { op: 'MatMul', inputs: ['x', 'turned'], outputs: ['a'] },
          { op: 'Mul', inputs: ['a', 'noise'], outputs: ['b'] },
          { op: 'MatMul', inputs: ['b', 'v'], outputs: ['c'] },
          { op: 'MatMul', inputs: ['c', 'turned'], outputs: ['d'] },
          { op: 'Add', inputs: ['d', 'noise'], outputs: ['y'] },
        ],
        inputs: { x: [10, 10] },
        outputs: { y: null, fixed: null },
        initializers: [zeros('w', 10, 10), zeros('v', 10, 10), zeros('fixed', 3)],
      },
      700,
    );
    assert.deepEqual(parts.map(namesIn), [['a', 'b', 'noise', 'turned'], ['c'], ['d', 'turned', 'y']]);
    assert.ok(parts[2]!.reads.has('noise'));
    assert.deepEqual(parts[2]!.gives, ['y', 'fixed']);
    assert.deepEqual([...parts[2]!.weights].map(({ name }) => name).sort(), ['fixed', 'w']);
  });

  it('makes one part of a model that depends on nothing', () => {
    const parts = partsOf(
      {
        nodes: [{ op: 'Neg', inputs: ['w'], outputs: ['y'] }],
        outputs: { y: null },
        initializers: [zeros('w', 3)],
      },
      10,
    );
    assert.deepEqual(parts.map(namesIn), [['y']]);
  });
});

describe('topological order', () => {
  const node = (output: string, ...inputs: string[]) => ({ op: 'Sum', inputs, outputs: [output] });
  const ordered = (nodes: ModelSpec['nodes']) =>
    topologicalOrder(buildModel({ nodes, inputs: { x: [1] } }).graph.nodes).map(({ outputs }) => outputs[0]);

  it('leaves what is in order as it is, and brings makers forward', () => {
    const nodes = [node('a', 'x'), node('b', 'x'), node('c', 'b', 'a'), node('d', 'a', '')];
    assert.deepEqual(ordered(nodes), ['a', 'b', 'c', 'd']);
    assert.deepEqual(ordered([nodes[2]!, nodes[3]!, nodes[0]!, nodes[1]!]), ['b', 'a', 'c', 'd']);
  });

  it('takes chains of any length backwards, and does not hang on a circle', () => {
    const long = Array.from({ length: 20_000 }, (_, i) => node(`n${i}`, i === 0 ? 'x' : `n${i - 1}`));
    assert.deepEqual(
      ordered([...long].reverse()),
      long.map(({ outputs }) => outputs[0]),
    );
    assert.equal(ordered([node('a', 'b'), node('b', 'a')]).length, 2);
  });
});
