import * as vscode from 'vscode';
import { printTarget } from '../../core/compress/plan';
import { remarkMarks } from '../../core/compress/planMarks';
import type { PlanReview } from '../../core/compress/planReview';
import { COMMANDS } from '../../ids';
import { type ActionQuery, planAction, touches } from './planAction';
import type { ReplanArgument } from './replan';

/** A plan for another version of its model may be meant for this one as well: what does not fit is told then. */
function keeping({ state }: ActionQuery, { remarks, sha256 }: PlanReview): readonly vscode.CodeAction[] {
  const { parsed } = state;
  const stale = remarks.filter(({ code }) => code === 'other-model');
  const place = parsed.members.get('model.sha256');
  if (stale.length === 0 || !place || sha256 === null) return [];
  const edits = [{ ...place, text: JSON.stringify(sha256) }];
  const title = vscode.l10n.t('Keep the settings for this version of the model');
  return [planAction(state, title, remarkMarks(parsed, stale), { edits })];
}

/** What can be done about a plan that misses its goal, or is for another version of its model: making it anew. */
export function goalActions(query: ActionQuery, review: PlanReview): readonly vscode.CodeAction[] {
  const { state } = query;
  const { document, parsed } = state;
  const remarks = review.remarks.filter(({ layer, part }) => layer === undefined && part !== 'calibration');
  const marks = remarkMarks(parsed, remarks).filter((mark) => touches(query, mark));
  const goalPlace = parsed.members.get('goal');
  if (!parsed.plan || (marks.length === 0 && !(goalPlace && touches(query, goalPlace)))) return [];
  const { uri } = document;
  const replan = (title: string, argument: ReplanArgument) =>
    planAction(state, title, marks, { command: COMMANDS.replan, argument });
  const goal = printTarget(parsed.plan.goal);
  const anew = replan(vscode.l10n.t('Re-plan for {0}', goal), { uri, goal });
  anew.isPreferred = marks.length > 0;
  return [anew, ...keeping(query, review), replan(vscode.l10n.t('Re-plan for another goal…'), { uri })];
}
