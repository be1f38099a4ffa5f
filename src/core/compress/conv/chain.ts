import type { ConvForm } from '../layer';
import { type Cost, product } from '../method';

/**
 * One convolution of the chain that takes a convolution's place; channels are those of one group of the original,
 * and inside a split those of one part.
 */
export interface ConvStep {
  readonly kind: 'conv';
  readonly in: number;
  readonly out: number;
  /** Groups within one group of the original. */
  readonly groups: number;
  /** For each spatial axis whether this step brings its kernel, stride, dilation and padding; the others are 1 wide. */
  readonly acts: readonly boolean[];
}

/** A link of a chain: `split` moves blocks of channels into the batch, where they share weights; `join` undoes it. */
export type ChainStep =
  | ConvStep
  | { readonly kind: 'split'; readonly parts: number }
  | { readonly kind: 'join' };

/** A 1 × 1 convolution. */
export function point(form: ConvForm, from: number, to: number): ConvStep {
  return { kind: 'conv', in: from, out: to, groups: 1, acts: form.kernel.map(() => false) };
}

/** A convolution with the kernel and geometry of the original, along all axes or those that are named. */
export function spanning(
  form: ConvForm,
  from: number,
  to: number,
  { groups = 1, axis }: { readonly groups?: number; readonly axis?: number } = {},
): ConvStep {
  return {
    kind: 'conv',
    in: from,
    out: to,
    groups,
    acts: form.kernel.map((_, i) => axis === undefined || axis === i),
  };
}

/** The convolutions among the steps, which hold the factors. */
export function convSteps(steps: readonly ChainStep[]): readonly ConvStep[] {
  return steps.filter((step) => step.kind === 'conv');
}

/** Extents of a step's kernel. */
export function stepKernel(form: ConvForm, { acts }: ConvStep): readonly number[] {
  return form.kernel.map((extent, i) => (acts[i] ? extent : 1));
}

/** Whether a step is written as ConvTranspose. */
export function isTransposedStep(form: ConvForm, { acts }: ConvStep): boolean {
  return form.isTransposed && acts.some(Boolean);
}

/** Dimensions of a step's weight as written: groups one behind the other along the first axis. */
export function stepShape(form: ConvForm, step: ConvStep): readonly number[] {
  const [first, second] = isTransposedStep(form, step) ? [step.in, step.out] : [step.out, step.in];
  return [form.groups * first, second / step.groups, ...stepKernel(form, step)];
}

/** One convolution of a chain at one use of the weight. */
export interface StepUse {
  readonly step: ConvStep;
  readonly images: number;
  /** Sizes in front of the step and behind it. */
  readonly before: readonly number[];
  readonly after: readonly number[];
}

/**
 * Every convolution of a chain at every use of the weight; null where sizes are unknown. Along axes that no step has acted
 * on yet the sizes are the input's.
 */
export function stepUses(form: ConvForm, steps: readonly ChainStep[]): readonly StepUse[] | null {
  const uses: StepUse[] = [];
  for (const { batch, inputSize, outputSize } of form.calls) {
    if (batch === null || inputSize === null || outputSize === null) return null;
    let before = inputSize;
    let parts = 1;
    for (const step of steps) {
      if (step.kind === 'split') parts = step.parts;
      if (step.kind === 'join') parts = 1;
      if (step.kind !== 'conv') continue;
      const after = before.map((size, axis) => (step.acts[axis] ? outputSize[axis]! : size));
      uses.push({ step, images: batch * parts, before, after });
      before = after;
    }
  }
  return uses;
}

/** The positions that a step works at: those behind it, of a transposed one those in front. */
export function positionsOf(form: ConvForm, { step, before, after }: StepUse): readonly number[] {
  return isTransposedStep(form, step) ? before : after;
}

/** Parameters, MACs and memory of a chain, summed over the uses of the weight. */
export function chainCost(form: ConvForm, steps: readonly ChainStep[]): Cost {
  let parameters = 0;
  for (const step of convSteps(steps)) parameters += product(stepShape(form, step));
  const uses = stepUses(form, steps);
  if (!uses) return { parameters, macs: null, memory: null };
  let macs = 0;
  let memory = 0;
  for (const use of uses) {
    const { step, images, before, after } = use;
    macs += product(stepShape(form, step)) * images * product(positionsOf(form, use));
    memory = Math.max(memory, images * form.groups * (step.in * product(before) + step.out * product(after)));
  }
  return { parameters, macs, memory };
}

/** The convolution as it is. */
export function denseSteps(form: ConvForm): readonly ConvStep[] {
  return [spanning(form, form.groupChannels, form.outChannels / form.groups)];
}

/** The cost of the convolution as it is. */
export function denseCost(form: ConvForm): Cost {
  return chainCost(form, denseSteps(form));
}
