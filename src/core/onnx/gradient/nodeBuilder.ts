import { Element } from '../elements';
import type { Attribute, Model } from '../model';
import { freshNames } from '../names';
import { encodeNode, encodeValueInfo } from '../proto';
import { field, tensorField } from '../splice';
import { encodeFloats } from '../tensorData';

/** Attributes of a node to be added, as plain values: whole numbers and lists of such, or a text. */
export type NewAttributes = Readonly<Record<string, number | readonly number[] | string | Attribute>>;

/** What was added to a graph, as fields of a GraphProto. */
export interface NewParts {
  readonly nodes: readonly Uint8Array[];
  readonly initializers: readonly Uint8Array[];
  readonly inputs: readonly Uint8Array[];
}

/** Adds nodes behind those of a model, in its own operator set. */
export interface NodeBuilder {
  /** Version of the standard operator set. */
  readonly opset: number;
  /** A node with one output, whose name is returned. */
  op(opType: string, inputs: readonly string[], attributes?: NewAttributes): string;
  /** A node with several outputs. */
  many(
    opType: string,
    inputs: readonly string[],
    count: number,
    attributes?: NewAttributes,
  ): readonly string[];
  /** A constant vector of int64. */
  ints(values: readonly number[]): string;
  /** A constant of float; a scalar without dimensions. */
  floats(values: readonly number[], dims?: readonly number[]): string;
  /** Declares an input of float. */
  input(wanted: string, dims: readonly number[]): string;
  /** Sums over axes, which stay with length 1. */
  sum(x: string, axes: readonly number[]): string;
  /** Elements from `start` up to `end` along each of these axes. */
  slice(x: string, axes: readonly number[], start: readonly number[], end: readonly number[]): string;
  /** Zeros around: as many in front of each axis, then as many behind each. */
  pad(x: string, pads: readonly number[]): string;
  /** With these dimensions, or those of another tensor. */
  reshape(x: string, dims: readonly number[] | { readonly like: string }): string;
  /** The names that the new nodes read and did not make. */
  readonly read: ReadonlySet<string>;
  parts(): NewParts;
}

/** Field numbers of GraphProto. */
const [NODE, INITIALIZER, INPUT] = [1, 5, 11];

/** A builder for a model; nothing is added to it before somebody splices the parts in. */
export function createNodeBuilder(model: Model): NodeBuilder {
  const opset = model.opsets.get('') ?? 1;
  const fresh = freshNames(model);
  const nodes: Uint8Array[] = [];
  const initializers: Uint8Array[] = [];
  const inputs: Uint8Array[] = [];
  const read = new Set<string>();
  const constants = new Map<string, string>();

  const constant = (type: number, dims: readonly number[], raw: Uint8Array, key: string): string => {
    const known = constants.get(key);
    if (known !== undefined) return known;
    const name = fresh('gradient_constant');
    constants.set(key, name);
    initializers.push(joined(tensorField(INITIALIZER, name, type, dims, raw) as readonly Uint8Array[]));
    // Before IR version 4 every initializer is declared among the inputs.
    if (model.irVersion < 4) inputs.push(joined(field(INPUT, encodeValueInfo(name, type, dims))));
    return name;
  };
  const many: NodeBuilder['many'] = (opType, from, count, attributes = {}) => {
    const outputs = Array.from({ length: count }, () => fresh(`gradient_${opType}`));
    for (const name of from) if (name) read.add(name);
    nodes.push(
      joined(
        field(
          NODE,
          encodeNode({
            name: outputs[0]!,
            opType,
            inputs: from,
            outputs,
            attributes: attributesOf(attributes),
          }),
        ),
      ),
    );
    return outputs;
  };
  const op: NodeBuilder['op'] = (opType, from, attributes) => many(opType, from, 1, attributes)[0]!;
  const ints = (values: readonly number[]) =>
    constant(
      Element.int64,
      [values.length],
      new Uint8Array(BigInt64Array.from(values, (value) => BigInt(value)).buffer),
      `i ${values}`,
    );

  return {
    opset,
    op,
    many,
    ints,
    read,
    floats: (values, dims = []) =>
      constant(
        Element.float,
        dims,
        encodeFloats(Element.float, Float64Array.from(values)),
        `f ${dims} ${values}`,
      ),
    input(wanted, dims) {
      const name = fresh(wanted);
      inputs.push(joined(field(INPUT, encodeValueInfo(name, Element.float, dims))));
      return name;
    },
    sum: (x, axes) =>
      opset >= 13
        ? op('ReduceSum', [x, ints(axes)], { keepdims: 1 })
        : op('ReduceSum', [x], { axes, keepdims: 1 }),
    slice: (x, axes, start, end) =>
      opset >= 10
        ? op('Slice', [x, ints(start), ints(end), ints(axes)])
        : op('Slice', [x], { axes, starts: start, ends: end }),
    pad: (x, pads) => (opset >= 11 ? op('Pad', [x, ints(pads)]) : op('Pad', [x], { pads })),
    reshape: (x, dims) => op('Reshape', [x, 'like' in dims ? op('Shape', [dims.like]) : ints(dims)]),
    parts: () => ({ nodes, initializers, inputs }),
  };
}

function attributesOf(attributes: NewAttributes): ReadonlyMap<string, Attribute> {
  return new Map(
    Object.entries(attributes).map(([name, value]): [string, Attribute] => {
      if (typeof value === 'number') return [name, { kind: 'int', value }];
      if (typeof value === 'string') return [name, { kind: 'string', value }];
      return [name, isList(value) ? { kind: 'ints', value } : value];
    }),
  );
}

function isList(value: readonly number[] | Attribute): value is readonly number[] {
  return Array.isArray(value);
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}
