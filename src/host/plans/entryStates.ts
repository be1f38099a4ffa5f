import type { LayerPlan } from '../../core/compress/plan';
import type { LayerReview } from '../../core/compress/planReview';
import type { PlanDocument } from './planDocuments';

/** What is known of the entry of a layer as it is written now. */
export type EntryState =
  /** The review is of this entry as it is. */
  | { readonly kind: 'reviewed'; readonly entry: LayerPlan; readonly review: LayerReview }
  /** It can't be carried out, as a sentence. */
  | { readonly kind: 'refused'; readonly message: string }
  /** It was changed since the last review, or can't be read, or there was none; the layer itself may be known. */
  | { readonly kind: 'pending'; readonly review?: LayerReview };

/**
 * The entries of a plan by layer, in the order of the text. What a layer comes to depends on its own entry only, so what
 * was said of entries that are still the same holds while others are being typed.
 */
export function entryStates({
  parsed,
  review,
  reviewed,
  isCurrent,
}: PlanDocument): ReadonlyMap<string, EntryState> {
  const reviews = new Map(review?.layers.map((each) => [each.layer, each]));
  const written = new Map(parsed.layers.map((each) => [each.layer, each]));
  const former = isContinued() ? new Map(reviewed?.layers.map((each) => [each.layer, each])) : undefined;
  const refusals = new Map<string, string>();
  for (const { severity, layer, message } of review?.remarks ?? []) {
    if (severity === 'error' && layer !== undefined && !refusals.has(layer)) refusals.set(layer, message);
  }

  /** The other members that the figures of a layer depend on are those of the review. */
  function isContinued(): boolean {
    const { plan } = parsed;
    if (!plan || !reviewed) return reviewed !== undefined;
    return plan.foldNorms === reviewed.foldNorms && plan.model.file === reviewed.model.file;
  }

  const stateOf = (layer: string): EntryState => {
    const entry = written.get(layer);
    const before = former?.get(layer);
    const found = reviews.get(layer);
    if (!entry || !before || !(isCurrent || isSame(entry, before)))
      return { kind: 'pending', ...(found ? { review: found } : {}) };
    const message = refusals.get(layer);
    if (message !== undefined) return { kind: 'refused', message };
    return found ? { kind: 'reviewed', entry, review: found } : { kind: 'pending' };
  };
  return new Map([...parsed.places.keys()].map((layer) => [layer, stateOf(layer)]));
}

function isSame(a: LayerPlan, b: LayerPlan): boolean {
  if (a.kind === 'dense') return b.kind === 'dense';
  return b.kind === 'factor' && a.method === b.method && String(a.ranks) === String(b.ranks);
}
