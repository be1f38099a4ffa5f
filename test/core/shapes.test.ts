import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { onnx } from 'onnx-proto';
import { printDim } from '../../src/core/onnx/shapes/dim';
import { inferShapes } from '../../src/core/onnx/shapes/inferShapes';
import { type AttributeSpec, buildModel, floatTensor, type ModelSpec } from '../support/onnxModel';

type Step = readonly [
  op: string,
  inputs: string,
  outputs: string,
  attributes?: Record<string, AttributeSpec>,
];

interface Example {
  readonly name: string;
  readonly inputs: NonNullable<ModelSpec['inputs']>;
  readonly steps: readonly Step[];
  readonly constants?: Readonly<Record<string, number | readonly number[]>>;
  readonly weights?: readonly onnx.ITensorProto[];
  readonly declared?: NonNullable<ModelSpec['outputs']>;
  readonly bind?: Readonly<Record<string, number>>;
  readonly opset?: number;
  /** Value → its dimensions, printed; `…` where not even the order is known. */
  readonly expect: Readonly<Record<string, string>>;
}

function int64(name: string, value: number | readonly number[]): onnx.ITensorProto {
  const list = typeof value === 'number' ? [value] : value;
  const rawData = new Uint8Array(BigInt64Array.from(list.map(BigInt)).buffer);
  return { name, dims: typeof value === 'number' ? [] : [list.length], dataType: 7, rawData };
}

const zeros = (name: string, dims: readonly number[]) =>
  floatTensor(name, dims, new Float32Array(dims.reduce((p, d) => p * d, 1)));

const EXAMPLES: readonly Example[] = [
  {
    name: 'unnamed dimensions of inputs get a name of their own, and can be bound',
    inputs: { x: ['N', 3, null, null] },
    steps: [['Relu', 'x', 'y']],
    bind: { 'x[3]': 640 },
    expect: { y: 'N, 3, x[2], 640' },
  },
  {
    name: 'Shape → Gather → Mul → Concat → Reshape on symbols',
    inputs: { x: ['N', 'H', 'W', 8] },
    steps: [
      ['Shape', 'x', 's'],
      ['Gather', 's zero', 'n', { axis: 0 }],
      ['Gather', 's one', 'h', { axis: 0 }],
      ['Mul', 'h two', 'h2'],
      ['Unsqueeze', 'n axis', 'n1'],
      ['Unsqueeze', 'h2 axis', 'h1'],
      ['Concat', 'n1 h1 rest', 'target', { axis: 0 }],
      ['Reshape', 'x target', 'y'],
    ],
    constants: { zero: 0, one: 1, two: 2, axis: [0], rest: [-1, 4] },
    expect: { n: '', target: '4', y: 'N, 2*H, W, 4' },
  },
  {
    name: 'a convolution on symbols',
    inputs: { x: ['N', 3, 'H', 'W'] },
    weights: [zeros('w', [8, 3, 3, 3])],
    steps: [
      ['Conv', 'x w', 'y', { strides: [2, 1], pads: [1, 1, 1, 1] }],
      ['MaxPool', 'y', 'z', { kernel_shape: [3, 3], strides: [2, 2], ceil_mode: 1 }],
    ],
    expect: { y: 'N, 8, floor((H + 1)/2), W', z: 'N, 8, floor((H + 1)/4), floor(W/2)' },
  },
  {
    name: 'broadcasting: numbers win over symbols, two symbols leave the larger',
    inputs: { a: ['N', 1, 'H'], b: [4, 1], c: ['M', 5, 7] },
    steps: [
      ['Add', 'a b', 'ab'],
      ['Add', 'a c', 'ac'],
    ],
    expect: { ab: 'N, 4, H', ac: 'max(M, N), 5, 7' },
  },
  {
    name: 'Reshape: −1 divides, also where sizes are sums',
    inputs: { x: ['N', 12, 'H', 'W'] },
    weights: [zeros('w', [12, 12, 2, 2])],
    steps: [
      ['Conv', 'x w', 'y'],
      ['Shape', 'y', 's'],
      ['Slice', 's two four', 'hw'],
      ['Concat', 'rest hw', 'target', { axis: 0 }],
      ['Reshape', 'y target', 'z'],
    ],
    constants: { two: [2], four: [4], rest: [-1, 3] },
    expect: { z: '4*N, 3, H - 1, W - 1' },
  },
  {
    name: 'a computed target leaves the order',
    inputs: { x: [2, 3], t: ['k'] },
    steps: [
      ['Cast', 't', 'i', { to: 7 }],
      ['Reshape', 'x i', 'y'],
      ['ConstantOfShape', 'i', 'z'],
    ],
    bind: { k: 3 },
    expect: { y: '?, ?, ?', z: '?, ?, ?' },
  },
  {
    name: 'declared intermediates fill what is unknown and change nothing else',
    inputs: { x: ['N', 4] },
    steps: [
      ['Mystery', 'x', 'y'],
      ['Relu', 'x', 'z'],
      ['Relu', 'y', 'w'],
    ],
    declared: { y: ['N', 7], z: [9, 9] },
    expect: { y: 'N, 7', w: 'N, 7', z: 'N, 4' },
  },
  {
    name: 'Where and Equal decide the target of an Expand',
    inputs: { x: ['N', 1], y: ['N', 'K'] },
    steps: [
      ['Shape', 'y', 's'],
      ['Equal', 's minus', 'isMinus'],
      ['Where', 'isMinus ones s', 'target'],
      ['Expand', 'x target', 'z'],
    ],
    constants: { minus: [-1, -1], ones: [1, 1] },
    expect: { z: 'N, K' },
  },
  {
    name: 'slices on symbols',
    inputs: { x: ['N', 'H'] },
    steps: [
      ['Slice', 'x zero minus one', 'allButLast'],
      ['Slice', 'x one huge one two', 'everySecond'],
      ['Slice', 'x zero five one', 'atMostFive'],
    ],
    constants: { zero: [0], minus: [-1], one: [1], two: [2], five: [5], huge: [Number.MAX_SAFE_INTEGER] },
    expect: { allButLast: 'N, H - 1', everySecond: 'N, floor(H/2)', atMostFive: 'N, min(H, 5)' },
  },
  {
    name: 'a Range as long as an input',
    inputs: { x: ['N', 'T'] },
    steps: [
      ['Shape', 'x', 's'],
      ['Gather', 's one', 't', { axis: 0 }],
      ['Range', 'zero t one', 'r'],
      ['Unsqueeze', 'r axis', 'u'],
    ],
    constants: { zero: 0, one: 1, axis: [0] },
    expect: { r: 'T', u: '1, T' },
  },
  {
    name: 'upsampling by a float scale that was computed from sizes',
    inputs: { x: [1, 3, 'H', 'W'] },
    steps: [
      ['Shape', 'x', 's'],
      ['Slice', 's two four', 'hw'],
      ['Mul', 'hw twice', 'double'],
      ['Slice', 's zero two', 'nc'],
      ['Concat', 'nc double', 'sizes', { axis: 0 }],
      ['Resize', 'x   sizes', 'y'],
    ],
    constants: { zero: [0], two: [2], four: [4], twice: [2, 2] },
    expect: { y: '1, 3, 2*H, 2*W' },
  },
  {
    name: 'wrong nodes leave their outputs unknown',
    inputs: { x: [2, 3], y: [4, 5] },
    steps: [
      ['MatMul', 'x y', 'a'],
      ['Concat', 'x y', 'b', { axis: 0 }],
      ['Reshape', 'x seven', 'c'],
      ['Transpose', 'x', 'd', { perm: [0, 0] }],
      ['Add', 'x y', 'e'],
      ['Relu', 'nothing', 'f'],
    ],
    constants: { seven: [7] },
    expect: { a: '…', b: '…', c: '…', d: '…', e: '…', f: '…' },
  },
  {
    name: 'axes as attributes, before opset 13',
    inputs: { x: ['N', 1, 4] },
    steps: [
      ['Squeeze', 'x', 'a', { axes: [1] }],
      ['Unsqueeze', 'x', 'b', { axes: [-1] }],
      ['ReduceSum', 'x', 'c', { axes: [2], keepdims: 0 }],
      ['Split', 'x', 'd e', { axis: 2, split: [1, 3] }],
    ],
    opset: 11,
    expect: { a: 'N, 4', b: 'N, 1, 4, 1', c: 'N, 1', d: 'N, 1, 1', e: 'N, 1, 3' },
  },
];

for (const example of EXAMPLES) {
  test(`shapes: ${example.name}`, () => {
    const model = buildModel({
      nodes: example.steps.map(([op, inputs, outputs, attributes]) => ({
        op,
        inputs: inputs.split(' '),
        outputs: outputs.split(' '),
        ...(attributes ? { attributes } : {}),
      })),
      inputs: example.inputs,
      outputs: example.declared ?? {},
      initializers: [
        ...Object.entries(example.constants ?? {}).map(([name, value]) => int64(name, value)),
        ...(example.weights ?? []),
      ],
      opset: example.opset ?? 17,
    });
    const table = inferShapes(model, {
      bind: new Map(Object.entries(example.bind ?? {})),
      openExternal: () => assert.fail('no external file was expected'),
    });
    const found = Object.keys(example.expect).map((name) => {
      const shape = table.get(name)?.shape;
      return [name, shape ? shape.map(printDim).join(', ') : '…'];
    });
    assert.deepEqual(Object.fromEntries(found), example.expect);
  });
}

test('free symbols are those of the inputs that nobody has bound', () => {
  const model = buildModel({ nodes: [], inputs: { x: ['N', null, 3], y: ['M', 'N'] } });
  const openExternal = () => assert.fail('no external file was expected');
  assert.deepEqual(inferShapes(model, { bind: new Map([['M', 2]]), openExternal }).symbols, ['N', 'x[1]']);
});
