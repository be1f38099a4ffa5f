import * as vscode from 'vscode';
import { METHOD_IDS } from '../../core/compress/method';
import { adviceEntry } from '../../core/compress/planFixes';
import { problemMarks } from '../../core/compress/planMarks';
import { nearestName } from '../../core/nearestName';
import { type ActionQuery, editsFor, planAction, settingTitle, touches } from './planAction';

/** What can be done about methods that do not exist: the text has no review then, but what the last one knew still holds. */
export function methodActions(query: ActionQuery): readonly vscode.CodeAction[] {
  const { state } = query;
  const { document, parsed, review } = state;
  return problemMarks(parsed).flatMap((mark) => {
    if (mark.code !== 'unknown-method' || !touches(query, mark)) return [];
    const [layer] = [...parsed.places].find(([, { method }]) => method?.offset === mark.offset) ?? [];
    const known = review?.layers.find((each) => each.layer === layer);
    const actions: vscode.CodeAction[] = [];
    const written = String(JSON.parse(document.getText().slice(mark.offset, mark.offset + mark.length)));
    const fitting = known && known.methods.length > 0 ? known.methods : METHOD_IDS;
    const meant = nearestName(written, fitting) ?? nearestName(written, METHOD_IDS);
    if (meant !== undefined) {
      const edit = { offset: mark.offset, length: mark.length, text: JSON.stringify(meant) };
      const action = planAction(state, vscode.l10n.t('Change to {0}', meant), [mark], { edits: [edit] });
      action.isPreferred = true;
      actions.push(action);
    }
    if (known?.advice) {
      const { advice } = known;
      const title =
        advice.kind === 'dense' ? vscode.l10n.t('Leave the layer dense') : settingTitle(advice.setting);
      const entry = adviceEntry(known.layer, advice);
      actions.push(planAction(state, title, [mark], { edits: editsFor(state, [entry]) }));
    }
    return actions;
  });
}
