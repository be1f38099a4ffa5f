import * as vscode from 'vscode';
import { type ParsedPlan, parsePlanFile } from '../../core/compress/parsePlanFile';
import type { PlanFile } from '../../core/compress/planFile';
import type { PlanReview } from '../../core/compress/planReview';
import type { Engine } from '../../worker/engine';
import type { Calibrations } from '../calibration/calibrations';
import { planData } from '../calibration/planData';
import { enginePath } from '../enginePath';
import type { Failures } from '../failures';
import type { ModelFiles } from '../modelFiles';
import type { Models } from '../models';
import { basename } from '../paths';

/** Which documents are plans. */
export const PLAN_SELECTOR: vscode.DocumentSelector = { pattern: '**/*.ranks.json' };

/** A plan that is open in an editor, as its text is now, and what was last said of it. */
export interface PlanDocument {
  readonly document: vscode.TextDocument;
  /** Of the text as it is now. */
  readonly parsed: ParsedPlan;
  /** The model it is for; undefined while the text does not name one. */
  readonly model: vscode.Uri | undefined;
  /** What was last said of a text without problems; see {@link isCurrent}. */
  readonly review: PlanReview | undefined;
  /** What the review is of; undefined where there is none, and where the model has changed since. */
  readonly reviewed: PlanFile | undefined;
  /** Whether the review is of the text as it is now. */
  readonly isCurrent: boolean;
  /** Why the plan can't be held against its model, as a sentence. */
  readonly failure: string | undefined;
  /** How much of what the review needs is measured, 0…1; undefined when nothing is under way. */
  readonly measuring: number | undefined;
}

/** The plans that are open, each reviewed as it is typed. */
export interface PlanDocuments extends vscode.Disposable {
  /** Undefined for documents that are no plans. */
  of(document: vscode.TextDocument): PlanDocument | undefined;
  /** The same once there is a review of the text as it is now, or it is known that there will be none. */
  settled(document: vscode.TextDocument, token: vscode.CancellationToken): Promise<PlanDocument | undefined>;
  /** What is known of a plan changed: its text, a review, or how far the measurement is. */
  readonly onDidChange: vscode.Event<PlanDocument>;
  readonly onDidClose: vscode.Event<vscode.TextDocument>;
}

interface Entry {
  readonly document: vscode.TextDocument;
  parsed: ParsedPlan;
  review: PlanReview | undefined;
  /** What `review` is of. */
  reviewed: PlanFile | undefined;
  failure: string | undefined;
  measuring: number | undefined;
  /** A quick review is under way. */
  isAsking: boolean;
  isMeasuring: boolean;
  readonly closed: AbortController;
}

interface Parts {
  readonly engine: Engine;
  readonly models: Models;
  readonly files: ModelFiles;
  readonly failures: Failures;
  readonly calibrations: Calibrations;
}

export function createPlanDocuments({ engine, models, files, failures, calibrations }: Parts): PlanDocuments {
  const changed = new vscode.EventEmitter<PlanDocument>();
  const closed = new vscode.EventEmitter<vscode.TextDocument>();
  const entries = new Map<string, Entry>();

  const fire = (entry: Entry) => changed.fire(stateOf(entry));

  function add(document: vscode.TextDocument): void {
    if (vscode.languages.match(PLAN_SELECTOR, document) === 0 || entries.has(keyOf(document))) return;
    const entry: Entry = {
      document,
      parsed: parsePlanFile(document.getText()),
      review: undefined,
      reviewed: undefined,
      failure: undefined,
      measuring: undefined,
      isAsking: false,
      isMeasuring: false,
      closed: new AbortController(),
    };
    entries.set(keyOf(document), entry);
    fire(entry);
    void ask(entry);
  }

  function remove(document: vscode.TextDocument): void {
    const entry = entries.get(keyOf(document));
    if (!entry) return;
    entries.delete(keyOf(document));
    entry.closed.abort(new DOMException('The plan was closed.', 'AbortError'));
    closed.fire(document);
  }

  function update(document: vscode.TextDocument): void {
    const entry = entries.get(keyOf(document));
    if (!entry) return;
    entry.parsed = parsePlanFile(document.getText());
    fire(entry);
    void ask(entry);
  }

  /** Reviews the text as it is with what is known, one call at a time, and starts measuring what is missing. */
  async function ask(entry: Entry): Promise<void> {
    if (entry.isAsking) return;
    entry.isAsking = true;
    try {
      while (entry.parsed.plan && entry.parsed.plan !== entry.reviewed && !entry.closed.signal.aborted) {
        await review(entry, entry.parsed.plan, false);
      }
    } finally {
      entry.isAsking = false;
    }
    if (entry.review && !entry.review.isMeasured && entry.failure === undefined) void measure(entry);
  }

  async function measure(entry: Entry): Promise<void> {
    const { plan } = entry.parsed;
    if (!plan || entry.isMeasuring) return;
    entry.isMeasuring = true;
    entry.measuring = 0;
    fire(entry);
    await review(entry, plan, true);
    entry.isMeasuring = false;
    entry.measuring = undefined;
    if (entry.closed.signal.aborted) return;
    fire(entry);
    // Typing went on meanwhile: what was measured now tells more of the newer text too.
    entry.reviewed = entry.parsed.plan === plan ? entry.reviewed : undefined;
    void ask(entry);
  }

  async function review(entry: Entry, plan: PlanFile, measures: boolean): Promise<void> {
    const { signal } = entry.closed;
    const model = modelOf(entry.document, plan);
    const data = planData(calibrations, model, entry.document.uri, plan);
    const where = data ? { data: enginePath(data) } : {};
    const request = { ...models.request(model), plan, measure: measures, ...where };
    const onProgress = ({ done }: { readonly done: number }) => {
      const percent = Math.floor(100 * done) / 100;
      if (!measures || percent === entry.measuring) return;
      entry.measuring = percent;
      fire(entry);
    };
    const outcome = await failures.orSentence(engine.review(request, { signal, onProgress }));
    if (signal.aborted) return;
    // A measurement that took long is of a text of long ago.
    if (measures && entry.parsed.plan !== plan) return;
    entry.reviewed = plan;
    entry.failure = 'message' in outcome ? outcome.message : undefined;
    entry.review = 'message' in outcome ? undefined : outcome.value;
    fire(entry);
  }

  function again(uri: vscode.Uri | undefined): void {
    for (const entry of entries.values()) {
      const { plan } = entry.parsed;
      if (!plan || (uri && modelOf(entry.document, plan).toString() !== uri.toString())) continue;
      entry.reviewed = undefined;
      void ask(entry);
    }
  }

  /** The data of a plan, or a part of it, may have changed. */
  function againOn(uri: vscode.Uri): void {
    for (const { parsed, document } of entries.values()) {
      const { plan } = parsed;
      if (!plan?.calibration) continue;
      const model = modelOf(document, plan);
      const data = planData(calibrations, model, document.uri, plan);
      if (data && (uri.path === data.path || uri.path.startsWith(`${data.path}/`))) again(model);
    }
  }

  const dataFiles = vscode.workspace.createFileSystemWatcher('**/*.{npy,npz,pb,png,jpg,jpeg}');
  const subscriptions = vscode.Disposable.from(
    changed,
    closed,
    vscode.workspace.onDidOpenTextDocument(add),
    vscode.workspace.onDidCloseTextDocument(remove),
    vscode.workspace.onDidChangeTextDocument(({ document, contentChanges }) => {
      if (contentChanges.length > 0) update(document);
    }),
    files.onDidChangeFile(again),
    files.onDidChangeList(() => again(undefined)),
    models.onDidChange((model) => model && again(model.uri)),
    calibrations.onDidChange(again),
    dataFiles,
    dataFiles.onDidCreate(againOn),
    dataFiles.onDidChange(againOn),
    dataFiles.onDidDelete(againOn),
  );
  for (const document of vscode.workspace.textDocuments) add(document);

  return {
    onDidChange: changed.event,
    onDidClose: closed.event,
    of(document) {
      const entry = entries.get(keyOf(document));
      return entry && stateOf(entry);
    },
    async settled(document, token) {
      add(document);
      for (;;) {
        const entry = entries.get(keyOf(document));
        if (!entry || token.isCancellationRequested) return undefined;
        const state = stateOf(entry);
        if (state.isCurrent || !state.parsed.plan) return state;
        await next(changed.event, token);
      }
    },
    dispose() {
      for (const { document } of [...entries.values()]) remove(document);
      subscriptions.dispose();
    },
  };
}

function stateOf(entry: Entry): PlanDocument {
  const { document, parsed, review, reviewed, failure, measuring } = entry;
  return {
    document,
    parsed,
    model: parsed.plan && modelOf(document, parsed.plan),
    review,
    reviewed,
    isCurrent: parsed.plan !== undefined && parsed.plan === reviewed,
    failure: parsed.plan ? failure : undefined,
    measuring,
  };
}

/** The model of a plan: the file it names, beside it. */
export function modelOf(document: vscode.TextDocument, plan: PlanFile): vscode.Uri {
  return vscode.Uri.joinPath(document.uri, '..', basename(plan.model.file));
}

function keyOf(document: vscode.TextDocument): string {
  return document.uri.toString();
}

/** Resolves with the next event, or when the token is cancelled. */
function next<T>(event: vscode.Event<T>, token: vscode.CancellationToken): Promise<void> {
  return new Promise((resolve) => {
    const both = vscode.Disposable.from(
      event(() => end()),
      token.onCancellationRequested(() => end()),
    );
    const end = () => {
      both.dispose();
      resolve();
    };
  });
}
