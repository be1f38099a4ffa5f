import * as vscode from 'vscode';
import { DEFAULT_ENERGY } from '../core/compress/makePlan';
import { SETTINGS, VIEWS } from '../ids';
import type { Model, ModelState, Models } from './models';

interface Running {
  readonly model: Model;
  /** What was known of the model when it began. */
  readonly state: ModelState;
  readonly abort: AbortController;
}

/** Computes suggested ranks in the background: one model at a time, those first that were looked at first. */
export interface Suggestions extends vscode.Disposable {
  /** Somebody looks at the layers of this model. */
  want(model: Model): void;
  /** Nobody does any more. */
  drop(model: Model): void;
  /** Keeps the processors free while `work` runs, and goes on afterwards. */
  pauseDuring<T>(work: () => Promise<T>): Promise<T>;
}

export function createSuggestions(models: Models): Suggestions {
  const wanted = new Set<Model>();
  let current: Running | undefined;
  let paused = 0;

  async function run(): Promise<void> {
    const [model] = wanted;
    if (current || paused > 0 || !model) return;
    wanted.delete(model);
    const abort = new AbortController();
    current = { model, state: model.state, abort };
    await vscode.window.withProgress({ location: { viewId: VIEWS.layers } }, () =>
      models.suggest(model, suggestionEnergy(), abort),
    );
    current = undefined;
    await run();
  }

  /** Whether what is being computed is the answer to what is wanted now. */
  const isUnderWay = (model: Model) =>
    current?.model === model && current.state === model.state && !current.abort.signal.aborted;

  const settings = vscode.workspace.onDidChangeConfiguration((event) => {
    if (event.affectsConfiguration(SETTINGS.suggestionEnergy)) void models.refresh();
  });
  const cancel = () => current?.abort.abort(new DOMException('No longer wanted.', 'AbortError'));
  return {
    want(model) {
      if (model.state.kind !== 'ready' || model.state.suggestions !== 'none') return;
      if (!isUnderWay(model)) wanted.add(model);
      void run();
    },
    drop(model) {
      wanted.delete(model);
      if (current?.model === model) cancel();
    },
    async pauseDuring(work) {
      paused++;
      if (current) wanted.add(current.model);
      cancel();
      try {
        return await work();
      } finally {
        paused--;
        void run();
      }
    },
    dispose() {
      wanted.clear();
      cancel();
      settings.dispose();
    },
  };
}

/** The share of Σ σ² that a suggested rank keeps. */
export function suggestionEnergy(): number {
  const energy = vscode.workspace.getConfiguration().get<number>(SETTINGS.suggestionEnergy, DEFAULT_ENERGY);
  // The settings editor only warns about values outside the schema.
  return energy > 0 && energy <= 1 ? energy : DEFAULT_ENERGY;
}
