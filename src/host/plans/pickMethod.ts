import * as vscode from 'vscode';
import type { LayerInfo } from '../../core/compress/analysis';
import { METHOD_IDS, type MethodId, TRIED_METHODS } from '../../core/compress/method';
import type { LayerPlan } from '../../core/compress/plan';
import type { MethodOffer, PlanSetting } from '../../core/compress/planReview';
import {
  formatChange,
  formatCount,
  formatError,
  formatMacs,
  formatPercent,
  formatRanks,
} from '../../core/format';
import type { CallOptions } from '../../worker/engine';
import { engineText } from '../engineText';
import { methodName } from '../layerText';

/** The share of its parameters or MACs that a layer may keep, 0 < share < 1. */
export interface LayerBudget {
  readonly kind: 'parameters' | 'macs';
  readonly share: number;
}

/** What some methods could do for the layer at the budget, in their order. */
export type CompareOffers = (
  methods: readonly MethodId[],
  call: CallOptions,
) => Promise<readonly MethodOffer[]>;

type FactorPlan = Extract<LayerPlan, { readonly kind: 'factor' }>;

interface MethodItem extends vscode.QuickPickItem {
  /** Missing on separators and on the entry for another budget. */
  readonly method?: MethodId;
  /** Where it can be chosen. */
  readonly setting?: PlanSetting;
  readonly isBudget?: boolean;
}

/**
 * Asks for a method for a layer. Those whose error follows from spectra are there at once, those that have to be tried
 * appear as they come; what is not ready when the list is closed is cancelled. Undefined when nothing was chosen.
 *
 * @param title the layer's name, as short as is clear
 */
export async function pickMethod(
  layer: LayerInfo,
  title: string,
  planned: LayerPlan | undefined,
  budget: LayerBudget,
  compare: CompareOffers,
): Promise<FactorPlan | { readonly kind: 'budget' } | undefined> {
  const abort = new AbortController();
  const known = new Map<MethodId, MethodOffer>();
  const pick = vscode.window.createQuickPick<MethodItem>();
  const another: vscode.QuickInputButton = {
    iconPath: new vscode.ThemeIcon('settings'),
    tooltip: vscode.l10n.t('Another Budget…'),
  };
  pick.title = titleOf(title, budget);
  pick.placeholder = vscode.l10n.t('The method to put into the plan');
  pick.buttons = [another];
  pick.matchOnDescription = true;
  pick.matchOnDetail = true;
  pick.busy = true;
  let isPlaced = false;

  const show = () => {
    const [active] = pick.activeItems;
    // The list is replaced: what was selected stays so.
    pick.keepScrollPosition = true;
    pick.items = itemsOf(layer, planned, known);
    const same = pick.items.find((item) => active && keyOf(item) === keyOf(active));
    // The best of the first that can be chosen; from then on it is for the user to move.
    const next = isPlaced ? same : pick.items.find(({ setting }) => setting);
    if (next) pick.activeItems = [next];
    isPlaced ||= next !== undefined;
  };
  const ask = async (methods: readonly MethodId[]) => {
    const offers = await compare(methods, { signal: abort.signal });
    if (abort.signal.aborted) return;
    for (const offer of offers) known.set(offer.method, offer);
    show();
  };

  const chosen = new Promise<MethodItem | undefined>((resolve, reject) => {
    pick.onDidAccept(() => {
      const [item] = pick.activeItems;
      // What does not fit can't be chosen; the list stays, with the reason in it.
      if (item?.setting || item?.isBudget) resolve(item);
    });
    pick.onDidTriggerButton(() => resolve({ label: '', isBudget: true }));
    pick.onDidHide(() => resolve(undefined));
    const quick = METHOD_IDS.filter((method) => !TRIED_METHODS.includes(method));
    Promise.all([ask(quick), ...TRIED_METHODS.map((method) => ask([method]))]).then(() => {
      pick.busy = false;
    }, reject);
  });
  show();
  pick.show();
  try {
    const item = await chosen;
    if (item?.isBudget) return { kind: 'budget' };
    if (!item?.setting) return undefined;
    const { method, ranks } = item.setting;
    return { kind: 'factor', layer: layer.name, method, ranks };
  } finally {
    abort.abort(new DOMException('The choice is made.', 'AbortError'));
    pick.dispose();
  }
}

function keyOf({ method, isBudget }: MethodItem): string {
  return isBudget ? 'budget' : (method ?? '');
}

function titleOf(name: string, { kind, share }: LayerBudget): string {
  return kind === 'macs'
    ? vscode.l10n.t('Methods for {0} · at most {1} of its MACs', name, formatPercent(share))
    : vscode.l10n.t('Methods for {0} · at most {1} of its parameters', name, formatPercent(share));
}

/** What fits, the least error first; what is being tried; what does not fit. */
function itemsOf(
  layer: LayerInfo,
  planned: LayerPlan | undefined,
  known: ReadonlyMap<MethodId, MethodOffer>,
): readonly MethodItem[] {
  const offers = METHOD_IDS.flatMap((method) => known.get(method) ?? []);
  const fits = offers.filter((each) => each.kind === 'fits').map(({ setting }) => setting);
  const error = ({ error: own }: PlanSetting) => own ?? 1;
  const items: MethodItem[] = fits
    .sort((a, b) => error(a) - error(b))
    .map((setting) => ({
      label: `${setting.method} ${formatRanks(setting.ranks)}`,
      description: [methodName(setting.method), ...placeOf(planned, setting)].join(' · '),
      detail: settingText(layer, setting),
      method: setting.method,
      setting,
    }));
  for (const method of METHOD_IDS.filter((each) => !known.has(each))) {
    items.push({
      label: `$(loading~spin) ${method}`,
      description: methodName(method),
      detail: vscode.l10n.t('being computed…'),
      method,
    });
  }
  const refused = offers.filter((each) => each.kind === 'refused');
  if (refused.length > 0) {
    items.push({ label: vscode.l10n.t('Not possible here'), kind: vscode.QuickPickItemKind.Separator });
  }
  for (const { method, reason } of refused) {
    items.push({ label: `$(circle-slash) ${method}`, detail: engineText(reason), method });
  }
  items.push({ label: '', kind: vscode.QuickPickItemKind.Separator });
  items.push({
    label: `$(settings) ${vscode.l10n.t('Another Budget…')}`,
    isBudget: true,
    alwaysShow: true,
  });
  return items;
}

/** Whether the method is in the plan, and how. */
function placeOf(planned: LayerPlan | undefined, { method, ranks }: PlanSetting): readonly string[] {
  if (planned?.kind !== 'factor' || planned.method !== method) return [];
  const [there, here] = [planned.ranks, ranks].map(formatRanks);
  return [there === here ? vscode.l10n.t('in the plan') : vscode.l10n.t('in the plan with rank {0}', there!)];
}

/** "weight error 12.4 % · 148 k parameters (−75 %) · 1.2 M MACs (−60 %)" */
function settingText(layer: LayerInfo, { cost, error, certainty }: PlanSetting): string {
  const { parameters, macs } = cost;
  const parts = error === null ? [] : [vscode.l10n.t('weight error {0}', formatError(error, certainty))];
  parts.push(
    vscode.l10n.t(
      '{0} parameters ({1})',
      formatCount(parameters),
      formatChange(layer.parameters, parameters),
    ),
  );
  if (macs !== null && layer.macs !== null) {
    parts.push(vscode.l10n.t('{0} MACs ({1})', formatMacs(macs), formatChange(layer.macs, macs)));
  }
  return parts.join(' · ');
}
