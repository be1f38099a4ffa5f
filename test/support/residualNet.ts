import { floatTensor, type ModelSpec, seededArray } from './onnxModel';

/** A weight that leaves what goes through it as large as it was. */
export const evenWeight = (name: string, dims: readonly number[], seed: number) => {
  const fan = dims.length === 4 ? dims[1]! * dims[2]! * dims[3]! : dims[0]!;
  const values = seededArray(
    dims.reduce((a, b) => a * b, 1),
    seed,
  );
  return floatTensor(
    name,
    dims,
    values.map((value) => value * Math.sqrt(3 / fan)),
  );
};

/** Conv, BatchNormalization, Relu, Conv, BatchNormalization and the sum with what came in, three times. */
export function residualNet(): ModelSpec {
  const nodes: ModelSpec['nodes'][number][] = [];
  const initializers = [evenWeight('stem', [24, 3, 3, 3], 1)];
  nodes.push({ op: 'Conv', inputs: ['x', 'stem'], outputs: ['h0'], attributes: { pads: [1, 1, 1, 1] } });
  const conv = (from: string, to: string, seed: number) => {
    initializers.push(evenWeight(`w-${to}`, [24, 24, 3, 3], seed));
    for (const [name, at] of [
      ['scale', 1],
      ['shift', 0],
      ['mean', 0],
      ['variance', 1],
    ] as const)
      initializers.push(
        floatTensor(
          `${name}-${to}`,
          [24],
          seededArray(24, seed + 7).map((v) => at + 0.1 * v),
        ),
      );
    nodes.push(
      {
        op: 'Conv',
        inputs: [from, `w-${to}`],
        outputs: [`c-${to}`],
        attributes: { pads: [1, 1, 1, 1], kernel_shape: [3, 3] },
      },
      {
        op: 'BatchNormalization',
        inputs: [`c-${to}`, `scale-${to}`, `shift-${to}`, `mean-${to}`, `variance-${to}`],
        outputs: [to],
      },
    );
  };
  for (let block = 0; block < 3; block++) {
    conv(`h${block}`, `a${block}`, 10 * block + 2);
    nodes.push({ op: 'Relu', inputs: [`a${block}`], outputs: [`r${block}`] });
    conv(`r${block}`, `b${block}`, 10 * block + 3);
    nodes.push({ op: 'Add', inputs: [`b${block}`, `h${block}`], outputs: [`h${block + 1}`] });
  }
  nodes.push(
    { op: 'GlobalAveragePool', inputs: ['h3'], outputs: ['p'] },
    { op: 'Flatten', inputs: ['p'], outputs: ['f'] },
    { op: 'Gemm', inputs: ['f', 'head', 'bias'], outputs: ['y'] },
  );
  initializers.push(evenWeight('head', [24, 10], 90), floatTensor('bias', [10], seededArray(10, 91)));
  return { nodes, inputs: { x: ['N', 3, 12, 12] }, outputs: { y: null }, initializers };
}
