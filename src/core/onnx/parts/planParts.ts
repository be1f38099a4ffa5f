import type { ElementType, Model, Node, Tensor } from '../model';
import type { ShapeTable } from '../shapes/inferShapes';
import { type ConstantParts, constantParts, type Needs, nodeBytes, tensorBytes } from './constantParts';
import { topologicalOrder } from './topologicalOrder';

/** Sizes of what a runtime can hold, in bytes of weights. */
export interface PartLimits {
  /** A model of no more runs as a whole. */
  readonly whole: number;
  /** What a part should have at the most. */
  readonly part: number;
  /** What it may have where it can't be cut any further. */
  readonly largest: number;
}

/** A part of a model that runs by itself. */
export interface ModelPart extends Needs {
  /** Tensors it gives to later parts or as outputs of the model. */
  readonly gives: readonly string[];
  /** Bytes of its weights and nodes. */
  readonly bytes: number;
}

/** A model in parts, or what of it is too large for one. */
export type PartPlan =
  | { readonly kind: 'parts'; readonly parts: readonly ModelPart[] }
  | ({ readonly kind: 'uncuttable' } & Uncuttable);

/** A node that, with what can't be separated from it, has too many bytes of weights. */
export interface Uncuttable {
  readonly node: Node;
  readonly bytes: number;
  /** Missing where there are nothing but nodes. */
  readonly largest: Tensor | undefined;
}

/** How a model may be cut. */
export interface CutRules {
  readonly limits: PartLimits;
  /** Whether tensors of a type can be handed from one part to the next. */
  canPass(type: ElementType): boolean;
}

/**
 * Cuts the main graph, in topological order, into parts that run one after the other. Each has the constants that its nodes
 * need, so that they stay constants; what depends on the inputs is passed on. Cuts are made where the least is passed on, in
 * front of a node with a weight if it makes no difference: what runtimes fuse with a layer stands behind it.
 */
export function planParts(model: Model, shapes: ShapeTable, rules: CutRules): PartPlan {
  const ordered = topologicalOrder(model.graph.nodes);
  const constants = constantParts(model, ordered);
  const steps = liveSteps(model, ordered, constants);
  const passed = passedOn(model, shapes, steps, rules);
  const parts: ModelPart[] = [];
  for (let from = 0; from < steps.length || parts.length === 0; ) {
    const to = cutAfter(steps, from, passed, rules.limits);
    if (typeof to !== 'number') return { kind: 'uncuttable', ...to };
    parts.push(partOf(model, steps, from, to, constants));
    from = to;
  }
  return { kind: 'parts', parts };
}

/** A node that depends on the inputs, with what it needs. */
interface Step {
  readonly node: Node;
  readonly needs: Needs;
}

/** The nodes without which an output would be missing, but for those that make constants. */
function liveSteps({ graph }: Model, ordered: readonly Node[], constants: ConstantParts): readonly Step[] {
  const live = new Set(graph.outputs.map(({ name }) => name));
  const steps: Step[] = [];
  for (const node of [...ordered].reverse()) {
    if (!node.outputs.some((name) => live.has(name) && !constants.isConstant(name))) continue;
    const needs = constants.needsOf(node);
    for (const name of needs.reads) live.add(name);
    steps.push({ node, needs });
  }
  return steps.reverse();
}

/** What a cut in front of a step passes on: a number of elements; infinite where it can't be made. */
function passedOn(
  { graph }: Model,
  shapes: ShapeTable,
  steps: readonly Step[],
  { canPass }: CutRules,
): readonly number[] {
  const made = new Map<string, number>();
  for (const [i, { node }] of steps.entries()) for (const name of node.outputs) if (name) made.set(name, i);
  const last = new Map<string, number>();
  for (const [i, { needs }] of steps.entries()) for (const name of needs.reads) last.set(name, i);
  for (const { name } of graph.outputs) last.set(name, steps.length);
  const change = new Float64Array(steps.length + 2);
  const barred = new Int32Array(steps.length + 2);
  for (const [name, from] of made) {
    const to = last.get(name);
    if (to === undefined) continue;
    const fact = shapes.fact(name);
    const canLeave = !fact || (fact.kind === 'tensor' && (fact.type === 0 || canPass(fact.type)));
    const dims = (fact?.kind === 'tensor' && fact.shape) || [];
    const elements = dims.reduce<number>((count, dim) => count * (typeof dim === 'number' ? dim : 1), 1);
    // Cuts in front of the steps from + 1 … to.
    change[from + 1]! += elements;
    change[to + 1]! -= elements;
    // An output has to leave in any case.
    barred[from + 1]! += canLeave || to === steps.length ? 0 : 1;
    barred[to + 1]! -= canLeave || to === steps.length ? 0 : 1;
  }
  let elements = 0;
  let bars = 0;
  return steps.map((_, i) => {
    elements += change[i]!;
    bars += barred[i]!;
    return bars > 0 ? Number.POSITIVE_INFINITY : elements;
  });
}

/** The end of the part that begins at a step. */
function cutAfter(
  steps: readonly Step[],
  from: number,
  passed: readonly number[],
  limits: PartLimits,
): number | Uncuttable {
  const nodes = new Set<Node>();
  const weights = new Set<Tensor>();
  let bytes = 0;
  let best = -1;
  let bestBytes = 0;
  for (let i = from; i < steps.length; i++) {
    const { needs } = steps[i]!;
    const before = bytes;
    let isHeavy = false;
    for (const node of needs.nodes) {
      if (!nodes.has(node)) bytes += nodeBytes(node);
      nodes.add(node);
    }
    for (const tensor of needs.weights) {
      isHeavy ||= tensor.dims.filter((dim) => dim > 1).length > 1;
      if (!weights.has(tensor)) bytes += tensorBytes(tensor);
      weights.add(tensor);
    }
    if (i > from && passed[i]! < Number.POSITIVE_INFINITY) {
      const cost = passed[i]!;
      const known = best < 0 ? Number.POSITIVE_INFINITY : passed[best]!;
      // A part of less than half the size is no cut to wish for.
      const isFirst = best < 0 || bestBytes < limits.part / 2;
      if (isFirst || cost < known || (cost === known && isHeavy)) {
        best = i;
        bestBytes = before;
      }
    }
    if (bytes <= limits.part) continue;
    if (best > 0) return best;
    if (bytes <= limits.largest) continue;
    const [largest] = [...weights].sort((a, b) => tensorBytes(b) - tensorBytes(a));
    return { node: steps[i]!.node, bytes, largest };
  }
  return steps.length;
}

function partOf(
  { graph }: Model,
  steps: readonly Step[],
  from: number,
  to: number,
  constants: ConstantParts,
): ModelPart {
  const own = steps.slice(from, to);
  const needs = own.map((step) => step.needs);
  const made = new Set(own.flatMap(({ node }) => node.outputs));
  const outputs = graph.outputs.map(({ name }) => name);
  const wanted = new Set([...steps.slice(to).flatMap((step) => [...step.needs.reads]), ...outputs]);
  const gives = [...made].filter((name) => wanted.has(name));
  if (to === steps.length) {
    // What no input bears on is given out at the end.
    for (const name of outputs.filter(constants.isConstant)) {
      needs.push(constants.needsOfConstant(name));
      gives.push(name);
    }
  }
  const nodes = new Set(needs.flatMap((each) => [...each.nodes]));
  const weights = new Set(needs.flatMap((each) => [...each.weights]));
  const reads = new Set(needs.flatMap((each) => [...each.reads]).filter((name) => !made.has(name)));
  const bytes =
    [...nodes].reduce((sum, node) => sum + nodeBytes(node), 0) +
    [...weights].reduce((sum, tensor) => sum + tensorBytes(tensor), 0);
  return { nodes, weights, reads, gives, bytes };
}
