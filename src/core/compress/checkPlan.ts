import { candidateOf } from './candidates';
import type { FormedLayer } from './layer';
import { type Candidate, checkRanks, saves } from './method';
import type { LayerPlan } from './plan';

/** Something about a layer of a plan that a person should know, as a sentence. */
export interface PlanRemark {
  readonly layer: string;
  /** The part of the entry it is about. */
  readonly part: 'name' | 'method' | 'ranks';
  /** An error keeps the plan from being carried out. */
  readonly severity: 'error' | 'warning';
  readonly message: string;
}

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
    const remark = (severity: PlanRemark['severity'], part: PlanRemark['part'], message: string) => {
      remarks.push({ layer: plan.layer, part, severity, message });
    };
    const layer = byName.get(plan.layer);
    if (!layer) {
      remark('error', 'name', `The model has no layer "${plan.layer}".`);
      continue;
    }
    if (plan.kind === 'dense') continue;
    const { form } = layer;
    const candidate = form.kind === 'none' ? form.reason : candidateOf(form, plan.method);
    if (typeof candidate === 'string') {
      remark('error', 'method', candidate);
      continue;
    }
    const refusal = checkRanks(candidate, plan.ranks);
    if (refusal !== undefined) {
      remark('error', 'ranks', refusal);
      continue;
    }
    if (!saves(candidate, plan.ranks))
      remark('warning', 'ranks', 'At these ranks the layer becomes larger, not smaller.');
    planned.set(layer.name, { layer, candidate });
  }
  return { remarks, planned };
}
