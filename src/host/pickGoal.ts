import * as vscode from 'vscode';
import { parseTarget, type Target } from '../core/compress/plan';
import type { Preview } from '../core/compress/report';
import type { CallOptions } from '../worker/engine';
import { complaintAbout, type Goal, goalGroups, type Outlook, outlookOf } from './goals';

interface GoalItem extends vscode.QuickPickItem {
  /** Missing on separators and on the entry for a custom goal. */
  readonly goal?: Goal;
  readonly custom?: boolean;
  /** Once it is known. */
  readonly outlook?: Outlook;
}

/** Asks the engine what several targets would give: for each target one preview per model. */
export type PreviewTargets = (
  targets: readonly Target[],
  options: Required<CallOptions>,
) => Promise<readonly (readonly Preview[])[]>;

/**
 * Asks for a goal. The list is there at once; its numbers appear when they are known. Undefined when cancelled.
 * Rejects if the engine does.
 */
export async function pickGoal(title: string, preview: PreviewTargets): Promise<Target | undefined> {
  const goals = goalGroups().flatMap((group) => group.goals);
  const abort = new AbortController();
  const pick = vscode.window.createQuickPick<GoalItem>();
  pick.title = title;
  pick.placeholder = vscode.l10n.t('What to aim for');
  pick.matchOnDetail = true;
  pick.busy = true;
  pick.items = itemsOf(undefined, vscode.l10n.t('computing…'));

  const chosen = new Promise<GoalItem | undefined>((resolve, reject) => {
    pick.onDidAccept(() => {
      const [item] = pick.activeItems;
      // What can't be reached can't be chosen; the list stays, with the reason in it.
      if (item && item.outlook?.reachable !== false) resolve(item);
    });
    pick.onDidHide(() => resolve(undefined));
    const onProgress: NonNullable<CallOptions['onProgress']> = ({ done }) => {
      pick.title = `${title} · ${Math.round(100 * done)} %`;
    };
    preview(
      goals.map((goal) => goal.target),
      { signal: abort.signal, onProgress },
    ).then((previews) => {
      const active = pick.activeItems[0]?.label;
      pick.title = title;
      pick.busy = false;
      // The list is replaced: what was selected stays so.
      pick.keepScrollPosition = true;
      pick.items = itemsOf(previews.map(outlookOf));
      const same = pick.items.find((item) => (item.goal?.label ?? item.label) === active);
      const first = pick.items.find((item) => item.outlook?.reachable);
      const next = same && same.outlook?.reachable !== false ? same : first;
      if (next) pick.activeItems = [next];
    }, reject);
  });
  pick.show();
  try {
    const item = await chosen;
    pick.hide();
    return item?.custom ? await askTarget(title) : item?.goal?.target;
  } finally {
    abort.abort(new DOMException('The choice is made.', 'AbortError'));
    pick.dispose();
  }
}

/** The list with what is known of each goal, or with `pending` in its place. */
function itemsOf(outlooks: readonly Outlook[] | undefined, pending = ''): readonly GoalItem[] {
  const items: GoalItem[] = [];
  let index = 0;
  for (const { title, goals } of goalGroups()) {
    items.push({ label: title, kind: vscode.QuickPickItemKind.Separator });
    for (const goal of goals) {
      const outlook = outlooks?.[index++];
      items.push({
        label: outlook?.reachable === false ? `$(circle-slash) ${goal.label}` : goal.label,
        detail: outlook?.text ?? pending,
        goal,
        ...(outlook ? { outlook } : {}),
      });
    }
  }
  items.push({ label: '', kind: vscode.QuickPickItemKind.Separator });
  items.push({
    label: vscode.l10n.t('Custom…'),
    description: vscode.l10n.t('any share of the parameters or MACs, an energy, or one rank for all layers'),
    custom: true,
    alwaysShow: true,
  });
  return items;
}

async function askTarget(title: string): Promise<Target | undefined> {
  const text = await vscode.window.showInputBox({
    title,
    value: 'parameters=0.5',
    valueSelection: ['parameters='.length, 'parameters=0.5'.length],
    prompt: vscode.l10n.t(
      'parameters=0.5 or macs=0.5: the share that shall remain. energy=0.95: what each layer shall keep. rank=32: the same for every layer.',
    ),
    validateInput: complaintAbout,
    ignoreFocusOut: true,
  });
  return text === undefined ? undefined : parseTarget(text);
}
