/** What a layer costs while its activations are collected. */
export interface PassCost {
  /** The tensors that have to be given out, and the bytes of each in one run. */
  readonly tensors: ReadonlyMap<string, number>;
  /** Bytes that are kept for the layer from the first batch to the last. */
  readonly kept: number;
}

/** Bytes of one pass over the data. */
export interface PassLimits {
  /** Of the tensors that one run gives out; the runtime holds them once, and JavaScript once more. */
  readonly runBytes: number;
  /** Of what the sink keeps for the layers of a pass. */
  readonly keptBytes: number;
}

/**
 * Shares layers out over passes in their order, so that each pass stays within the limits; a layer that alone goes
 * beyond them has a pass to itself. A tensor that several layers read counts once.
 */
export function passes<T>(
  layers: readonly T[],
  costOf: (layer: T) => PassCost,
  limits: PassLimits,
): readonly (readonly T[])[] {
  const all: T[][] = [];
  let tensors = new Map<string, number>();
  let kept = 0;
  for (const layer of layers) {
    const cost = costOf(layer);
    const together = new Map([...tensors, ...cost.tensors]);
    const run = [...together.values()].reduce((sum, bytes) => sum + bytes, 0);
    const fits = run <= limits.runBytes && kept + cost.kept <= limits.keptBytes;
    if (all.length > 0 && fits) {
      all.at(-1)!.push(layer);
      tensors = together;
      kept += cost.kept;
    } else {
      all.push([layer]);
      tensors = new Map(cost.tensors);
      kept = cost.kept;
    }
  }
  return all;
}
