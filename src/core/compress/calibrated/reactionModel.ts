import { Element } from '../../onnx/elements';
import { addGradients } from '../../onnx/gradient/gradients';
import { createNodeBuilder, type NodeBuilder } from '../../onnx/gradient/nodeBuilder';
import { spliceParts } from '../../onnx/gradient/spliceParts';
import type { Model, Node } from '../../onnx/model';
import type { ShapeTable } from '../../onnx/shapes/inferShapes';
import type { Segment } from '../../onnx/splice';
import type { CalibratedForm } from './patchWeights';

/** Outputs of a layer whose effect on what the model says is asked for. */
export interface WatchedOutputs {
  readonly form: CalibratedForm;
  /** y of y = W · p + b, a tensor of the main graph. */
  readonly tensor: string;
  /** How many there are, those of all groups. */
  readonly outputs: number;
}

/** A model that tells how its outputs react to those of its layers. */
export interface ReactionModel {
  readonly segments: readonly Segment[];
  /** Inputs to be fed with −1 and 1 at random, beside the data. */
  readonly signs: readonly { readonly name: string; readonly dims: readonly number[] }[];
  /** For each of what was watched the output that holds its matrix, S × S; undefined where it can't be told. */
  readonly places: readonly (string | undefined)[];
}

/** What the squared norm of a distance of outputs is: see `outputDistance`. */
export type OutputMeaning = 'divergence' | 'values';

/**
 * The model with its own derivatives behind it. In one run on a batch it gives for each of the watched layers Σ g · gᵀ over
 * all columns, g being ∂ℓ/∂y for ℓ = ε · √F · z with random signs ε: its mean over them is, to second order, the
 * matrix M of yᵀMy, the distance that a step of y moves the outputs by. F is half the Fisher information where
 * outputs are scores or probabilities (the Kullback–Leibler divergence, Martens 2020, §9), and the identity over ‖z‖² where
 * they are values. One factor of the Kronecker-factored curvature of Martens & Grosse (2015, §3); the other, of the
 * inputs, is their covariance. `shapes` are those at the size of the batch. undefined where nothing can be told.
 */
export function reactionModel(
  model: Model,
  shapes: ShapeTable,
  watched: readonly WatchedOutputs[],
  meaning: OutputMeaning,
): ReactionModel | undefined {
  const build = createNodeBuilder(model);
  const signs: { name: string; dims: readonly number[] }[] = [];
  const seeds = new Map<string, string>();
  for (const { name } of model.graph.outputs) {
    const { tensor, isScore } = seedOf(model, shapes, name, meaning);
    const known = shapes.get(tensor);
    const dims = known?.shape?.filter((length): length is number => typeof length === 'number');
    if (known?.type !== Element.float) continue;
    // One output that can't be followed would be taken for one that does not matter.
    if (!dims || dims.length !== known.shape?.length || seeds.has(tensor)) return undefined;
    const sign = build.input(`${tensor}_signs`, dims);
    signs.push({ name: sign, dims });
    seeds.set(tensor, isScore ? ofScores(build, tensor, sign, dims) : ofValues(build, tensor, sign));
  }
  if (seeds.size === 0) return undefined;
  const gradients = addGradients(model, shapes, build, {
    seeds,
    wanted: watched.map(({ tensor }) => tensor),
  });
  const places = watched.map((one) => {
    const gradient = gradients.get(one.tensor);
    const order = shapes.get(one.tensor)?.shape?.length;
    return gradient !== undefined && order ? second(build, gradient, one, order) : undefined;
  });
  const outputs = places.flatMap((name) => (name ? [{ name, type: Element.float }] : []));
  return outputs.length === 0 ? undefined : { segments: spliceParts(model, build, outputs), signs, places };
}

/** Where derivatives begin: probabilities are followed from the scores behind them. */
function seedOf(
  { graph }: Model,
  shapes: ShapeTable,
  name: string,
  meaning: OutputMeaning,
): { readonly tensor: string; readonly isScore: boolean } {
  const order = shapes.get(name)?.shape?.length ?? 0;
  const last = shapes.get(name)?.shape?.at(-1);
  if (meaning === 'values' || last === 1) return { tensor: name, isScore: false };
  const maker = graph.nodes.find(({ outputs }) => outputs.includes(name));
  if (maker && isSoftmax(maker)) return { tensor: maker.inputs[0]!, isScore: true };
  return { tensor: name, isScore: order === 2 };
}

function isSoftmax({ domain, opType }: Node): boolean {
  return domain === '' && (opType === 'Softmax' || opType === 'LogSoftmax');
}

/** √F · ε for scores z with p = softmax(z): √p ∘ ε − p · (√p · ε), over √(2 · rows). */
function ofScores(build: NodeBuilder, scores: string, sign: string, dims: readonly number[]): string {
  const axis = dims.length - 1;
  const p = build.op('Softmax', [scores], { axis });
  const part = build.op('Mul', [build.op('Sqrt', [p]), sign]);
  const along = build.op('Mul', [p, build.sum(part, [axis])]);
  const rows = dims.slice(0, -1).reduce((a, b) => a * b, 1);
  return build.op('Mul', [build.op('Sub', [part, along]), build.floats([1 / Math.sqrt(2 * rows)])]);
}

/** ε / ‖z‖. */
function ofValues(build: NodeBuilder, values: string, sign: string): string {
  const flat = build.reshape(values, [-1]);
  const norm = build.op('Sqrt', [build.sum(build.op('Mul', [flat, flat]), [0])]);
  return build.op('Div', [sign, build.op('Add', [norm, build.floats([1e-20])])]);
}

/** Σ g · gᵀ over all columns. */
function second(
  build: NodeBuilder,
  gradient: string,
  { form, outputs }: WatchedOutputs,
  order: number,
): string | undefined {
  const axes = Array.from({ length: order }, (_, i) => i);
  const moved = (perm: readonly number[]) =>
    perm.every((axis, i) => axis === i) ? gradient : build.op('Transpose', [gradient], { perm });
  if (form.kind === 'matmul' && form.lead.length > 0) return undefined;
  // As rows, or where they stand in front of the positions as columns of that.
  const last = form.kind === 'conv' ? 1 : order - (form.side === 'right' ? 1 : 2);
  if (last < 0) return undefined;
  const rest = axes.filter((axis) => axis !== last);
  if (form.kind === 'conv') {
    const columns = build.reshape(moved([last, ...rest]), [outputs, -1]);
    return build.op('MatMul', [columns, build.op('Transpose', [columns], { perm: [1, 0] })]);
  }
  const rows = build.reshape(moved([...rest, last]), [-1, outputs]);
  return build.op('MatMul', [build.op('Transpose', [rows], { perm: [1, 0] }), rows]);
}
