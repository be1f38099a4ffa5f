import * as vscode from 'vscode';
import { COMMANDS } from '../../ids';
import { type EntryState, entryStates } from './entryStates';
import { createLensNudge } from './lensNudge';
import { PLAN_SELECTOR, type PlanDocument, type PlanDocuments } from './planDocuments';
import { entryText, totalsText, withoutIcons } from './planText';

/** A review takes milliseconds; while it is under way the lenses are not made anew. */
const PATIENCE_MS = 100;
/** A text that has no review for so long is one that can't have any for now. */
const STALE_MS = 300;

/** So many lenses are made with their texts at once. Of more VS Code draws only those in sight, and asks for their texts. */
const FEW = 100;
/** In lines. */
const MARGIN = 60;

/** What the lenses of a document are made of. */
interface Facts {
  readonly version: number;
  readonly review: PlanDocument['review'];
  readonly isCurrent: boolean;
  readonly failure: string | undefined;
}

/** The lenses that VS Code was given last. */
interface Answer extends Facts {
  readonly titles: string;
}

/** A line above every entry of a plan with what it comes to, and one above the plan with its totals and commands. */
export function createPlanLenses(plans: PlanDocuments): vscode.Disposable {
  const lensNudge = createLensNudge();
  const { nudge } = lensNudge;
  const changed = new vscode.EventEmitter<void>();
  const answers = new Map<string, Answer>();
  const timers = new Map<string, ReturnType<typeof setTimeout>>();

  const forget = ({ uri }: vscode.TextDocument) => {
    const key = uri.toString();
    clearTimeout(timers.get(key));
    timers.delete(key);
    answers.delete(key);
  };

  /**
   * VS Code asks by itself after every edit, a quarter of a second later, and waits anew with every event: so one is fired
   * only for what an answer it has already had lacked, never for progress.
   */
  const follow = (plan: PlanDocument) => {
    const key = plan.document.uri.toString();
    clearTimeout(timers.get(key));
    timers.delete(key);
    const answer = answers.get(key);
    if (!answer || answer.version !== plan.document.version || isSame(answer, factsOf(plan))) return;
    if (plan.isCurrent) changed.fire();
    else
      timers.set(
        key,
        setTimeout(() => changed.fire(), STALE_MS),
      );
  };

  const provider: vscode.CodeLensProvider = {
    onDidChangeCodeLenses: changed.event,
    async provideCodeLenses(document, token) {
      const plan = await settledSoon(plans, document, token);
      if (!plan || token.isCancellationRequested) return [];
      const key = document.uri.toString();
      const lenses = [...planLenses(plan), ...entryLenses(plan)];
      const titles = lenses.map(({ command }) => command?.title).join('\n');
      const before = answers.get(key);
      answers.set(key, { ...factsOf(plan), titles });
      if (before && before.titles !== titles) nudge();
      return lenses;
    },
    resolveCodeLens: resolved,
  };
  return vscode.Disposable.from(
    changed,
    lensNudge,
    plans.onDidChange(follow),
    plans.onDidClose(forget),
    vscode.languages.registerCodeLensProvider(PLAN_SELECTOR, provider),
    new vscode.Disposable(() => {
      for (const timer of timers.values()) clearTimeout(timer);
    }),
  );
}

function factsOf({ document, review, isCurrent, failure }: PlanDocument): Facts {
  return { version: document.version, review, isCurrent, failure };
}

function isSame(a: Facts, b: Facts): boolean {
  return (
    a.version === b.version && a.review === b.review && a.isCurrent === b.isCurrent && a.failure === b.failure
  );
}

/** With the review that is under way, unless it takes its time. */
async function settledSoon(
  plans: PlanDocuments,
  document: vscode.TextDocument,
  token: vscode.CancellationToken,
): Promise<PlanDocument | undefined> {
  const patience = new vscode.CancellationTokenSource();
  const cancelled = token.onCancellationRequested(() => patience.cancel());
  const timer = setTimeout(() => patience.cancel(), PATIENCE_MS);
  try {
    return (await plans.settled(document, patience.token)) ?? plans.of(document);
  } finally {
    clearTimeout(timer);
    cancelled.dispose();
    patience.dispose();
  }
}

/** Above the first line: the commands first, so that they stay where they are while figures change. */
function planLenses(plan: PlanDocument) {
  const { document, model, review, reviewed, isCurrent, failure } = plan;
  const range = new vscode.Range(0, 0, 0, 0);
  const lenses: vscode.CodeLens[] = [];
  const add = (title: string, command: string, ...args: readonly unknown[]) =>
    lenses.push(new vscode.CodeLens(range, { title, command, arguments: [...args] }));
  if (model && failure === undefined) {
    add(vscode.l10n.t('Compress'), COMMANDS.compress, { uri: model, plan: document.uri });
    add(vscode.l10n.t('Re-plan…'), COMMANDS.replan, document.uri);
  }
  if (failure !== undefined) add(`$(warning) ${withoutIcons(failure)}`, 'workbench.actions.view.problems');
  else if (!review) add('…', '');
  else if (isCurrent && model) add(totalsText(review, isOnData(plan)), COMMANDS.reveal, model);
  else
    add(
      formerText(totalsText(review, isOnData(plan)), reviewed !== undefined),
      'workbench.actions.view.problems',
    );
  return lenses;
}

/** Whether the plan was made on data. */
function isOnData({ parsed, reviewed }: PlanDocument): boolean {
  return ((parsed.plan ?? reviewed)?.calibration ?? null) !== null;
}

/** Figures that do not hold for the text, or the model, as it is now. */
function formerText(figures: string, isOfModel: boolean): string {
  return isOfModel
    ? vscode.l10n.t('$(history) Before the last edits: {0}', figures)
    : vscode.l10n.t('$(history) Before the model changed: {0}', figures);
}

/** The lens above an entry; its text is made when it is first needed. */
class EntryLens extends vscode.CodeLens {
  constructor(
    start: vscode.Position,
    readonly state: EntryState,
    readonly layer: string,
    readonly plan: PlanDocument,
  ) {
    super(new vscode.Range(start, start));
  }
}

function resolved(lens: vscode.CodeLens): vscode.CodeLens {
  if (!(lens instanceof EntryLens)) return lens;
  const { state, layer, plan } = lens;
  lens.command = {
    title: entryText(state, plan.review?.isMeasured ?? false, isOnData(plan)),
    tooltip: vscode.l10n.t('Show {0} in the Layers view', layer),
    command: COMMANDS.revealPlannedLayer,
    arguments: [plan.document.uri, layer],
  };
  return lens;
}

/** Above each entry that has a line of its own; with texts as far as they may be in sight soon. */
function entryLenses(plan: PlanDocument): readonly vscode.CodeLens[] {
  const { document, parsed, failure } = plan;
  if (failure !== undefined) return [];
  const isNear = nearSight(document);
  const lenses = new Map<number, EntryLens | undefined>();
  for (const [layer, state] of entryStates(plan)) {
    const start = document.positionAt(parsed.places.get(layer)!.name.offset);
    const isAlone = !lenses.has(start.line);
    lenses.set(start.line, isAlone ? new EntryLens(start, state, layer, plan) : undefined);
  }
  const all = [...lenses.values()].filter((lens) => lens !== undefined);
  return all.length <= FEW
    ? all.map(resolved)
    : all.map((lens) => (isNear(lens.range.start.line) ? resolved(lens) : lens));
}

/** Whether a line of a document is in sight, or not far from there. */
function nearSight(document: vscode.TextDocument): (line: number) => boolean {
  const ranges = vscode.window.visibleTextEditors
    .filter((editor) => editor.document === document)
    .flatMap(({ visibleRanges }) => visibleRanges);
  return (line) => ranges.some(({ start, end }) => line >= start.line - MARGIN && line <= end.line + MARGIN);
}
