import type { LayerPlan } from './plan';
import type { Advice, PlanRemark, PlanReview, RemarkCode } from './planReview';

/** The entry of a layer that follows an advice. */
export function adviceEntry(layer: string, advice: Advice): LayerPlan {
  if (advice.kind === 'dense') return { kind: 'dense', layer, reason: advice.reason };
  const { method, ranks } = advice.setting;
  return { kind: 'factor', layer, method, ranks };
}

/** What would do away with a remark about a layer: its own fix, else what a planner would make of the layer. */
export function remarkFix(review: PlanReview, { code, fix, layer }: PlanRemark): Advice | undefined {
  if (fix) return fix;
  if (!BROKEN.has(code)) return undefined;
  return review.layers.find((each) => each.layer === layer)?.advice;
}

/** Remarks of entries that can't be carried out or save nothing, whatever was wished for. */
const BROKEN: ReadonlySet<RemarkCode> = new Set(['bad-method', 'bad-ranks', 'larger']);

/** A remark about a layer with the entry that would do away with it. */
export interface SuggestedEntry {
  readonly remark: PlanRemark;
  readonly entry: LayerPlan;
}

/**
 * The entries that would do away with all remarks that know what to do, one a layer. With `brokenOnly` those that nobody
 * can have meant are all: a setting that loses more than it had to may be a decision.
 */
export function suggestedEntries(review: PlanReview, brokenOnly = false): readonly SuggestedEntry[] {
  const byLayer = new Map<string, SuggestedEntry>();
  for (const remark of review.remarks) {
    const { layer } = remark;
    if (layer === undefined || byLayer.has(layer) || (brokenOnly && !BROKEN.has(remark.code))) continue;
    const advice = remarkFix(review, remark);
    if (advice) byLayer.set(layer, { remark, entry: adviceEntry(layer, advice) });
  }
  return [...byLayer.values()];
}

/** Whether two entries say the same of a layer; why it stays as it is does not matter. */
export function isSameEntry(a: LayerPlan | undefined, b: LayerPlan): boolean {
  if (!a || a.kind === 'dense' || b.kind === 'dense') return (a?.kind ?? 'dense') === b.kind;
  return a.method === b.method && String(a.ranks) === String(b.ranks);
}
