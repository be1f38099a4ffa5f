import { Element } from '../../elements';
import type { ElementType } from '../../model';
import { agreed, type Call, forAll, type Rule, type RuleTable, require } from '../call';
import type { Dim } from '../dim';
import { einsumShape } from '../einsum';
import { type Fact, type TensorFact, tensor } from '../fact';
import { broadcast } from '../fold';

/** The shape of a matrix product (numpy.matmul): 1-D operands count as a row and a column that then disappear. */
export function matmulShape(
  left: readonly Dim[] | null,
  right: readonly Dim[] | null,
): readonly Dim[] | null {
  if (left === null || right === null) return null;
  require(left.length > 0 && right.length > 0);
  const a = left.length === 1 ? [1, ...left] : left;
  const b = right.length === 1 ? [...right, 1] : right;
  agreed(a.at(-1)!, b.at(-2)!);
  const batch = broadcast([a.slice(0, -2), b.slice(0, -2)]);
  return [
    ...(batch ?? []),
    ...(left.length === 1 ? [] : [a.at(-2)!]),
    ...(right.length === 1 ? [] : [b.at(-1)!]),
  ];
}

const product =
  (left: number, right: number, type: (call: Call) => ElementType): Rule =>
  (call) =>
    tensor(type(call), matmulShape(call.shape(left), call.shape(right)));

const gemm: Rule = (call) => {
  const a = call.shape(0);
  const b = call.shape(1);
  if (!a || !b) return tensor(call.type(0), [null, null]);
  require(a.length === 2 && b.length === 2);
  const [rows, inner] = call.int('transA', 0) ? [a[1]!, a[0]!] : [a[0]!, a[1]!];
  const [depth, columns] = call.int('transB', 0) ? [b[1]!, b[0]!] : [b[0]!, b[1]!];
  agreed(inner, depth);
  return tensor(call.type(0), [rows, columns]);
};

/** com.microsoft FusedMatMul: the last two axes swapped first, or the batch axes moved inwards. */
const fusedMatMul: Rule = (call) =>
  tensor(call.type(0), matmulShape(transposed(call, 0, 'A'), transposed(call, 1, 'B')));

function transposed(call: Call, input: number, letter: 'A' | 'B'): readonly Dim[] | null {
  const shape = call.shape(input);
  if (shape === null || shape.length < 2) return shape;
  let dims = [...shape];
  if (call.int(`transBatch${letter}`, 0)) dims = [...dims.slice(1, -1), dims[0]!, dims.at(-1)!];
  return call.int(`trans${letter}`, 0) ? [...dims.slice(0, -2), dims.at(-1)!, dims.at(-2)!] : dims;
}

/** The weight is packed; the attributes K and N tell its shape. */
const packedMatMul: Rule = (call) => {
  const shape = call.shape(0);
  const columns = call.int('N', 0);
  require(columns > 0);
  return tensor(call.type(0), shape && [...shape.slice(0, -1), columns]);
};

const einsum: Rule = (call) =>
  tensor(
    call.type(0),
    einsumShape(
      call.text('equation', ''),
      call.node.inputs.map((_, i) => call.shape(i)),
    ),
  );

/** Det: the determinants of the last two axes. */
const det: Rule = (call): Fact => {
  const shape = call.shape(0);
  if (!shape) return tensor(call.type(0), null);
  require(shape.length >= 2);
  agreed(shape.at(-1)!, shape.at(-2)!);
  return tensor(call.type(0), shape.slice(0, -2));
};

const MICROSOFT = 'com.microsoft';

export const matmulRules: RuleTable = new Map<string, Rule>([
  ['MatMul', product(0, 1, (call) => call.type(0) || call.type(1))],
  ['MatMulInteger', product(0, 1, () => Element.int32)],
  ['QLinearMatMul', product(0, 3, (call) => call.type(7))],
  ['Gemm', gemm],
  ['Einsum', einsum],
  ['Det', det],
  ...forAll('FusedGemm', gemm, MICROSOFT),
  ...forAll('FusedMatMul FusedMatMulActivation TransposeMatMul', fusedMatMul, MICROSOFT),
  ...forAll('MatMulNBits MatMulBnb4 MatMulFpQ4', packedMatMul, MICROSOFT),
  ...forAll(
    'MatMulIntegerToFloat',
    product(0, 1, (call) => call.type(2)),
    MICROSOFT,
  ),
  ...forAll(
    'DynamicQuantizeMatMul',
    product(0, 1, () => Element.float),
    MICROSOFT,
  ),
  ...forAll(
    'GemmFloat8',
    (call) => tensor(call.int('dtype', Element.float), (gemm(call) as TensorFact).shape),
    MICROSOFT,
  ),
  ...forAll(
    'GemmFastGelu',
    product(0, 1, (call) => call.type(0)),
    MICROSOFT,
  ),
  ...forAll(
    'MatMulInteger16',
    product(0, 1, () => Element.int32),
    MICROSOFT,
  ),
  ...forAll('QGemm', gemmWithScales, MICROSOFT),
]);

/** com.microsoft QGemm: (A, scale, zero point, B, …); the type is that of the output zero point, if there is one. */
function gemmWithScales(call: Call): Fact {
  const a = call.shape(0);
  const b = call.shape(3);
  require(a?.length === 2 && b?.length === 2);
  const rows = call.int('transA', 0) ? a[1]! : a[0]!;
  const columns = call.int('transB', 0) ? b[0]! : b[1]!;
  return tensor(call.has(8) ? call.type(8) : Element.float, [rows, columns]);
}
