import { Element } from '../../elements';
import { axisOf, type Call, type Rule, type RuleTable, require, withDim } from '../call';
import { add, type Dim, floorDiv, mul, sub } from '../dim';
import { commonFact, constant, type Fact, tensor, UNKNOWN, type WrapperFact } from '../fact';

/** A list of values that all are like `element`. */
export function sequenceOf(element: Fact, length: Dim = null): WrapperFact {
  return { kind: 'sequence', element, length };
}

/** What the list holds; nothing is known where the value is no list. */
function elementOf(fact: Fact): Fact {
  return fact.kind === 'sequence' ? fact.element : UNKNOWN;
}

function lengthOfList(fact: Fact): Dim {
  return fact.kind === 'sequence' ? (fact.length ?? null) : null;
}

const construct: Rule = (call) => {
  require(call.arity > 0);
  const elements = call.node.inputs.map((_, i) => call.fact(i));
  return sequenceOf(elements.reduce(commonFact), call.arity);
};

const insert: Rule = (call) => {
  const list = call.fact(0);
  const length = lengthOfList(list);
  const element = length === 0 ? call.fact(1) : commonFact(elementOf(list), call.fact(1));
  return sequenceOf(element, add(length, 1));
};

const erase: Rule = (call) => sequenceOf(elementOf(call.fact(0)), sub(lengthOfList(call.fact(0)), 1));

const splitToSequence: Rule = (call) => {
  const shape = call.shape(0);
  const type = call.type(0);
  if (!shape) return sequenceOf(tensor(type, null));
  const axis = axisOf(call.int('axis', 0), shape.length);
  const total = shape[axis]!;
  if (!call.has(1)) {
    const keep = call.int('keepdims', 1) !== 0;
    return sequenceOf(
      tensor(type, keep ? withDim(shape, axis, 1) : shape.filter((_, i) => i !== axis)),
      total,
    );
  }
  const split = call.small(1);
  if (!split) return sequenceOf(tensor(type, withDim(shape, axis, null)));
  const first = split.values[0] ?? null;
  if (split.shape.length > 0) {
    const isEven = split.values.every((v) => v !== null && v === first);
    return sequenceOf(tensor(type, withDim(shape, axis, isEven ? first : null)), split.values.length);
  }
  require(typeof first !== 'number' || first > 0);
  const isEven = typeof total === 'number' && typeof first === 'number' && total % first === 0;
  return sequenceOf(
    tensor(type, withDim(shape, axis, isEven ? first : null)),
    isEven ? floorDiv(total, first) : null,
  );
};

const concatFromSequence: Rule = (call) => {
  const element = elementOf(call.fact(0));
  if (element.kind !== 'tensor') return UNKNOWN;
  const { type, shape } = element;
  if (!shape) return tensor(type, null);
  const isNew = call.int('new_axis', 0) !== 0;
  const axis = axisOf(call.int('axis', 0), shape.length + (isNew ? 1 : 0));
  const length = lengthOfList(call.fact(0));
  if (isNew) return tensor(type, [...shape.slice(0, axis), length, ...shape.slice(axis)]);
  return tensor(type, withDim(shape, axis, mul(length, shape[axis]!)));
};

const sequenceLength: Rule = (call) => constant(Element.int64, [], [lengthOfList(call.fact(0))]);

const sequenceEmpty: Rule = (call) => sequenceOf(tensor(call.int('dtype', Element.float), null), 0);

const optional: Rule = (call) => {
  if (call.has(0)) return { kind: 'optional', element: call.fact(0) };
  const type = call.attribute('type');
  return { kind: 'optional', element: (type?.kind === 'type' && call.declared(type.value)) || UNKNOWN };
};

const optionalGetElement: Rule = (call) => {
  const fact = call.fact(0);
  // Since opset 18 a plain tensor or list may stand there, too.
  return fact.kind === 'optional' ? fact.element : fact;
};

export const sequenceRules: RuleTable = new Map<string, Rule>([
  ['SequenceConstruct', construct],
  ['SequenceEmpty', sequenceEmpty],
  ['SequenceInsert', insert],
  ['SequenceErase', erase],
  ['SequenceAt', (call) => elementOf(call.fact(0))],
  ['SequenceLength', sequenceLength],
  ['SplitToSequence', splitToSequence],
  ['ConcatFromSequence', concatFromSequence],
  ['SequenceMap', sequenceMap],
  ['Optional', optional],
  ['OptionalHasElement', () => tensor(Element.bool, [])],
  ['OptionalGetElement', optionalGetElement],
]);

/** The body runs on every element of the first list; lists beside it are walked along with it. */
function sequenceMap(call: Call): readonly Fact[] {
  const body = call.attribute('body');
  require(body?.kind === 'graph');
  const inputs = call.node.inputs.map((_, i) => {
    const fact = call.fact(i);
    return fact.kind === 'sequence' ? fact.element : fact;
  });
  const length = lengthOfList(call.fact(0));
  call.setTrips(length);
  return call.runBody(body.value, inputs).map((output) => sequenceOf(output, length));
}
