import * as vscode from 'vscode';
import { remarkMarks } from '../../core/compress/planMarks';
import type { PlanReview } from '../../core/compress/planReview';
import { COMMANDS } from '../../ids';
import { type ActionQuery, planAction, touches } from './planAction';

/** What can be done about the data that a plan was made on: saying which it is, or doing without. */
export function dataActions(query: ActionQuery, review: PlanReview): readonly vscode.CodeAction[] {
  const { state } = query;
  const { document, parsed } = state;
  const place = parsed.members.get('calibration');
  if (!parsed.plan || !place || !touches(query, place)) return [];
  const marks = remarkMarks(
    parsed,
    review.remarks.filter(({ part }) => part === 'calibration'),
  );
  const choose = planAction(state, vscode.l10n.t('Choose calibration data…'), marks, {
    command: COMMANDS.chooseCalibration,
    argument: document.uri,
  });
  choose.isPreferred = marks.length > 0;
  if (!parsed.plan.calibration) return [choose];
  const remove = planAction(state, vscode.l10n.t('Remove the calibration data from the plan'), marks, {
    edits: [{ ...place, text: 'null' }],
  });
  return [choose, remove];
}
