import { Element, isFloatType } from '../../elements';
import type { ElementType } from '../../model';
import { type Call, forAll, type Rule, type RuleTable, require, sameAs } from '../call';
import { add, type Dim, floorDiv, isSymbolic, lowerBound, max, min, mul, sameDim, sub } from '../dim';
import { type Fact, tensor } from '../fact';
import { broadcast, elementwise } from '../fold';

type Compute = (a: Dim, b: Dim, type: ElementType) => Dim;

/** Both numbers, or unknown. */
const numeric =
  (compute: (a: number, b: number) => number): Compute =>
  (a, b) =>
    typeof a === 'number' && typeof b === 'number' ? compute(a, b) : null;

const divide: Compute = (a, b, type) => {
  if (typeof a === 'number' && typeof b === 'number') {
    if (isFloatType(type)) return a / b;
    return b === 0 ? null : Math.trunc(a / b);
  }
  if (sameDim(a, b)) return 1;
  // Integer division truncates: that is the floor where nothing is negative.
  if (isFloatType(type)) return typeof b === 'number' ? exactPart(a, b) : null;
  return lowerBound(a) >= 0 && lowerBound(b) > 0 ? floorDiv(a, b) : null;
};

/** a/b for a float b that divides every coefficient of a. */
function exactPart(a: Dim, b: number): Dim {
  const quotient = floorDiv(a, b);
  return sameDim(mul(quotient, b), a) ? quotient : null;
}

const modulo: Compute = (a, b) => {
  if (typeof a === 'number' && typeof b === 'number') return b === 0 ? null : a - b * Math.floor(a / b);
  return lowerBound(b) > 0 ? sub(a, mul(b, floorDiv(a, b))) : null;
};

/** 1, 0 or unknown: whether `a − b` is of that sign. */
function compared(a: Dim, b: Dim, holds: (sign: number) => boolean): Dim {
  if (typeof a === 'number' && typeof b === 'number') return Number(holds(Math.sign(a - b)));
  const difference = sub(a, b);
  if (difference === 0) return Number(holds(0));
  if (lowerBound(difference) > 0) return Number(holds(1));
  if (lowerBound(sub(b, a)) > 0) return Number(holds(-1));
  return null;
}

/** The sum; where int64 would wrap around, the node is wrong. As a double, 2^63 may be the largest number itself. */
const sumOf: Compute = (a, b, type) => {
  if (type === Element.int64) {
    const [x, y] = [lowerBound(a), lowerBound(b)];
    require(!Number.isFinite(x + y) || Math.abs(x + y) < 2 ** 63 || x * y <= 0);
  }
  return add(a, b);
};

const productInRange: Compute = (a, b, type) => {
  const result = mul(a, b);
  const bound = lowerBound(result);
  require(type !== Element.int64 || !Number.isFinite(bound) || Math.abs(bound) <= 2 ** 63);
  return result;
};

const ARITHMETIC: Record<string, Compute | undefined> = {
  Add: sumOf,
  Sub: (a, b, type) => sumOf(a, mul(b, -1), type),
  Mul: productInRange,
  Div: divide,
  Mod: modulo,
  // Whole powers of whole numbers: others are not rounded alike everywhere.
  Pow: (a, b) => (Number.isInteger(a) && Number.isInteger(b) ? (a as number) ** (b as number) : null),
  BitShift: undefined,
  BitwiseAnd: undefined,
  BitwiseOr: undefined,
  BitwiseXor: undefined,
};

const COMPARISONS: Record<string, Compute> = {
  Equal: (a, b) => compared(a, b, (s) => s === 0),
  Less: (a, b) => compared(a, b, (s) => s < 0),
  LessOrEqual: (a, b) => compared(a, b, (s) => s <= 0),
  Greater: (a, b) => compared(a, b, (s) => s > 0),
  GreaterOrEqual: (a, b) => compared(a, b, (s) => s >= 0),
  And: numeric((a, b) => Number(a !== 0 && b !== 0)),
  Or: numeric((a, b) => Number(a !== 0 || b !== 0)),
  Xor: numeric((a, b) => Number((a !== 0) !== (b !== 0))),
};

const UNARY: Record<string, ((x: number) => number) | undefined> = {
  Floor: Math.floor,
  Ceil: Math.ceil,
  Neg: (x) => -x,
  Abs: Math.abs,
  Sqrt: Math.sqrt,
  // Not rounded alike everywhere, so not computed.
  Exp: undefined,
  Log: undefined,
  Sign: Math.sign,
  Reciprocal: (x) => 1 / x,
  // Half to even, as IEEE 754 and ONNX have it.
  Round: (x) => (Math.abs(x % 1) === 0.5 ? 2 * Math.round(x / 2) : Math.round(x)),
};

/** Sizes are whole and not negative: these leave them as they are. */
const KEEPS_SIZES = new Set(['Floor', 'Ceil', 'Round', 'Abs']);

function unary(name: string): Rule {
  const compute = UNARY[name];
  return (call) =>
    elementwise(
      call,
      call.type(0),
      call.shape(0),
      compute &&
        (([x]) => {
          if (typeof x === 'number') return compute(x);
          if (name === 'Neg') return mul(x!, -1);
          return KEEPS_SIZES.has(name) && lowerBound(x!) >= 0 ? x! : null;
        }),
    );
}

/** Before opset 7 the second input was stretched to the first, and only if the node said so. */
function binaryShape(call: Call): readonly Dim[] | null {
  return call.opset < 7 && call.node.domain === ''
    ? call.shape(0)
    : broadcast([call.shape(0), call.shape(1)]);
}

function binary(compute: Compute | undefined, resultType: (call: Call) => ElementType): Rule {
  return (call) => {
    const type = resultType(call);
    const operand = call.type(0);
    return elementwise(
      call,
      type,
      binaryShape(call),
      compute && ((values) => compute(values[0]!, values[1]!, operand)),
    );
  };
}

const operandType = (call: Call): ElementType => call.type(0) || (call.opset >= 12 ? 0 : call.type(1));
const boolType = (): ElementType => Element.bool;

function variadic(combine: Compute | undefined): Rule {
  return (call) => {
    require(call.arity > 0);
    const shapes = call.node.inputs.map((_, i) => call.shape(i));
    const shape = call.opset < 8 ? shapes[0]! : broadcast(shapes);
    return elementwise(
      call,
      call.type(0),
      shape,
      combine && ((values) => values.slice(1).reduce((a, b) => combine(a, b, call.type(0)), values[0]!)),
    );
  };
}

const where: Rule = (call) => {
  const shape = broadcast([call.shape(0), call.shape(1), call.shape(2)]);
  return elementwise(call, call.type(1) || call.type(2), shape, ([condition, a, b]) => {
    if (typeof condition === 'number') return condition !== 0 ? a! : b!;
    return sameDim(a!, b!) ? a! : null;
  });
};

const not: Rule = (call) =>
  elementwise(call, Element.bool, call.shape(0), ([x]) => (typeof x === 'number' ? Number(x === 0) : null));

/** The element a cast makes of a value; sizes stay sizes. */
function castElement(value: Dim, type: ElementType): Dim {
  if (isSymbolic(value)) return type === Element.bool ? (lowerBound(value) > 0 ? 1 : null) : value;
  if (value === null) return null;
  if (type === Element.bool) return Number(value !== 0);
  return isFloatType(type) ? value : Math.trunc(value);
}

function castTo(call: Call, type: ElementType): Fact {
  return elementwise(
    { ...call, node: { ...call.node, inputs: call.node.inputs.slice(0, 1) } },
    type,
    call.shape(0),
    ([x]) => castElement(x!, type),
  );
}

/** Before opset 6 the type was named by a string. */
const TYPE_NAMES = new Map(
  'FLOAT UINT8 INT8 UINT16 INT16 INT32 INT64 STRING BOOL FLOAT16 DOUBLE UINT32 UINT64'
    .split(' ')
    .map((name, i) => [name, i + 1]),
);

const cast: Rule = (call) =>
  castTo(call, call.int('to', 0) || TYPE_NAMES.get(call.text('to', '').toUpperCase()) || 0);

const clip: Rule = (call) => {
  const plain = tensor(call.type(0), call.shape(0));
  if (call.opset >= 11) {
    return elementwise(call, call.type(0), call.shape(0), (values) => {
      // An absent bound reads as null, so only calls with both bounds are computed.
      const [x, low, high] = values;
      return values.length === 3 ? min(max(x!, low!), high!) : null;
    });
  }
  return plain;
};

const dropout: Rule = (call) => {
  const shape = call.shape(0);
  return [tensor(call.type(0), shape), tensor(call.opset >= 10 ? Element.bool : call.type(0), shape)];
};

/** One element replaced by another of the same or of a different width: the last axis makes up for it. */
const bitCast: Rule = (call) => tensor(call.int('to', 0), call.shape(0));

/** Ops whose output has the shape and type of their first input. */
const SHAPE_OF_FIRST = `Relu LeakyRelu Elu Selu Celu ThresholdedRelu Sigmoid HardSigmoid HardSwish Swish Softplus Softsign
  Tanh Sin Cos Tan Asin Acos Atan Sinh Cosh Asinh Acosh Atanh Erf Gelu Mish Shrink Affine ImageScaler Scale
  ParametricSoftplus ScaledTanh BitwiseNot PRelu LRN LpNormalization MeanVarianceNormalization
  InstanceNormalization GroupNormalization RMSNormalization Trilu CumSum CumProd ReverseSequence
  ScatterND TensorScatter`;

export const elementwiseRules: RuleTable = new Map<string, Rule>([
  ...forAll(SHAPE_OF_FIRST, sameAs(0)),
  ...forAll('Gelu FastGelu QuickGelu BiasGelu BiasDropout Inverse', sameAs(0), 'com.microsoft'),
  ...forAll('Softmax LogSoftmax Hardmax', (call) => {
    const shape = call.shape(0);
    if (shape) {
      const axis = call.int('axis', call.opset >= 13 ? -1 : 1);
      require(axis >= -shape.length && axis < Math.max(shape.length, 1));
    }
    return tensor(call.type(0), shape);
  }),
  ...Object.keys(UNARY).map((name): [string, Rule] => [name, unary(name)]),
  ...Object.entries(ARITHMETIC).map(([name, compute]): [string, Rule] => [
    name,
    binary(compute, operandType),
  ]),
  ...Object.entries(COMPARISONS).map(([name, compute]): [string, Rule] => [name, binary(compute, boolType)]),
  ['Sum', variadic(add)],
  ['Mean', variadic(undefined)],
  ['Min', variadic(min)],
  ['Max', variadic(max)],
  ['Where', where],
  ['Not', not],
  ...forAll('IsNaN IsInf', (call) => tensor(Element.bool, call.shape(0))),
  ['Cast', cast],
  ['CastLike', (call) => castTo(call, call.type(1))],
  ['BitCast', bitCast],
  ['Clip', clip],
  ['Dropout', dropout],
]);
