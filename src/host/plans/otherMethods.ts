import type * as vscode from 'vscode';
import { AUTO_METHODS } from '../../core/compress/method';
import { adviceEntry, isSameEntry } from '../../core/compress/planFixes';
import type { Advice, PlanReview } from '../../core/compress/planReview';
import type { Engine } from '../../worker/engine';
import type { Failures } from '../failures';
import type { Models } from '../models';
import { touchedLayers } from './entryActions';
import { type ActionQuery, editsFor, planAction, settingTitle } from './planAction';

interface Parts {
  readonly engine: Engine;
  readonly models: Models;
  readonly failures: Failures;
}

/**
 * The other methods for the planned layer at the cursor, each with the ranks that lose least at no greater cost, the best
 * first. Those only whose spectra every review has: the rest is what *Compare Methods…* is for.
 */
export async function otherMethods(
  query: ActionQuery,
  review: PlanReview,
  { engine, models, failures }: Parts,
  signal: AbortSignal,
): Promise<readonly vscode.CodeAction[]> {
  const { state } = query;
  const { plan } = state.parsed;
  const [layer, ...more] = touchedLayers(query);
  const found = review.layers.find((each) => each.layer === layer);
  if (!plan || !state.model || !found?.planned || more.length > 0) return [];
  const { dense, planned, advice } = found;
  const measure = plan.goal.kind === 'macs' && dense.macs && planned.cost.macs ? 'macs' : 'parameters';
  const share = planned.cost[measure]! / dense[measure]!;
  const methods = found.methods.filter(
    (method) => method !== planned.method && AUTO_METHODS.includes(method),
  );
  if (!review.isMeasured || methods.length === 0 || !(share > 0 && share < 1)) return [];
  const { multiple, foldNorms } = plan;
  const request = { ...models.request(state.model), layer: found.layer, methods, measure, share } as const;
  const asked = engine.compare({ ...request, multiple, foldNorms }, { signal });
  const outcome = await failures.orSentence(asked);
  if ('message' in outcome) return [];
  const remark = review.remarks.find((each) => each.layer === layer);
  const told = [remark?.fix, advice].flatMap((each) => (each ? [adviceEntry(found.layer, each)] : []));
  return outcome.value
    .flatMap((offer) => (offer.kind === 'fits' ? [offer.setting] : []))
    .sort((a, b) => (a.error ?? 1) - (b.error ?? 1))
    .flatMap((setting) => {
      const wanted: Advice = { kind: 'factor', setting };
      const entry = adviceEntry(found.layer, wanted);
      if (told.some((each) => isSameEntry(each, entry))) return [];
      return [planAction(state, settingTitle(setting), [], { edits: editsFor(state, [entry]) })];
    });
}
