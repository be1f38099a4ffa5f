import { formatCount, formatMacs, formatRanks } from '../format';
import { candidateOf } from './candidates';
import type { FormedLayer } from './layer';
import { breakEvenRank, type Candidate, checkRanks, type Ranks, saves } from './method';
import type { LayerPlan } from './plan';
import type { PlanRemark } from './planReview';

/** A layer that a plan says to factor, with what will do it. */
export interface PlannedLayer<L extends FormedLayer> {
  readonly layer: L;
  readonly candidate: Candidate;
}

/** Holds a plan against the layers of a model. `planned` holds what can be carried out, by the layer's name. */
export function checkPlan<L extends FormedLayer>(
  plans: readonly LayerPlan[],
  layers: readonly L[],
): { readonly remarks: readonly PlanRemark[]; readonly planned: ReadonlyMap<string, PlannedLayer<L>> } {
  const byName = new Map(layers.map((layer) => [layer.name, layer]));
  const remarks: PlanRemark[] = [];
  const planned = new Map<string, PlannedLayer<L>>();
  for (const plan of plans) {
    const remark = (
      code: PlanRemark['code'],
      severity: PlanRemark['severity'],
      part: PlanRemark['part'],
      message: string,
    ) => {
      remarks.push({ code, severity, message, layer: plan.layer, part });
    };
    const layer = byName.get(plan.layer);
    if (!layer) {
      remark('unknown-layer', 'error', 'name', `The model has no layer "${plan.layer}".`);
      continue;
    }
    if (plan.kind === 'dense') continue;
    const { form } = layer;
    const candidate = form.kind === 'none' ? form.reason : candidateOf(form, plan.method);
    if (typeof candidate === 'string') {
      remark('bad-method', 'error', 'method', candidate);
      continue;
    }
    const refusal = checkRanks(candidate, plan.ranks);
    if (refusal !== undefined) {
      remark('bad-ranks', 'error', 'ranks', refusal);
      continue;
    }
    if (!saves(candidate, plan.ranks)) remark('larger', 'warning', 'ranks', noSaving(candidate, plan.ranks));
    planned.set(layer.name, { layer, candidate });
  }
  return { remarks, planned };
}

/** What ranks cost that save nothing, and up to where they would. */
function noSaving(candidate: Candidate, ranks: Ranks): string {
  const { dense, method } = candidate;
  const { parameters, macs } = candidate.cost(ranks);
  const grown =
    parameters >= dense.parameters || macs === null || dense.macs === null
      ? `${formatCount(dense.parameters)} → ${formatCount(parameters)} parameters`
      : `${formatMacs(dense.macs)} → ${formatMacs(macs)} MACs`;
  const most = breakEvenRank(candidate);
  const hint =
    most === undefined
      ? ''
      : most > 0
        ? ` It saves up to rank ${most}.`
        : ` ${method} saves nothing here at any rank.`;
  return `Rank ${formatRanks(ranks)} makes the layer larger, not smaller: ${grown}.${hint}`;
}
