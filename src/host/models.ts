import * as vscode from 'vscode';
import type { Analysis } from '../core/compress/analysis';
import type { CallOptions, Engine, ModelRequest } from '../worker/engine';
import type { Dimensions } from './dimensions';
import { enginePath } from './enginePath';
import type { Failures } from './failures';
import type { ModelFiles } from './modelFiles';

/** What is known of a model file. */
export type ModelState =
  | { readonly kind: 'unread' }
  | { readonly kind: 'failed'; readonly message: string }
  | {
      readonly kind: 'ready';
      readonly analysis: Analysis;
      /** Whether the analysis has suggested ranks, or why it can't have them. */
      readonly suggestions: 'none' | 'there' | { readonly message: string };
    };

/** A model file. The object stays the same as long as the file is there; its state changes. */
export interface Model {
  readonly uri: vscode.Uri;
  readonly state: ModelState;
}

interface Entry {
  readonly uri: vscode.Uri;
  state: ModelState;
  /** Of the file, when it was read. */
  modified: number;
  /** Counts what made the state obsolete: an answer to an older question is dropped. */
  version: number;
  reading: Promise<ModelState> | undefined;
}

/** The models of the workspace, each analysed when somebody looks at it. */
export interface Models extends vscode.Disposable {
  /** Searches the workspace the first time. */
  list(): Promise<readonly Model[]>;
  /** The model in this file, which need not be in the workspace; then it joins the list. */
  open(uri: vscode.Uri): Promise<Model>;
  /** Analyses the model unless its state is known. Never rejects: a failure is a state. */
  read(model: Model): Promise<ModelState>;
  /** The analysis with suggested ranks, or why there are none; dropped if the file has changed meanwhile. */
  suggest(model: Model, energy: number, call: CallOptions & { readonly signal: AbortSignal }): Promise<void>;
  /** Forgets what is known of one or all of them, and looks for files again. */
  refresh(uri?: vscode.Uri): Promise<void>;
  /** How the engine is asked about a model. */
  request(uri: vscode.Uri): ModelRequest;
  /** One model changed, or (undefined) the list did. */
  readonly onDidChange: vscode.Event<Model | undefined>;
}

export function createModels(
  engine: Engine,
  files: ModelFiles,
  dimensions: Dimensions,
  failures: Failures,
): Models {
  const changed = new vscode.EventEmitter<Model | undefined>();
  const entries = new Map<string, Entry>();
  /** Files outside the search that somebody asked for. */
  const extra = new Map<string, vscode.Uri>();
  let searching: Promise<void> | undefined;

  const request = (uri: vscode.Uri): ModelRequest => ({ path: enginePath(uri), dims: dimensions.of(uri) });

  async function search(): Promise<void> {
    const found = [...(await files.find())];
    for (const [key, uri] of extra) {
      if (found.some((file) => file.toString() === key)) extra.delete(key);
      else if ((await modifiedAt(uri)) === undefined) extra.delete(key);
      else found.push(uri);
    }
    const before = new Map(entries);
    entries.clear();
    for (const uri of found) {
      const key = uri.toString();
      const entry = before.get(key) ?? {
        uri,
        state: { kind: 'unread' },
        modified: 0,
        version: 0,
        reading: undefined,
      };
      entries.set(key, entry);
      if (entry.state.kind !== 'unread' && (await modifiedAt(uri)) !== entry.modified) forget(entry);
    }
    changed.fire(undefined);
  }

  const again = () => {
    searching = search();
    return searching;
  };

  function forget(entry: Entry): void {
    entry.version++;
    entry.state = { kind: 'unread' };
    entry.reading = undefined;
  }

  function settle(entry: Entry, version: number, state: ModelState): ModelState {
    if (entry.version !== version) return entry.state;
    entry.state = state;
    entry.reading = undefined;
    changed.fire(entry);
    return state;
  }

  async function analyze(entry: Entry): Promise<ModelState> {
    const { version } = entry;
    entry.modified = (await modifiedAt(entry.uri)) ?? 0;
    const outcome = await failures.orSentence(engine.analyze(request(entry.uri)));
    return settle(
      entry,
      version,
      'message' in outcome
        ? { kind: 'failed', message: outcome.message }
        : { kind: 'ready', analysis: outcome.value, suggestions: 'none' },
    );
  }

  const subscriptions = vscode.Disposable.from(
    changed,
    files.onDidChangeList(() => void (searching && again())),
    files.onDidChangeFile((uri) => {
      const entry = entries.get(uri.toString());
      if (!entry || entry.state.kind === 'unread') return;
      forget(entry);
      changed.fire(entry);
    }),
  );

  return {
    onDidChange: changed.event,
    request,
    dispose: () => subscriptions.dispose(),
    async list() {
      searching ??= search();
      await searching;
      return [...entries.values()];
    },
    async open(uri) {
      searching ??= search();
      await searching;
      const key = uri.toString();
      if (!entries.has(key)) {
        extra.set(key, uri);
        await again();
      }
      return entries.get(key) ?? { uri, state: { kind: 'unread' } };
    },
    read(model) {
      const entry = entries.get(model.uri.toString());
      if (entry?.state.kind !== 'unread') return Promise.resolve(model.state);
      entry.reading ??= analyze(entry);
      return entry.reading;
    },
    async suggest(model, energy, call) {
      const entry = entries.get(model.uri.toString());
      if (entry?.state.kind !== 'ready') return;
      const { version } = entry;
      const { analysis } = entry.state;
      const asked = engine.suggest({ ...request(entry.uri), energy, method: 'auto' }, call);
      const outcome = await failures.orSentence(asked);
      if (call.signal.aborted) return;
      settle(
        entry,
        version,
        'message' in outcome
          ? { kind: 'ready', analysis, suggestions: { message: outcome.message } }
          : { kind: 'ready', analysis: outcome.value, suggestions: 'there' },
      );
    },
    async refresh(uri) {
      for (const entry of entries.values()) {
        if (!uri || entry.uri.toString() === uri.toString()) forget(entry);
      }
      await again();
    },
  };
}

async function modifiedAt(uri: vscode.Uri): Promise<number | undefined> {
  return vscode.workspace.fs.stat(uri).then(
    (stat) => stat.mtime,
    () => undefined,
  );
}
