import * as vscode from 'vscode';
import { ModelError } from '../../core/onnx/modelError';
import { COMMANDS } from '../../ids';
import { engineText } from '../engineText';
import type { Models } from '../models';
import type { Tree } from '../tree';
import type { PlanDocument, PlanDocuments } from './planDocuments';

/** Commands about a plan in an editor. */
export interface PlanActions {
  /** Shows a layer in the Layers view: the given one, or the one at the cursor. Throws a ModelError where there is none. */
  reveal(plan?: vscode.Uri | string, layer?: string): Promise<void>;
  /** Offers what can be done with a plan. */
  pick(plan?: vscode.Uri): Promise<void>;
}

interface Parts {
  readonly plans: PlanDocuments;
  readonly models: Models;
  readonly tree: Pick<Tree, 'reveal'>;
}

export function createPlanActions({ plans, models, tree }: Parts): PlanActions {
  /** The given plan, or the one in the active editor. */
  async function planOf(uri: vscode.Uri | string | undefined): Promise<PlanDocument> {
    const given = typeof uri === 'string' ? vscode.Uri.parse(uri, true) : uri;
    const document = given
      ? await vscode.workspace.openTextDocument(given)
      : vscode.window.activeTextEditor?.document;
    const plan = document && plans.of(document);
    if (plan) return plan;
    throw new ModelError('bad-plan', vscode.l10n.t('There is no plan in the active editor.'));
  }

  function modelOf({ document, model, parsed }: PlanDocument): vscode.Uri {
    if (model) return model;
    const place = vscode.workspace.asRelativePath(document.uri);
    const problem = engineText(parsed.problems[0]?.message ?? '');
    throw new ModelError('bad-plan', vscode.l10n.t('{0} can’t be read: {1}', place, problem));
  }

  return {
    async reveal(uri, given) {
      const plan = await planOf(uri);
      const model = await models.open(modelOf(plan));
      const state = await models.read(model);
      if (state.kind === 'failed') throw new ModelError('unreadable', state.message);
      const layer = given ?? layerAtCursor(plan);
      if (layer === undefined) return tree.reveal(model);
      if (state.kind === 'ready' && !state.analysis.layers.some(({ name }) => name === layer)) {
        const file = vscode.workspace.asRelativePath(model.uri);
        throw new ModelError('unknown-layer', vscode.l10n.t('{0} has no layer "{1}".', file, layer));
      }
      await tree.reveal(model, layer);
    },
    async pick(uri) {
      const plan = await planOf(uri);
      const item = await vscode.window.showQuickPick(actionsOf(plan), {
        title: vscode.l10n.t('Plan {0}', vscode.workspace.asRelativePath(plan.document.uri)),
      });
      if (item) await vscode.commands.executeCommand(item.command, ...item.arguments);
    },
  };
}

/** The layer whose entry the cursor is in. */
function layerAtCursor({ document, parsed }: PlanDocument): string | undefined {
  const editors = [vscode.window.activeTextEditor, ...vscode.window.visibleTextEditors];
  const editor = editors.find((each) => each?.document === document);
  if (!editor) return undefined;
  const cursor = document.offsetAt(editor.selection.active);
  for (const [layer, { name, entry }] of parsed.places) {
    if (cursor >= name.offset && cursor <= entry.offset + entry.length) return layer;
  }
  return undefined;
}

function actionsOf({ document, model }: PlanDocument) {
  const action = (icon: string, label: string, detail: string, command: string, ...args: unknown[]) => ({
    label: `$(${icon}) ${label}`,
    detail,
    command,
    arguments: args,
  });
  const problems = action(
    'warning',
    vscode.l10n.t('Show Problems'),
    vscode.l10n.t('What is wrong with the plan, and what would be better'),
    'workbench.actions.view.problems',
  );
  if (!model) return [problems];
  return [
    action(
      'fold-down',
      vscode.l10n.t('Compress…'),
      vscode.l10n.t('Make the smaller model by this plan'),
      COMMANDS.compress,
      { uri: model, plan: document.uri },
    ),
    action(
      'target',
      vscode.l10n.t('Re-plan…'),
      vscode.l10n.t('Make the plan anew for another goal; undo brings it back'),
      COMMANDS.replan,
      document.uri,
    ),
    action(
      'wand',
      vscode.l10n.t('Apply All Suggestions'),
      vscode.l10n.t('What would be better, in all layers at once'),
      COMMANDS.fixPlan,
      document.uri,
    ),
    action(
      'database',
      vscode.l10n.t('Calibration Data…'),
      vscode.l10n.t('What the plan was made on, and factors are fitted to'),
      COMMANDS.chooseCalibration,
      document.uri,
    ),
    problems,
    action(
      'list-tree',
      vscode.l10n.t('Show in Layers'),
      vscode.l10n.t('The model and its layers in the Layers view'),
      COMMANDS.revealPlannedLayer,
      document.uri,
    ),
  ];
}
