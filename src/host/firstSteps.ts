import * as vscode from 'vscode';
import { STEPS } from '../ids';
import type { Models } from './models';
import type { PlanChanges } from './plans/planChanges';
import type { Tree } from './tree';

export type Step = keyof typeof STEPS;

/**
 * What somebody has done for the first time since the window was opened, as context keys that the steps of the
 * walkthrough wait for. VS Code remembers for good which of its steps are done.
 */
export interface FirstSteps extends vscode.Disposable {
  reached(step: Step): void;
}

interface Parts {
  readonly models: Models;
  readonly tree: Tree;
  readonly changes: PlanChanges;
}

export function createFirstSteps({ models, tree, changes }: Parts): FirstSteps {
  const known = new Set<Step>();
  const reached = (step: Step) => {
    if (known.has(step)) return;
    known.add(step);
    void vscode.commands.executeCommand('setContext', STEPS[step], true);
  };
  const subscriptions = vscode.Disposable.from(
    models.onDidChange((model) => {
      if (model?.state.kind === 'ready') reached('open');
    }),
    tree.onDidSelect((rows) => {
      if (rows.some(({ kind }) => kind === 'layer')) reached('look');
    }),
    // Wherever it was chosen: in the tree, in the report, among methods.
    changes.onDidApply(() => reached('accept')),
  );
  return { reached, dispose: () => subscriptions.dispose() };
}
