import * as vscode from 'vscode';
import type { Answer, FromPage, ToPage } from '../../webview/messages';
import type { CompressionReport } from '../core/compress/report';
import { COMMANDS, PANELS, VIEWS } from '../ids';
import type { Engine } from '../worker/engine';
import { fileUri } from './enginePath';
import { withEngineTexts } from './engineText';
import type { Failures } from './failures';
import type { Models } from './models';
import { pageHtml, pageOptions } from './pageHtml';
import type { PlanChanges } from './plans/planChanges';
import type { PlanDocuments } from './plans/planDocuments';
import type { PlanFiles } from './plans/planFiles';
import { planUri } from './plans/planUri';
import { createExportReport, type ExportReport } from './report/exportReport';
import { reportTexts } from './report/pageTexts';
import { createReportAnswers } from './report/reportAnswers';
import { createReportSubject, type ReportSubject } from './report/reportSubject';
import { revealFile } from './revealFile';
import type { Suggestions } from './suggestions';
import type { Tree } from './tree';

/** Where a page is. */
type Place = 'view' | 'editor';

const LAST = 'ranksmith.lastReport';

/** The report: a view and, if somebody wants, an editor tab, both of the model that was chosen last. */
export interface ReportView extends vscode.Disposable {
  /** Shows what a compression came to, and keeps it over a restart. Does not open the view. */
  show(report: CompressionReport): Promise<void>;
  last(): CompressionReport | null;
  /** Shows a model. Does not open the view. */
  choose(model: vscode.Uri, layer?: string): void;
  /** Opens the editor tab, or brings it to the front. */
  openInEditor(): void;
  readonly export: ExportReport;
  /** Makes the plan beside a model another one. */
  readonly replace: PlanChanges['replace'];
  /** For tests. */
  readonly subject: ReportSubject;
}

interface Parts {
  readonly extension: vscode.Uri;
  readonly state: vscode.Memento;
  readonly engine: Engine;
  readonly models: Models;
  readonly suggestions: Suggestions;
  readonly plans: PlanDocuments;
  readonly planFiles: PlanFiles;
  readonly changes: PlanChanges;
  readonly tree: Tree;
  readonly failures: Failures;
}

export function createReportView(parts: Parts): ReportView {
  const { extension, state, engine, models, suggestions, plans, planFiles, changes, tree, failures } = parts;
  /** The pages there are, and where they are. */
  const pages = new Map<vscode.Webview, Place>();
  const last = () => state.get<CompressionReport | null>(LAST, null);
  const subject = createReportSubject({ engine, models, planFiles, failures, last: last() });
  const answers = createReportAnswers({ engine, models, suggestions, changes, subject, failures });
  const exportReport = createExportReport(subject);
  let panel: vscode.WebviewPanel | undefined;

  const send = (page: vscode.Webview, message: ToPage) => void page.postMessage(message);
  const showIn = (page: vscode.Webview) => {
    const shown = subject.current();
    const problem = subject.problem();
    if (shown !== undefined)
      send(page, withEngineTexts({ kind: 'show', subject: shown, ...(problem ? { problem } : {}) }));
  };
  /** What fails here was asked for by a person. */
  const attempt = (work: Promise<unknown>) => void work.catch(failures.show);
  const run = (command: string, ...args: readonly unknown[]) =>
    void vscode.commands.executeCommand(command, ...args);

  async function selectInTree(layer: string): Promise<void> {
    const model = subject.model();
    if (model) await tree.select(await models.open(model), layer);
  }

  function receive(page: vscode.Webview, message: FromPage): void {
    const model = subject.model();
    switch (message.kind) {
      case 'ready':
        send(page, { kind: 'texts', texts: reportTexts(vscode.l10n), place: pages.get(page) ?? 'view' });
        subject.look();
        showIn(page);
        break;
      case 'ask':
        void answers(message.question).then((answer: Answer) =>
          send(page, { kind: 'answer', id: message.id, answer }),
        );
        break;
      case 'compress':
        run(COMMANDS.compress, ...(model ? [model] : []));
        break;
      case 'reveal': {
        const overview = subject.current()?.overview;
        const { original, compressed, plan } = {
          original: overview?.file,
          compressed: overview?.compressed,
          plan: overview?.plan,
        };
        const file = { original, compressed, plan }[message.file];
        if (!file) break;
        if (message.file === 'plan') run('vscode.open', fileUri(file));
        else attempt(revealFile(fileUri(file)));
        break;
      }
      case 'basis':
        subject.setBasis(message.basis);
        break;
      case 'select':
        subject.select(message.layer);
        attempt(selectInTree(message.layer));
        break;
      case 'apply': {
        const { layer, setting } = message;
        if (model) attempt(changes.apply(model, [{ kind: 'factor', layer, ...setting }]));
        break;
      }
      case 'undo':
        run(COMMANDS.undoPlanChange);
        break;
      case 'compareMethods':
      case 'revealInPlan':
        if (model) run(COMMANDS[message.kind], { model, layer: message.layer });
        break;
      case 'export':
        attempt(exportReport({ format: message.format }));
    }
  }

  /** Makes a webview a page of the report. */
  function adopt(page: vscode.Webview, place: Place): vscode.Disposable {
    page.options = pageOptions(extension);
    pages.set(page, place);
    const listening = page.onDidReceiveMessage((message: FromPage) => receive(page, message));
    page.html = pageHtml(page, extension, 'webview');
    return new vscode.Disposable(() => {
      listening.dispose();
      pages.delete(page);
    });
  }

  function adoptPanel(made: vscode.WebviewPanel): void {
    panel = made;
    made.iconPath = vscode.Uri.joinPath(extension, 'media', 'icon.png');
    const adopted = adopt(made.webview, 'editor');
    made.onDidDispose(() => {
      adopted.dispose();
      if (panel === made) panel = undefined;
    });
  }

  /** A model or a plan in the active editor is what one wants to see. */
  function follow(): void {
    const input = vscode.window.tabGroups.activeTabGroup.activeTab?.input;
    const uri =
      input instanceof vscode.TabInputText || input instanceof vscode.TabInputCustom ? input.uri : undefined;
    if (!uri) return;
    if (/\.(onnx|safetensors|pth?)$/i.test(uri.path)) subject.choose(uri);
    const document = vscode.workspace.textDocuments.find((each) => each.uri.toString() === uri.toString());
    const model = document && plans.of(document)?.model;
    // What is shown is the plan beside a model, not any other that names it.
    if (model && planUri(model).toString() === uri.toString()) subject.choose(model);
  }

  const subscriptions = vscode.Disposable.from(
    subject,
    subject.onDidChange(() => {
      for (const page of pages.keys()) showIn(page);
    }),
    subject.onDidSelect((layer) => {
      for (const page of pages.keys()) send(page, { kind: 'select', layer });
    }),
    tree.onDidSelect(([row, ...more]) => {
      if (!row || more.length > 0) return;
      subject.choose(row.model.uri, row.kind === 'layer' ? row.layer.name : undefined);
    }),
    vscode.window.tabGroups.onDidChangeTabs(follow),
    vscode.window.tabGroups.onDidChangeTabGroups(follow),
    // A plan is parsed some time after its editor is there.
    plans.onDidChange(follow),
    vscode.window.registerWebviewViewProvider(VIEWS.report, {
      resolveWebviewView(view) {
        const adopted = adopt(view.webview, 'view');
        view.onDidDispose(() => adopted.dispose());
      },
    }),
    vscode.window.registerWebviewPanelSerializer(PANELS.report, {
      deserializeWebviewPanel: async (made) => adoptPanel(made),
    }),
  );
  return {
    last,
    subject,
    export: exportReport,
    replace: changes.replace,
    choose: subject.choose,
    openInEditor() {
      if (panel) return panel.reveal();
      const title = vscode.l10n.t('Ranksmith Report');
      adoptPanel(vscode.window.createWebviewPanel(PANELS.report, title, vscode.ViewColumn.Active, {}));
    },
    async show(report) {
      await state.update(LAST, report);
      subject.measured(report);
    },
    dispose() {
      panel?.dispose();
      subscriptions.dispose();
    },
  };
}
