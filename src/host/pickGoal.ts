import * as vscode from 'vscode';
import { isTimed, parseTarget, type Target } from '../core/compress/plan';
import type { Preview } from '../core/compress/report';
import type { CallOptions } from '../worker/engine';
import {
  accuracyOutlook,
  complaintAbout,
  errorOutlook,
  type Goal,
  goalGroups,
  type Outlook,
  outlookOf,
  timedOutlook,
} from './goals';

interface GoalItem extends vscode.QuickPickItem {
  /** Missing on separators and on the entries for plans and for a custom goal. */
  readonly goal?: Goal;
  readonly plan?: PlanGoal;
  readonly custom?: boolean;
  /** The entry for calibration data. */
  readonly data?: DataOfGoal;
  /** Once it is known. */
  readonly outlook?: PlanOutlook;
}

/** Asks the engine what several targets would give: for each target one preview per model. */
export type PreviewTargets = (
  targets: readonly Target[],
  options: Required<CallOptions>,
) => Promise<readonly (readonly Preview[])[]>;

/** The plans that are there, as something to choose before all goals. */
export interface PlanGoal {
  readonly kind: 'plan';
  /** "By the plan net.ranks.json" */
  readonly label: string;
  readonly description: string;
  /** What the plans would give; `tell` hears what is known of it on the way. */
  look(tell: (outlook: PlanOutlook) => void, options: Required<CallOptions>): Promise<PlanOutlook>;
}

/** What the plans would give. */
export interface PlanOutlook extends Outlook {
  /** Whether it may be chosen although it can't be reached, as there is something that can be done about it. */
  readonly canBeRepaired?: boolean;
}

/** The calibration data that a goal will be met with, to be looked at and changed before one is chosen. */
export interface DataOfGoal {
  /** What there is, in a line. */
  line(): string;
  isThere(): boolean;
  /** Whether classes of its samples are known, too. */
  hasLabels(): boolean;
  /** Samples that goals are held against; undefined where there are several models. */
  heldBack(): number | undefined;
  choose(): Promise<void>;
}

/**
 * Asks for a goal. The list is there at once; its numbers appear when they are known. Undefined when cancelled.
 * Rejects if the engine does.
 */
export async function pickGoal(
  title: string,
  preview: PreviewTargets,
  data: DataOfGoal,
  plan?: PlanGoal,
): Promise<Target | PlanGoal | undefined> {
  for (;;) {
    const item = await pickItem(title, preview, data, plan);
    if (!item?.data) return item?.custom ? askTarget(title) : (item?.plan ?? item?.goal?.target);
    await data.choose();
  }
}

async function pickItem(
  title: string,
  preview: PreviewTargets,
  data: DataOfGoal,
  plan: PlanGoal | undefined,
): Promise<GoalItem | undefined> {
  const isOnData = data.isThere();
  const groups = goalGroups(isOnData, data.hasLabels());
  const goals = groups.flatMap((group) => group.goals);
  /** What is said of a goal whose outcome nobody knows before it is tried. */
  const promise = ({ target }: Goal): Outlook | undefined => {
    if (isTimed(target)) return timedOutlook();
    if (target.kind === 'accuracy') return accuracyOutlook(data.heldBack());
    return isOnData && target.kind === 'error' ? errorOutlook() : undefined;
  };
  const abort = new AbortController();
  const pick = vscode.window.createQuickPick<GoalItem>();
  pick.title = title;
  pick.placeholder = vscode.l10n.t('What to aim for');
  pick.matchOnDetail = true;
  pick.busy = true;
  let outlooks: readonly Outlook[] | undefined;
  let planOutlook: PlanOutlook | undefined;

  const show = () => {
    const active = pick.activeItems[0];
    const planItems = plan ? planItemsOf(plan, planOutlook) : [];
    // The list is replaced: what was selected stays so.
    pick.keepScrollPosition = true;
    pick.items = [...planItems, ...dataItems(data), ...itemsOf(groups, outlooks)];
    const same = pick.items.find((item) => active && keyOf(item) === keyOf(active));
    // Enter is for a goal, not for the data in front of them.
    const first = pick.items.find((item) => item.outlook?.reachable ?? (item.plan || item.goal));
    const next = same && same.outlook?.reachable !== false ? same : first;
    if (next) pick.activeItems = [next];
  };

  const chosen = new Promise<GoalItem | undefined>((resolve, reject) => {
    pick.onDidAccept(() => {
      const [item] = pick.activeItems;
      // What can't be reached can't be chosen; the list stays, with the reason in it.
      if (item && (item.outlook?.reachable !== false || item.outlook.canBeRepaired)) resolve(item);
    });
    pick.onDidHide(() => resolve(undefined));
    let shown = 0;
    const onProgress: NonNullable<CallOptions['onProgress']> = ({ done }) => {
      shown = Math.max(shown, Math.round(100 * done));
      pick.title = `${title} · ${shown} %`;
    };
    const call = { signal: abort.signal, onProgress };
    const tell = (outlook: PlanOutlook) => {
      if (abort.signal.aborted) return;
      planOutlook = outlook;
      show();
    };
    const look = async () => {
      // The plan first: it is what is chosen most, and what it measures serves the goals as well.
      if (plan) tell(await plan.look(tell, call));
      const previewed = goals.filter((goal) => !promise(goal));
      const targets = previewed.map((goal) => goal.target);
      const previews = await preview(targets, call);
      outlooks = goals.map(
        (goal) => promise(goal) ?? outlookOf(previews[previewed.indexOf(goal)]!, isOnData),
      );
      if (abort.signal.aborted) return;
      pick.title = title;
      pick.busy = false;
      show();
    };
    look().catch(reject);
  });
  show();
  pick.show();
  try {
    const item = await chosen;
    pick.hide();
    return item;
  } finally {
    abort.abort(new DOMException('The choice is made.', 'AbortError'));
    pick.dispose();
  }
}

function keyOf({ label, goal, plan, data }: GoalItem): string {
  return data ? 'data' : (goal?.label ?? plan?.label ?? label);
}

const pending = () => vscode.l10n.t('computing…');

function planItemsOf(plan: PlanGoal, outlook: PlanOutlook | undefined): readonly GoalItem[] {
  const { label, description } = plan;
  return [
    { label: vscode.l10n.t('Plan'), kind: vscode.QuickPickItemKind.Separator },
    {
      label: outlook?.reachable === false ? `$(circle-slash) ${label}` : label,
      description,
      detail: outlook?.text ?? pending(),
      plan,
      ...(outlook ? { outlook } : {}),
    },
  ];
}

/** The goals with what is known of each. */
function itemsOf(
  groups: ReturnType<typeof goalGroups>,
  outlooks: readonly Outlook[] | undefined,
): readonly GoalItem[] {
  const items: GoalItem[] = [];
  let index = 0;
  for (const { title, goals } of groups) {
    items.push({ label: title, kind: vscode.QuickPickItemKind.Separator });
    for (const goal of goals) {
      const outlook = outlooks?.[index++];
      items.push({
        label: outlook?.reachable === false ? `$(circle-slash) ${goal.label}` : goal.label,
        detail: outlook?.text ?? pending(),
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

/** What it will be measured on. */
function dataItems(data: DataOfGoal): readonly GoalItem[] {
  return [
    { label: vscode.l10n.t('Measured on'), kind: vscode.QuickPickItemKind.Separator },
    {
      label: `$(database) ${vscode.l10n.t('Calibration Data…')}`,
      description: data.line(),
      ...(data.isThere()
        ? {
            detail: vscode.l10n.t('Estimates below go by the weights. Outputs are measured on this data.'),
          }
        : {}),
      data,
      alwaysShow: true,
    },
  ];
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
