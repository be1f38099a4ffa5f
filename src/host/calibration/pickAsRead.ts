import * as vscode from 'vscode';

/** A list that is there at once, and whose entries say more as what they stand for is read. */
interface GrowingList<T extends vscode.QuickPickItem> {
  readonly title: string;
  readonly placeholder: string;
  /** Where it is one of several. */
  readonly step?: readonly [step: number, of: number];
  /** As it is now; entries keep their labels. */
  items(): readonly T[];
  /** Whether an entry can be chosen. */
  isChoice(item: T): boolean;
  /** Reads, and shows anew what came of it, until it is done or the signal says that nobody looks any more. */
  look(show: () => void, signal: AbortSignal): Promise<void>;
}

/** Shows a list while it is being filled; resolves with what was chosen, undefined when it was closed. Rejects as `look` does. */
export async function pickAsRead<T extends vscode.QuickPickItem>(
  list: GrowingList<T>,
): Promise<T | undefined> {
  const abort = new AbortController();
  const pick = vscode.window.createQuickPick<T>();
  pick.title = list.title;
  [pick.step, pick.totalSteps] = list.step ?? [undefined, undefined];
  pick.placeholder = list.placeholder;
  pick.matchOnDescription = true;
  pick.ignoreFocusOut = true;
  pick.busy = true;
  const show = () => {
    if (abort.signal.aborted) return;
    const active = pick.activeItems[0];
    pick.keepScrollPosition = true;
    pick.items = list.items();
    const same = pick.items.find((item) => active && item.label === active.label);
    if (same) pick.activeItems = [same];
  };
  const chosen = new Promise<T | undefined>((resolve, reject) => {
    pick.onDidAccept(() => {
      const [item] = pick.activeItems;
      if (item && list.isChoice(item)) resolve(item);
    });
    pick.onDidHide(() => resolve(undefined));
    list.look(show, abort.signal).then(() => {
      if (!abort.signal.aborted) pick.busy = false;
    }, reject);
  });
  show();
  pick.show();
  try {
    return await chosen;
  } finally {
    abort.abort(new DOMException('The choice is made.', 'AbortError'));
    pick.dispose();
  }
}
