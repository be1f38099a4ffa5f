import * as vscode from 'vscode';
import type { LayerInfo } from '../../core/compress/analysis';
import type { LayerPlan } from '../../core/compress/plan';
import { ModelError } from '../../core/onnx/modelError';
import type { Model, Models } from '../models';
import { basename } from '../paths';
import type { Row } from '../rows';
import { type Suggestions, suggestionEnergy } from '../suggestions';
import { withNotification } from '../withNotification';
import type { PlanChanges } from './planChanges';

interface Parts {
  readonly models: Models;
  readonly suggestions: Suggestions;
  readonly changes: PlanChanges;
}

/** Puts the suggestions of these layers, or of all layers of these models, into the plans beside the models. */
export type ApplySuggestions = (rows: readonly Row[]) => Promise<void>;

export function createApplySuggestions({ models, suggestions, changes }: Parts): ApplySuggestions {
  /** The layers of a model with their suggestions, which are computed where nobody has looked at them yet. */
  async function suggested(model: Model): Promise<readonly LayerInfo[]> {
    await models.read(model);
    if (model.state.kind === 'ready' && model.state.suggestions === 'none') {
      const notified = {
        title: vscode.l10n.t('Suggest ranks for {0}', basename(model.uri.fsPath)),
        cancelled: vscode.l10n.t('No suggestion was applied'),
      };
      await suggestions.pauseDuring(() =>
        withNotification(notified, async (call) => {
          await models.suggest(model, suggestionEnergy(), call);
          call.signal.throwIfAborted();
        }),
      );
    }
    const { state } = model;
    if (state.kind === 'failed') throw new ModelError('unreadable', state.message);
    if (state.kind === 'unread') return [];
    if (typeof state.suggestions === 'object') throw new ModelError('unreadable', state.suggestions.message);
    return state.analysis.layers;
  }

  return async (rows) => {
    const byModel = new Map<Model, Set<string> | 'all'>();
    for (const row of rows) {
      const wanted = byModel.get(row.model) ?? new Set();
      if (row.kind === 'model') byModel.set(row.model, 'all');
      else if (row.kind === 'layer' && wanted !== 'all') byModel.set(row.model, wanted.add(row.layer.name));
    }
    for (const [model, wanted] of byModel) {
      const layers = await suggested(model);
      const entries = layers.flatMap((layer) =>
        wanted === 'all' || wanted.has(layer.name) ? suggestionOf(layer) : [],
      );
      if (entries.length > 0) await changes.apply(model.uri, entries);
      else {
        const name = basename(model.uri.fsPath);
        void vscode.window.showInformationMessage(
          vscode.l10n.t('There is no suggestion for {0}: no rank is worth taking.', name),
        );
      }
    }
  };
}

function suggestionOf({ name, suggestion }: LayerInfo): readonly LayerPlan[] {
  if (!suggestion) return [];
  const { method, ranks } = suggestion;
  return [{ kind: 'factor', layer: name, method, ranks }];
}
