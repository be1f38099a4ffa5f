import { Element } from '../../elements';
import { forAll, lengthOf, type Rule, type RuleTable, require, scalarOf, unknownDims } from '../call';
import { add, ceilDiv, type Dim, floorDiv, max, mul, sub } from '../dim';
import { constant, type Fact, int64, tensor } from '../fact';
import { asShape, filled } from '../fold';

const constantNode: Rule = (call) => {
  for (const [name, attribute] of call.node.attributes) {
    const value = attribute.kind === 'reference' ? call.attribute(name) : attribute;
    if (value?.kind === 'tensor' && name === 'value') return call.constantOf(value.value);
    if (value?.kind === 'sparse' && name === 'sparse_value')
      return tensor(value.value.type, value.value.dims);
    if (value?.kind === 'int' && name === 'value_int') return constant(Element.int64, [], [value.value]);
    if (value?.kind === 'ints' && name === 'value_ints') return int64(value.value);
    if (value?.kind === 'float' && name === 'value_float') return constant(Element.float, [], [value.value]);
    if (value?.kind === 'floats' && name === 'value_floats') {
      return constant(Element.float, [value.value.length], value.value);
    }
    if (value?.kind === 'string' && name === 'value_string') return tensor(STRING, []);
    if (value?.kind === 'strings' && name === 'value_strings') return tensor(STRING, [value.value.length]);
  }
  return tensor(0, null);
};

const STRING = 8;

const constantOfShape: Rule = (call) => {
  const attribute = call.attribute('value');
  const value =
    attribute?.kind === 'tensor' ? call.constantOf(attribute.value) : constant(Element.float, [1], [0]);
  require(value.shape?.length === 0 || (value.shape?.length === 1 && value.shape[0] === 1) || !value.shape);
  const target = call.small(0)?.values;
  if (!target) {
    const order = lengthOf(call, 0);
    return tensor(value.type, order === undefined ? null : unknownDims(order));
  }
  require(call.shape(0)!.length <= 1);
  const element = value.values?.()?.[0] ?? null;
  return filled(value.type, asShape(target), () => element);
};

/** start, start + delta, … before limit. */
const range: Rule = (call) => {
  const [start, limit, delta] = [0, 1, 2].map((i) => scalarOf(call, i));
  const type = call.type(0);
  if (!isKnown(start) || !isKnown(limit) || !isKnown(delta)) return tensor(type, [null]);
  require(delta !== 0);
  const distance = sub(limit, start);
  let count: Dim = null;
  if (typeof delta === 'number') {
    if (typeof distance === 'number') count = Math.max(0, Math.ceil(distance / delta));
    else if (Number.isInteger(delta)) {
      count = delta > 0 ? ceilDiv(distance, delta) : ceilDiv(mul(distance, -1), -delta);
      count = count === null ? null : max(count, 0);
    }
  }
  if (typeof count === 'number') require(Number.isSafeInteger(count));
  return filled(type, [count], ([i]) => add(start, mul(delta, i!)));
};

function isKnown(dim: Dim | undefined): dim is Exclude<Dim, null> {
  return dim !== null && dim !== undefined;
}

const random: Rule = (call) => {
  const shape = call.ints('shape');
  require(shape?.every((d) => d >= 0) ?? true);
  return tensor(call.int('dtype', Element.float), shape ?? null);
};

/** The shape of the input; the type of the attribute, or else of the input. */
const like: Rule = (call) => tensor(call.int('dtype', 0) || call.type(0), call.shape(0));

const eyeLike: Rule = (call) => {
  const shape = call.shape(0);
  require(!shape || shape.length === 2);
  return like(call);
};

const multinomial: Rule = (call) =>
  tensor(call.int('dtype', Element.int32), [call.shape(0)?.[0] ?? null, call.int('sample_size', 1)]);

/** Window functions of signal processing, of the length that the input tells. */
const signalWindow: Rule = (call) => {
  const size = scalarOf(call, 0);
  if (typeof size === 'number') require(size > 0);
  return tensor(call.int('output_datatype', Element.float), [size]);
};

const melWeightMatrix: Rule = (call): Fact => {
  const bins = scalarOf(call, 0);
  const length = scalarOf(call, 1);
  if (typeof bins === 'number') require(bins > 0);
  if (typeof length === 'number') require(length > 0);
  return tensor(call.int('output_datatype', Element.float), [add(floorDiv(length, 2), 1), bins]);
};

export const generatorRules: RuleTable = new Map<string, Rule>([
  ['Constant', constantNode],
  ['ConstantOfShape', constantOfShape],
  ['Range', range],
  ...forAll('RandomNormal RandomUniform', random),
  ...forAll('RandomNormalLike RandomUniformLike Bernoulli', like),
  ['EyeLike', eyeLike],
  ['Multinomial', multinomial],
  ...forAll('HammingWindow HannWindow BlackmanWindow', signalWindow),
  ['MelWeightMatrix', melWeightMatrix],
]);
