import * as vscode from 'vscode';
import type { LayerPlan } from '../../core/compress/plan';
import { removalEdit } from '../../core/compress/planEdits';
import { adviceEntry, isSameEntry, remarkFix } from '../../core/compress/planFixes';
import { type PlanMark, remarkMarks } from '../../core/compress/planMarks';
import type { Advice, LayerReview, PlanRemark, PlanReview } from '../../core/compress/planReview';
import { nearestName } from '../../core/nearestName';
import { COMMANDS } from '../../ids';
import { type ActionQuery, editsFor, planAction, settingTitle, touches } from './planAction';
import { planUri } from './planUri';

/** The entries of layers that the range meets. */
export function touchedLayers(query: ActionQuery): readonly string[] {
  return [...query.state.parsed.places]
    .filter(([, { name, entry }]) =>
      touches(query, { offset: name.offset, length: entry.offset + entry.length - name.offset }),
    )
    .map(([layer]) => layer);
}

/** What can be done about the entries of layers that the range meets. */
export function entryActions(query: ActionQuery, review: PlanReview): readonly vscode.CodeAction[] {
  const layers = touchedLayers(query);
  const reviews = new Map(review.layers.map((each) => [each.layer, each]));
  return layers.flatMap((layer) => {
    const remark = review.remarks.find((each) => each.layer === layer);
    const found = reviews.get(layer);
    const actions = found
      ? knownLayer(query, review, found, remark)
      : remark
        ? unknownLayer(query, review, layer, remark)
        : [];
    // Of several entries each says which.
    if (layers.length > 1) for (const action of actions) action.title = `${layer}: ${action.title}`;
    return actions;
  });
}

function knownLayer(
  query: ActionQuery,
  review: PlanReview,
  { layer, advice }: LayerReview,
  remark: PlanRemark | undefined,
): readonly vscode.CodeAction[] {
  const { state } = query;
  const { parsed, document, model } = state;
  const marks = remark ? remarkMarks(parsed, [remark]) : [];
  const current = parsed.plan?.layers.find((each) => each.layer === layer);
  const actions: vscode.CodeAction[] = [];
  const offered: LayerPlan[] = [];
  const offer = (wanted: Advice | undefined, itsMarks: readonly PlanMark[]) => {
    if (!wanted) return;
    const entry = adviceEntry(layer, wanted);
    if (isSameEntry(current, entry) || offered.some((each) => isSameEntry(each, entry))) return;
    offered.push(entry);
    const title =
      wanted.kind === 'dense' ? vscode.l10n.t('Leave the layer dense') : settingTitle(wanted.setting);
    const action = planAction(state, title, itsMarks, { edits: editsFor(state, [entry]) });
    // Without a remark nothing is wrong: then this is what a planner would do, and still worth a bulb.
    if (marks.length === 0 && wanted === advice) action.kind = vscode.CodeActionKind.QuickFix;
    actions.push(action);
  };
  offer(remark && remarkFix(review, remark), marks);
  if (actions[0]) actions[0].isPreferred = true;
  offer(advice, marks);
  offer({ kind: 'dense', reason: vscode.l10n.t('Left as it is by hand.') }, marks);
  // Compare Methods writes into the plan beside the model.
  if (model && planUri(model).toString() === document.uri.toString()) {
    const argument = { model, layer };
    const title = vscode.l10n.t('Compare Methods…');
    actions.push(planAction(state, title, marks, { command: COMMANDS.compareMethods, argument }));
  }
  return actions;
}

function unknownLayer(
  { state }: ActionQuery,
  review: PlanReview,
  layer: string,
  remark: PlanRemark,
): readonly vscode.CodeAction[] {
  const { parsed, document } = state;
  const { places } = parsed;
  const marks = remarkMarks(parsed, [remark]);
  const actions: vscode.CodeAction[] = [];
  const free = review.layers.map((each) => each.layer).filter((name) => !places.has(name));
  const meant = nearestName(layer, free);
  if (meant !== undefined) {
    const edit = { ...places.get(layer)!.name, text: JSON.stringify(meant) };
    const action = planAction(state, vscode.l10n.t('Rename to {0}', meant), marks, { edits: [edit] });
    action.isPreferred = true;
    actions.push(action);
  }
  const removal = removalEdit(document.getText(), parsed, layer);
  if (removal) {
    const action = planAction(state, vscode.l10n.t('Remove the entry'), marks, { edits: [removal] });
    action.isPreferred = meant === undefined;
    actions.push(action);
  }
  return actions;
}
