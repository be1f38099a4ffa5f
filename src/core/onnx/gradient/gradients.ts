import { Element } from '../elements';
import type { Model, Node } from '../model';
import { nestedGraphs } from '../names';
import { Unfit } from '../shapes/call';
import type { ShapeTable } from '../shapes/inferShapes';
import { ELEMENTWISE } from './elementwise';
import { type GradientRules, Unknown } from './gradientCall';
import { LAYOUT } from './layout';
import type { NodeBuilder } from './nodeBuilder';
import { NORMALISATION } from './normalisation';
import { POOLING } from './pooling';
import { PRODUCTS } from './products';

const RULES: GradientRules = new Map([...ELEMENTWISE, ...PRODUCTS, ...POOLING, ...LAYOUT, ...NORMALISATION]);

/** Operators whose outputs do not move with small steps of their inputs. */
const CONSTANT = new Set(
  'Shape Size ArgMax ArgMin Equal Greater Less GreaterOrEqual LessOrEqual Not And Or Xor NonZero Floor Ceil Round Sign ConstantOfShape IsNaN IsInf'.split(
    ' ',
  ),
);

/** Where derivatives begin: ∂/∂tensor as the name of a tensor of its size. */
export type Seeds = ReadonlyMap<string, string>;

/** What is to be derived. */
export interface GradientRequest {
  readonly seeds: Seeds;
  /** Tensors of the main graph. */
  readonly wanted: readonly string[];
}

/**
 * Adds nodes that compute the derivatives of Σ seed · tensor with respect to some tensors of a model's main graph: reverse
 * mode, with a rule per operator (Griewank & Walther 2008, ch. 3), in ONNX's own operators, so that whatever runs the model
 * runs this. Sizes are those of `shapes`. Gives the names of the derivatives; tensors that it can't be told for, because of
 * an operator between them and a seed, are left out, and so are those that no seed depends on. For models in float
 * and operator sets from 9.
 */
export function addGradients(
  { graph, opsets }: Model,
  shapes: ShapeTable,
  build: NodeBuilder,
  { seeds, wanted }: GradientRequest,
): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  if ((opsets.get('') ?? 1) < 9) return found;
  const moved = movedBy(graph.nodes, new Set(wanted));
  const parts = new Map<string, string[]>();
  const lost = new Set<string>();
  const give = (name: string, part: string) => {
    const own = parts.get(name) ?? [];
    own.push(part);
    parts.set(name, own);
  };
  for (const [name, seed] of seeds) give(name, seed);
  // All readers of a tensor stand behind what makes it: when that is reached, the sum is complete.
  const total = (name: string): string | undefined => {
    const own = parts.get(name);
    if (!own || lost.has(name)) return undefined;
    const [first = '', ...others] = own;
    const sum = others.reduce((one, other) => build.op('Add', [one, other]), first);
    parts.set(name, [sum]);
    return sum;
  };
  const asked = new Set(wanted);
  for (const node of [...graph.nodes].reverse()) {
    const gradients = node.outputs.map((name) => (name ? total(name) : undefined));
    for (const [i, name] of node.outputs.entries())
      if (asked.has(name) && gradients[i] !== undefined) found.set(name, gradients[i]!);
    const inputs = readBy(node).filter((name) => moved.has(name));
    if (inputs.length === 0) continue;
    const isLost = node.outputs.some((name) => lost.has(name));
    if (!isLost && gradients.every((gradient) => gradient === undefined)) continue;
    const derived = isLost ? undefined : derive(node, gradients);
    if (!derived) for (const name of inputs) lost.add(name);
    for (const [i, gradient] of (derived ?? []).entries())
      if (gradient !== undefined) give(node.inputs[i]!, gradient);
  }
  return found;

  function derive(node: Node, gradients: readonly (string | undefined)[]) {
    if (node.domain === '' && CONSTANT.has(node.opType)) return [];
    const rule = node.domain === '' ? RULES.get(node.opType) : undefined;
    // Rules take what the first output says for granted; only Split gives several.
    if (!rule || nestedGraphs(node).length > 0 || (gradients[0] === undefined && node.opType !== 'Split'))
      return undefined;
    if (node.opType !== 'Split' && gradients.some((gradient, i) => i > 0 && gradient !== undefined))
      return undefined;
    const wants = (input: number) => moved.has(node.inputs[input] ?? '');
    try {
      return rule({
        node,
        build,
        call: shapes.call(node),
        gradient: gradients[0] ?? '',
        gradients,
        x: node.inputs,
        y: node.outputs[0]!,
        wants,
        dims,
      }).map((gradient, i) => (wants(i) ? gradient : undefined));
    } catch (error) {
      if (error instanceof Unknown || error instanceof Unfit) return undefined;
      throw error;
    }
  }

  function dims(name: string): readonly number[] {
    const known = shapes.get(name);
    const shape = known?.type === Element.float || known?.type === 0 ? known.shape : undefined;
    if (!shape?.every((length): length is number => typeof length === 'number')) throw new Unknown();
    return shape;
  }
}

/** These tensors, and all that move when they do. */
function movedBy(nodes: readonly Node[], names: ReadonlySet<string>): ReadonlySet<string> {
  const moved = new Set(names);
  for (const node of nodes) {
    if (node.domain === '' && CONSTANT.has(node.opType)) continue;
    if (readBy(node).some((name) => moved.has(name)))
      for (const name of node.outputs) if (name) moved.add(name);
  }
  return moved;
}

/** What a node reads, from inside its bodies as well. */
function readBy(node: Node): readonly string[] {
  const inner = nestedGraphs(node).flatMap((graph) => [
    ...graph.nodes.flatMap(readBy),
    ...graph.outputs.map(({ name }) => name),
  ]);
  return [...node.inputs, ...inner];
}
