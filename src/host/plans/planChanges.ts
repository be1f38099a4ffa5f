import * as vscode from 'vscode';
import { type ParsedPlan, parsePlanFile } from '../../core/compress/parsePlanFile';
import { type LayerPlan, printTarget } from '../../core/compress/plan';
import { editedText, entryEdits, type PlanEdit, planEdits, removalEdit } from '../../core/compress/planEdits';
import type { PlanFile } from '../../core/compress/planFile';
import { formatRanks } from '../../core/format';
import { ModelError } from '../../core/onnx/modelError';
import { shortNames } from '../../core/shortNames';
import { CONTEXTS, VIEWS } from '../../ids';
import type { Engine } from '../../worker/engine';
import { layerCount } from '../counts';
import { enginePath } from '../enginePath';
import type { Models } from '../models';
import { basename } from '../paths';
import { suggestionEnergy } from '../suggestions';
import { planEdit } from './planEdit';
import { planDocument, planSource } from './planSource';
import { planUri } from './planUri';
import { writePlan } from './writePlan';

/** What the Layers view and the report change in the plans beside the models. */
export interface PlanChanges extends vscode.Disposable {
  /** Somebody's choice is in a plan, by `apply` or `replace`. */
  readonly onDidApply: vscode.Event<void>;
  /**
   * Makes entries of the plan beside a model, or of another that is named, what they shall be. Without a plan one is made, whose goal is the energy of
   * suggestions, with these entries only. A plan that was saved is saved again. Throws 'bad-plan' where the text of the plan
   * can't take them.
   */
  apply(model: vscode.Uri, entries: readonly LayerPlan[], plan?: vscode.Uri): Promise<void>;
  /** Makes the whole plan beside a model another one; its goal is what is said of it. Otherwise as {@link apply}. */
  replace(model: vscode.Uri, plan: PlanFile): Promise<void>;
  /** Takes back the last change that was made by `apply` and not taken back yet. */
  undo(): Promise<void>;
}

/** One change, as far as it takes to take it back. */
interface Change {
  readonly uri: vscode.Uri;
  /** The text it led to. */
  readonly text: string;
  /** The text of the entries before (undefined where there were none) and after it, by layer. */
  readonly entries: ReadonlyMap<string, { readonly before: string | undefined; readonly after: string }>;
  readonly wasSaved: boolean;
  /** The whole text before, where more than entries changed. */
  readonly before?: string;
  /** What it was, in words. */
  readonly title: string;
}

/** Changes that can be taken back. */
const MOST_CHANGES = 100;

export function createPlanChanges({
  engine,
  models,
}: {
  readonly engine: Engine;
  readonly models: Models;
}): PlanChanges {
  const changes: Change[] = [];
  const applied = new vscode.EventEmitter<void>();
  /** One after the other: each is an edit of the text that the one before left. */
  let last: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const turn = last.then(work);
    last = turn.catch(() => {});
    return turn;
  };
  const note = () => void vscode.commands.executeCommand('setContext', CONTEXTS.canUndo, changes.length > 0);

  function remember(change: Change): void {
    changes.push(change);
    if (changes.length > MOST_CHANGES) changes.shift();
    note();
  }

  /** The plan of a model, made where there is none: without entries, so that the first of them can be taken back. */
  async function documentOf(model: vscode.Uri, uri: vscode.Uri): Promise<vscode.TextDocument> {
    if (!(await planSource(uri))) {
      const target = { kind: 'energy', energy: suggestionEnergy() } as const;
      const { plan } = await vscode.window.withProgress({ location: { viewId: VIEWS.layers } }, () =>
        engine.plan({ ...models.request(model), target, method: 'auto' }),
      );
      await writePlan(uri, { ...plan, layers: [] });
    }
    return planDocument(uri);
  }

  /** A layer's name as short as is clear, where its model is known. */
  async function shortName(model: vscode.Uri, layer: string): Promise<string> {
    const { state } = await models.open(model);
    const layers = state.kind === 'ready' ? state.analysis.layers : [];
    return shortNames(layers)[layers.findIndex(({ name }) => name === layer)] ?? layer;
  }

  async function apply(model: vscode.Uri, entries: readonly LayerPlan[], plan: vscode.Uri): Promise<void> {
    const document = await documentOf(model, plan);
    const text = document.getText();
    const parsed = parsePlanFile(text);
    const edits = entryEdits(text, parsed, entries);
    if (!edits || !isJson(editedText(text, edits))) throw notEditable(document.uri);
    const title = titleOf(entries, await shortName(model, entries[0]?.layer ?? ''));
    const name = basename(document.uri.fsPath);
    const rawOf = ({ places }: ParsedPlan, of: string, layer: string) => {
      const place = places.get(layer)?.entry;
      return place && of.slice(place.offset, place.offset + place.length);
    };
    const wasSaved = !document.isDirty;
    if (editedText(text, edits) !== text) {
      await edit(document, edits, wasSaved);
      const now = document.getText();
      const reparsed = parsePlanFile(now);
      remember({
        uri: document.uri,
        text: now,
        entries: new Map(
          entries.map(({ layer }) => [
            layer,
            { before: rawOf(parsed, text, layer), after: rawOf(reparsed, now, layer)! },
          ]),
        ),
        wasSaved,
        title,
      });
    }
    vscode.window.setStatusBarMessage(vscode.l10n.t('{0}: {1}', name, title), 5000);
    applied.fire();
  }

  async function replace(model: vscode.Uri, plan: PlanFile): Promise<void> {
    const uri = planUri(model);
    const document = await documentOf(model, uri);
    const before = document.getText();
    const title = printTarget(plan.goal);
    if (!parsePlanFile(before).plan) throw notEditable(uri);
    const edits = planEdits(before, plan);
    const wasSaved = !document.isDirty;
    if (edits.length > 0) {
      await edit(document, edits, wasSaved);
      remember({ uri, text: document.getText(), entries: new Map(), wasSaved, before, title });
    }
    vscode.window.setStatusBarMessage(vscode.l10n.t('{0}: {1}', basename(uri.path), title), 5000);
    applied.fire();
  }

  async function undo(): Promise<void> {
    const change = changes.pop();
    note();
    if (!change) {
      vscode.window.setStatusBarMessage(vscode.l10n.t('Nothing to undo in the plans'), 5000);
      return;
    }
    const name = basename(change.uri.fsPath);
    const isUndone = (await planSource(change.uri)) !== undefined && (await takenBack(change));
    const said = isUndone
      ? vscode.l10n.t('Undone in {0}: {1}', name, change.title)
      : vscode.l10n.t('{0} has been changed since, so this stays: {1}', name, change.title);
    vscode.window.setStatusBarMessage(said, 5000);
  }

  return {
    apply: (model, entries, plan = planUri(model)) => inTurn(() => apply(model, entries, plan)),
    replace: (model, plan) => inTurn(() => replace(model, plan)),
    undo: () => inTurn(undo),
    onDidApply: applied.event,
    dispose: () => applied.dispose(),
  };
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function notEditable(uri: vscode.Uri): ModelError {
  return new ModelError(
    'bad-plan',
    vscode.l10n.t('{0} can’t be changed from here before its errors are repaired.', enginePath(uri)),
  );
}

async function takenBack(change: Change): Promise<boolean> {
  const document = await planDocument(change.uri);
  return (await undoInEditor(document, change)) || (await takeBack(document, change));
}

async function edit(
  document: vscode.TextDocument,
  edits: readonly PlanEdit[],
  saves: boolean,
): Promise<void> {
  if (!(await vscode.workspace.applyEdit(planEdit(document, edits)))) throw notEditable(document.uri);
  if (saves) await document.save();
}

/**
 * Takes a change back as the editor would, where the plan is open in one and the change was the last: so that undo and redo
 * there go on from where they should.
 */
async function undoInEditor(document: vscode.TextDocument, change: Change): Promise<boolean> {
  if (document.getText() !== change.text) return false;
  const tabs = vscode.window.tabGroups.all.flatMap((group) => group.tabs);
  const isOf = ({ input }: vscode.Tab) =>
    input instanceof vscode.TabInputText && input.uri.toString() === document.uri.toString();
  const tab = tabs.find((each) => isOf(each) && each.isActive) ?? tabs.find(isOf);
  if (!tab) return false;
  await vscode.window.showTextDocument(document, {
    viewColumn: tab.group.viewColumn,
    preview: tab.isPreview,
  });
  await vscode.commands.executeCommand('undo');
  const isUndone = document.getText() !== change.text;
  if (isUndone && change.wasSaved) await document.save();
  await vscode.commands.executeCommand(`${VIEWS.layers}.focus`);
  return isUndone;
}

/** Gives the entries of a change that are still as it left them what they held before. */
async function takeBack(
  document: vscode.TextDocument,
  { entries, wasSaved, text: after, before }: Change,
): Promise<boolean> {
  const wasClean = !document.isDirty;
  let text = document.getText();
  let isUndone = before !== undefined && text === after;
  if (isUndone) text = before!;
  for (const [layer, { before, after }] of entries) {
    const parsed = parsePlanFile(text);
    const place = parsed.places.get(layer)?.entry;
    if (!place || text.slice(place.offset, place.offset + place.length) !== after) continue;
    const back = before === undefined ? removalEdit(text, parsed, layer) : { ...place, text: before };
    if (!back) continue;
    text = editedText(text, [back]);
    isUndone = true;
  }
  if (isUndone) await edit(document, wholeEdit(document.getText(), text), wasSaved && wasClean);
  return isUndone;
}

/** The smallest piece that makes one text the other. */
function wholeEdit(before: string, after: string): readonly PlanEdit[] {
  let start = 0;
  while (start < after.length && before[start] === after[start]) start++;
  let end = 0;
  const most = Math.min(before.length, after.length) - start;
  while (end < most && before[before.length - 1 - end] === after[after.length - 1 - end]) end++;
  const text = after.slice(start, after.length - end);
  return [{ offset: start, length: before.length - end - start, text }];
}

/** "features.8.0 → spatial 24", or how many layers. */
function titleOf(entries: readonly LayerPlan[], name: string): string {
  const [first, ...others] = entries;
  if (!first || others.length > 0) return layerCount(entries.length);
  const what =
    first.kind === 'dense' ? vscode.l10n.t('dense') : `${first.method} ${formatRanks(first.ranks)}`;
  return `${name} → ${what}`;
}
