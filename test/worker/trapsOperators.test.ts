/** Traps of operators that multiply in other ways: quantised, fused and recurrent; see `support/traps.ts`. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { onnx } from 'onnx-proto';
import {
  type AttributeSpec,
  floatTensor,
  type ModelSpec,
  type NodeSpec,
  seededArray,
} from '../support/onnxModel';
import { assertSame, assertSkipped, matrix, PRODUCT, scalar, through } from '../support/traps';

const u8 = (name: string, dims: readonly number[], value = 3): onnx.ITensorProto => ({
  name,
  dims: [...dims],
  dataType: 2,
  rawData: new Uint8Array(dims.reduce((a, b) => a * b, 1)).fill(value),
});

test('trap: quantised and QDQ – counted, skipped with the reason', () => {
  const q: NodeSpec = { op: 'QuantizeLinear', inputs: ['x', 's', 'z'], outputs: ['xq'] };
  const constants = [scalar('s', 0.1), u8('z', [])];
  const cases: readonly (readonly [spec: ModelSpec, macs: number])[] = [
    [
      through(
        [q, { op: 'QLinearConv', inputs: ['xq', 's', 'z', 'w', 's', 'z', 's', 'z'], outputs: ['y'] }],
        [...constants, u8('w', [4, 3, 3, 3])],
        [1, 3, 5, 5],
        { outputTypes: { y: 2 } },
      ),
      9 * 108,
    ],
    [
      through(
        [q, { op: 'QLinearMatMul', inputs: ['xq', 's', 'z', 'w', 's', 'z', 's', 'z'], outputs: ['y'] }],
        [...constants, u8('w', [6, 5])],
        [3, 6],
        { outputTypes: { y: 2 } },
      ),
      90,
    ],
    [
      through(
        [q, { op: 'MatMulInteger', inputs: ['xq', 'w', 'z', 'z'], outputs: ['y'] }],
        [...constants, u8('w', [6, 5])],
        [3, 6],
        { outputTypes: { y: 6 } },
      ),
      90,
    ],
    [
      through(
        [q, { op: 'ConvInteger', inputs: ['xq', 'w'], outputs: ['y'] }],
        [...constants, u8('w', [4, 3, 3, 3])],
        [1, 3, 5, 5],
        { outputTypes: { y: 6 } },
      ),
      9 * 108,
    ],
    [
      through(
        [
          {
            op: 'com.microsoft:MatMulNBits',
            inputs: ['x', 'w', 'scales'],
            outputs: ['y'],
            attributes: { K: 32, N: 5, bits: 4, block_size: 32 },
          },
        ],
        [u8('w', [5, 1, 16]), floatTensor('scales', [5], [1, 1, 1, 1, 1])],
        [3, 32],
      ),
      3 * 32 * 5,
    ],
    [
      through(
        [{ op: 'DequantizeLinear', inputs: ['v', 's', 'z'], outputs: ['w'] }, PRODUCT],
        [...constants, u8('v', [6, 5])],
      ),
      90,
    ],
  ];
  for (const [spec, macs] of cases) {
    assert.equal(assertSkipped(spec, /quantised/).macs, macs, spec.nodes.at(-1)?.op);
  }
});

test('trap: com.microsoft fused – the summand of a FusedConv and its activation go with the last factor', async () => {
  const spec = through(
    [
      {
        op: 'com.microsoft:FusedConv',
        name: 'layer',
        inputs: ['x', 'w', 'b', 'z'],
        outputs: ['y'],
        attributes: { activation: 'Relu' },
      },
    ],
    [
      floatTensor('w', [4, 3, 3, 3], seededArray(108, 1)),
      floatTensor('b', [4], seededArray(4, 2)),
      floatTensor('z', [2, 4, 3, 3], seededArray(72, 3)),
    ],
    [2, 3, 5, 5],
  );
  const [first, last] = (await assertSame(spec)).graph.nodes;
  assert.ok(!first!.attributes.has('activation') && first!.inputs.length === 2);
  assert.deepEqual(last!.attributes.get('activation'), { kind: 'string', value: 'Relu' });
  assert.deepEqual(last!.inputs.slice(2), ['b', 'z']);
});

test('trap: com.microsoft fused – Attention and FusedMatMul with the weight in front are counted only', () => {
  const attention = assertSkipped(
    through(
      [
        {
          op: 'com.microsoft:Attention',
          inputs: ['x', 'w', 'b'],
          outputs: ['y'],
          attributes: { num_heads: 2 },
        },
      ],
      [matrix('w', 8, 24), floatTensor('b', [24], seededArray(24, 2))],
      [2, 5, 8],
    ),
    /fused operator/,
  );
  assert.equal(attention.macs, 2 * 5 * 8 * 24 + 2 * 2 * 5 * 5 * 8);
  const product = assertSkipped(
    through(
      [{ op: 'com.microsoft:FusedMatMul', inputs: ['w', 'x'], outputs: ['y'] }],
      [matrix('w', 5, 6)],
      [6, 3],
    ),
    /not factored/,
  );
  assert.equal(product.macs, 90);
});

test('trap: LSTM, GRU and RNN – times the length of the sequence, skipped with the reason', () => {
  const [steps, batch, width, hidden] = [7, 2, 5, 4];
  for (const [op, gates] of [
    ['LSTM', 4],
    ['GRU', 3],
    ['RNN', 1],
  ] as const) {
    for (const directions of [1, 2]) {
      const tensors = [
        floatTensor(
          'w',
          [directions, gates * hidden, width],
          seededArray(directions * gates * hidden * width, 1),
        ),
        floatTensor(
          'r',
          [directions, gates * hidden, hidden],
          seededArray(directions * gates * hidden * hidden, 2),
        ),
      ];
      const attributes: Record<string, AttributeSpec> = { hidden_size: hidden };
      if (directions === 2) attributes.direction = 'bidirectional';
      const spec = through([{ op, inputs: ['x', 'w', 'r'], outputs: ['y'], attributes }], tensors, [
        steps,
        batch,
        width,
      ]);
      const analysis = assertSkipped(spec, /Recurrent/);
      assert.equal(analysis.macs, steps * batch * directions * gates * hidden * (width + hidden), op);
      assert.equal(analysis.layers[0]?.parameters, directions * gates * hidden * (width + hidden), op);
    }
  }
});
