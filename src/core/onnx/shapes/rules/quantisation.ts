import { Element } from '../../elements';
import { forAll, type Rule, type RuleTable, require, sameAs, withDim } from '../call';
import { add } from '../dim';
import { tensor } from '../fact';
import { broadcast } from '../fold';

const UINT8 = 2;
const MICROSOFT = 'com.microsoft';

const quantize: Rule = (call) => {
  const wanted = call.int('output_dtype', 0);
  const zeroPoint = call.has(2) ? call.type(2) : wanted || UINT8;
  require(!wanted || !zeroPoint || wanted === zeroPoint);
  return tensor(zeroPoint || wanted, call.shape(0));
};

const dequantize: Rule = (call) => tensor(call.int('output_dtype', 0) || call.type(1), call.shape(0));

const dynamicQuantize: Rule = (call) => [
  tensor(UINT8, call.shape(0)),
  tensor(Element.float, []),
  tensor(UINT8, []),
];

/** (A, scale, zero point, B, scale, zero point, …): the shapes of A and B broadcast. */
const qlinearBinary: Rule = (call) => tensor(call.type(0), broadcast([call.shape(0), call.shape(3)]));

/** (scale, zero point, then a tensor, its scale and its zero point, again and again). */
const qlinearConcat: Rule = (call) => {
  const parts: number[] = [];
  for (let i = 2; i < call.arity; i += 3) parts.push(i);
  const first = call.shape(parts[0] ?? 0);
  if (!first) return tensor(call.type(1), null);
  const axis = call.int('axis', 0);
  const at = axis < 0 ? axis + first.length : axis;
  require(at >= 0 && at < first.length);
  const total = parts.reduce((sum: ReturnType<typeof add>, i) => add(sum, call.shape(i)?.[at] ?? null), 0);
  return tensor(call.type(1), withDim(first, at, total));
};

export const quantisationRules: RuleTable = new Map<string, Rule>([
  ['QuantizeLinear', quantize],
  ['DequantizeLinear', dequantize],
  ['DynamicQuantizeLinear', dynamicQuantize],
  ...forAll('QuantizeLinear', quantize, MICROSOFT),
  ...forAll('DequantizeLinear', dequantize, MICROSOFT),
  ...forAll('QLinearAdd QLinearMul', qlinearBinary, MICROSOFT),
  ...forAll('QLinearSigmoid QLinearLeakyRelu QLinearSoftmax', sameAs(0), MICROSOFT),
  ...forAll('QLinearConcat', qlinearConcat, MICROSOFT),
]);
