import type { Node } from '../model';
import type { Call } from '../shapes/call';
import type { NodeBuilder } from './nodeBuilder';

/** A node as its gradient rule sees it. */
export interface GradientCall {
  readonly node: Node;
  readonly build: NodeBuilder;
  /** What is known of its inputs and attributes. */
  readonly call: Call;
  /** ∂/∂(output 0): the name of a tensor of its size. */
  readonly gradient: string;
  /** The same of all outputs; undefined for those that nothing depends on. */
  readonly gradients: readonly (string | undefined)[];
  /** Names of inputs and outputs by position. */
  readonly x: readonly string[];
  readonly y: string;
  /** Whether the gradient with respect to an input is asked for. */
  wants(input: number): boolean;
  /** Sizes of a tensor. Leaves the rule where they are not known. */
  dims(name: string): readonly number[];
}

/**
 * How ∂/∂inputs follow from ∂/∂outputs: the name of a tensor for each input that is asked for. Throws {@link Unknown} for
 * what it can't tell.
 */
export type GradientRule = (call: GradientCall) => readonly (string | undefined)[];

/** Rules by operator of the standard domain. */
export type GradientRules = ReadonlyMap<string, GradientRule>;

/** Thrown by a rule for a node that it can't be told for: what lies in front of the node stays unknown. */
export class Unknown extends Error {}

/** Leaves the rule. */
export function unknown(): never {
  throw new Unknown();
}

/** A gradient of size `from`, in the size of what was broadcast to that. */
export function summedTo(
  { build, dims }: GradientCall,
  gradient: string,
  like: string,
  from: readonly number[],
): string {
  const to = dims(like);
  const missing = from.length - to.length;
  const axes = from.flatMap((length, axis) =>
    axis < missing || (to[axis - missing] === 1 && length !== 1) ? [axis] : [],
  );
  if (axes.length === 0) return gradient;
  const summed = build.sum(gradient, axes);
  return missing === 0 ? summed : build.reshape(summed, { like });
}
