import * as vscode from 'vscode';
import type { LayerInfo } from '../../core/compress/analysis';
import { parseTarget, printTarget } from '../../core/compress/plan';
import type { PlanFile } from '../../core/compress/planFile';
import { LARGEST_BLOCK } from '../../core/compress/ranks/rankMultiple';
import { ModelError } from '../../core/onnx/modelError';
import { shortNames } from '../../core/shortNames';
import type { Engine } from '../../worker/engine';
import { enginePath } from '../enginePath';
import { complaintAbout } from '../goals';
import type { Models } from '../models';
import type { Suggestions } from '../suggestions';
import { type LayerBudget, pickMethod } from './pickMethod';
import type { PlanChanges } from './planChanges';
import type { PlanFiles } from './planFiles';
import type { LayerArgument } from './revealInPlan';

interface Parts {
  readonly engine: Engine;
  readonly models: Models;
  readonly suggestions: Suggestions;
  readonly planFiles: PlanFiles;
  readonly changes: PlanChanges;
}

/** Shows what each method could do for a layer at a budget, and puts the one that is chosen into the plan. */
export type CompareMethods = (layer: LayerArgument) => Promise<void>;

export function createCompareMethods({
  engine,
  models,
  suggestions,
  planFiles,
  changes,
}: Parts): CompareMethods {
  /** A layer with its name as short as is clear. */
  async function infoOf({ model, layer }: LayerArgument): Promise<{ info: LayerInfo; title: string }> {
    const state = await models.read(await models.open(model));
    if (state.kind === 'failed') throw new ModelError('unreadable', state.message);
    const layers = state.kind === 'ready' ? state.analysis.layers : [];
    const index = layers.findIndex(({ name }) => name === layer);
    if (index >= 0) return { info: layers[index]!, title: shortNames(layers)[index]! };
    throw new ModelError('unknown-layer', vscode.l10n.t('{0} has no layer "{1}".', enginePath(model), layer));
  }

  /** What the planned setting costs, or the suggested one, or half of what the layer does. */
  async function budgetOf(
    model: vscode.Uri,
    info: LayerInfo,
    plan: PlanFile | undefined,
  ): Promise<LayerBudget> {
    const unit = plan?.goal.kind === 'macs' && info.macs ? 'macs' : 'parameters';
    const costs = [await plannedCost(model, info, plan), info.suggestion];
    for (const cost of costs) {
      const share = (cost?.[unit] ?? 0) / info[unit]!;
      if (share > 0 && share < 1) return { kind: unit, share };
    }
    return { kind: unit, share: 1 / 2 };
  }

  async function plannedCost(model: vscode.Uri, { name }: LayerInfo, plan: PlanFile | undefined) {
    if (!plan?.layers.some(({ kind, layer }) => kind === 'factor' && layer === name)) return undefined;
    const { layers } = await engine.review({ ...models.request(model), plan, measure: false });
    return layers.find(({ layer }) => layer === name)?.planned?.cost;
  }

  async function compare(argument: LayerArgument): Promise<void> {
    const { model, layer, plan: named } = argument;
    const { info, title } = await infoOf(argument);
    const plan = (await planFiles.read(model, named))?.parsed.plan;
    const planned = plan?.layers.find((entry) => entry.layer === layer);
    const request = {
      ...models.request(model),
      layer,
      multiple: plan?.multiple ?? LARGEST_BLOCK,
      foldNorms: plan?.foldNorms ?? true,
    };
    let budget = await budgetOf(model, info, plan);
    for (;;) {
      const { kind: measure, share } = budget;
      const choice = await pickMethod(info, title, planned, budget, (methods, call) =>
        engine.compare({ ...request, methods, measure, share }, call),
      );
      if (!choice) return;
      if (choice.kind === 'factor') return changes.apply(model, [choice], named);
      budget = (await askBudget(title, budget)) ?? budget;
    }
  }

  return (argument) => suggestions.pauseDuring(() => compare(argument));
}

/** Asks for another budget. Undefined when cancelled. */
async function askBudget(name: string, budget: LayerBudget): Promise<LayerBudget | undefined> {
  const rounded = { ...budget, share: Number(budget.share.toPrecision(3)) };
  const value = printTarget(rounded);
  const text = await vscode.window.showInputBox({
    title: vscode.l10n.t('Budget for {0}', name),
    value,
    valueSelection: [value.indexOf('=') + 1, value.length],
    prompt: vscode.l10n.t('parameters=0.5 or macs=0.5: the share of the layer that may remain.'),
    validateInput: (input) => (budgetIn(input) ? undefined : complaintOf(input)),
    ignoreFocusOut: true,
  });
  return text === undefined ? undefined : budgetIn(text);
}

function budgetIn(text: string): LayerBudget | undefined {
  const target = parseTarget(text);
  return target?.kind === 'parameters' || target?.kind === 'macs' ? target : undefined;
}

function complaintOf(text: string): string {
  const complaint = /^\s*(parameters|macs)\s*=/.test(text) && complaintAbout(text);
  return complaint || vscode.l10n.t('Write parameters=0.5 or macs=0.5.');
}
