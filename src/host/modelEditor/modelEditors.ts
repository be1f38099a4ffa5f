import * as vscode from 'vscode';
import type { FromModelPage, ModelAction, ModelView, ToModelPage } from '../../../webview/modelPage/messages';
import { COMMANDS, EDITORS } from '../../ids';
import type { Engine } from '../../worker/engine';
import { withEngineTexts } from '../engineText';
import type { Failures } from '../failures';
import { nameOf, placeOf } from '../fileNames';
import type { Models } from '../models';
import { onDisk } from '../onDisk';
import { pageHtml, pageOptions } from '../pageHtml';
import type { Tree } from '../tree';
import { watchFiles } from '../watchFiles';
import { modelTexts } from './modelTexts';

/** The read-only editors of models. */
export interface ModelEditors extends vscode.Disposable {
  /** What the editors of a file show; undefined where none is open. */
  viewOf(uri: vscode.Uri): ModelView | undefined;
  /** What an editor shows changed. */
  readonly onDidChange: vscode.Event<vscode.Uri>;
}

interface Parts {
  readonly engine: Engine;
  readonly models: Models;
  readonly tree: Pick<Tree, 'reveal'>;
  readonly failures: Failures;
  readonly extension: vscode.Uri;
}

/** A model file while editors of it are open: all of them show the same. */
interface ModelDocument extends vscode.CustomDocument {
  view: ModelView;
  readonly pages: Set<vscode.Webview>;
  /** Whether it was read with other sizes of dimensions than those of now. */
  isOutdated(): boolean;
  /** Reads the file anew. */
  read(): Promise<void>;
}

/** What the buttons of the page do. */
const COMMAND_OF: Readonly<Record<Exclude<ModelAction, 'openWith'>, string>> = {
  compress: COMMANDS.compress,
  plan: COMMANDS.openPlan,
  report: COMMANDS.showReport,
  compare: COMMANDS.compareModels,
  dimensions: COMMANDS.setDimensions,
};

/** Registers the custom editor of `.onnx` files. A file is read when an editor of it opens, its nodes only. */
export function createModelEditors(parts: Parts): ModelEditors {
  const { models, failures, extension, tree } = parts;
  const changed = new vscode.EventEmitter<vscode.Uri>();
  const documents = new Map<string, ModelDocument>();

  const send = (page: vscode.Webview, { uri, view }: ModelDocument) => {
    const message: ToModelPage = {
      kind: 'show',
      name: nameOf(uri),
      place: placeOf(uri),
      view: withEngineTexts(view),
      texts: modelTexts(),
    };
    void page.postMessage(message);
  };

  function show(document: ModelDocument, view: ModelView): void {
    document.view = view;
    for (const page of document.pages) send(page, document);
    changed.fire(document.uri);
  }

  const act = async ({ uri }: ModelDocument, action: ModelAction) => {
    if (action === 'openWith') await vscode.commands.executeCommand('workbench.action.reopenWithEditor');
    else await vscode.commands.executeCommand(COMMAND_OF[action], uri);
  };

  function receive(document: ModelDocument, page: vscode.Webview, message: FromModelPage): void {
    switch (message.kind) {
      case 'ready':
        send(page, document);
        break;
      case 'do':
        void act(document, message.action);
        break;
      case 'layer':
        void models
          .open(document.uri)
          .then(async (model) => {
            await models.read(model);
            await tree.reveal(model, message.name);
          })
          .catch(failures.show);
    }
  }

  function open(uri: vscode.Uri): ModelDocument {
    const document = createDocument(uri, parts, show, () => documents.delete(uri.toString()));
    documents.set(uri.toString(), document);
    void document.read();
    return document;
  }

  const provider: vscode.CustomReadonlyEditorProvider<ModelDocument> = {
    openCustomDocument: open,
    resolveCustomEditor(document, panel) {
      const { webview } = panel;
      webview.options = pageOptions(extension);
      document.pages.add(webview);
      panel.onDidDispose(() => document.pages.delete(webview));
      webview.onDidReceiveMessage((message: FromModelPage) => receive(document, webview, message));
      webview.html = pageHtml(webview, extension, 'modelPage');
    },
  };
  const registrations = vscode.Disposable.from(
    changed,
    vscode.window.registerCustomEditorProvider(EDITORS.model, provider, {
      supportsMultipleEditorsPerDocument: true,
    }),
    // Sizes of dimensions may have been set.
    models.onDidChange(() => {
      for (const document of documents.values()) if (document.isOutdated()) void document.read();
    }),
  );
  return {
    onDidChange: changed.event,
    viewOf: (uri) => documents.get(uri.toString())?.view,
    dispose: () => registrations.dispose(),
  };
}

function createDocument(
  uri: vscode.Uri,
  { engine, models, failures }: Parts,
  show: (document: ModelDocument, view: ModelView) => void,
  onClose: () => void,
): ModelDocument {
  /** Counts readings: an answer to an older one is dropped. */
  let reading = 0;
  let sizes = '';
  let watched: readonly string[] = [];
  let watcher = new vscode.Disposable(() => {});

  /** Watches the model, and the data files it names. */
  function watch(dataFiles: readonly string[]): void {
    if (watched.length > 0 && watched.join('\n') === ['', ...dataFiles].join('\n')) return;
    watched = ['', ...dataFiles];
    watcher.dispose();
    const files = dataFiles.map((file) => vscode.Uri.joinPath(uri, '..', file));
    watcher = watchFiles([uri, ...files], () => void document.read());
  }

  const inspect = async () => engine.inspect(models.request(onDisk(uri)));

  const document: ModelDocument = {
    uri,
    view: { kind: 'reading' },
    pages: new Set(),
    isOutdated: () => JSON.stringify(models.request(uri).dims) !== sizes,
    async read() {
      const number = ++reading;
      sizes = JSON.stringify(models.request(uri).dims);
      const outcome = await failures.orSentence(inspect());
      if (number !== reading) return;
      if ('message' in outcome) {
        watch([]);
        show(document, { kind: 'failed', message: outcome.message });
        return;
      }
      watch(outcome.value.structure.dataFiles.map(({ location }) => location));
      show(document, { kind: 'ready', inspection: outcome.value });
    },
    dispose() {
      reading = Number.NaN;
      watcher.dispose();
      onClose();
    },
  };
  return document;
}
