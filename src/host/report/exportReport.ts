import * as vscode from 'vscode';
import {
  printReport,
  REPORT_ENDINGS,
  REPORT_FORMATS,
  type ReportFormat,
  reportFormatOf,
} from '../../core/compress/printReport/reportFormat';
import { ModelError } from '../../core/onnx/modelError';
import { fileUri } from '../enginePath';
import { basename } from '../paths';
import type { ReportSubject } from './reportSubject';

/** What *Export Report…* takes instead of asking. */
export interface ExportArgument {
  readonly format?: ReportFormat;
  readonly output?: vscode.Uri;
}

/** Writes what the report shows into a file; resolves with the file, or undefined where nobody named one. */
export type ExportReport = (argument?: ExportArgument) => Promise<vscode.Uri | undefined>;

export function createExportReport(subject: ReportSubject): ExportReport {
  return async ({ format: given, output } = {}) => {
    subject.look();
    const shown = subject.current() ?? (await next(subject));
    if (!shown) {
      throw new ModelError('unreadable', vscode.l10n.t('There is nothing to export: select a model first.'));
    }
    const format = given ?? (output ? reportFormatOf(output.path) : await pickFormat());
    if (!format) return undefined;
    const uri = output ?? (await pickFile(shown.overview.compressed ?? shown.overview.file, format));
    if (!uri) return undefined;
    const text = printReport(format, shown.overview, subject.report());
    await vscode.workspace.fs.writeFile(uri, new TextEncoder().encode(text));
    if (!output) tell(uri);
    return uri;
  };
}

/** What is being looked into arrives with an event. */
function next(subject: ReportSubject): Promise<ReturnType<ReportSubject['current']>> {
  if (subject.current() !== undefined) return Promise.resolve(subject.current());
  return new Promise((resolve) => {
    const once = subject.onDidChange((found) => {
      once.dispose();
      resolve(found);
    });
  });
}

async function pickFormat(): Promise<ReportFormat | undefined> {
  const titles: Readonly<Record<ReportFormat, string>> = {
    md: vscode.l10n.t('Markdown: to be read, with how to reproduce it'),
    csv: vscode.l10n.t('CSV: a line for each layer'),
    json: vscode.l10n.t('JSON: everything'),
    netron: vscode.l10n.t('Netron attachment: figures beside the nodes, opened in Netron after the model'),
  };
  const items = REPORT_FORMATS.map((format) => ({
    label: REPORT_ENDINGS[format],
    description: titles[format],
    format,
  }));
  const title = vscode.l10n.t('Export Report');
  return (await vscode.window.showQuickPick(items, { title, matchOnDescription: true }))?.format;
}

async function pickFile(file: string, format: ReportFormat): Promise<vscode.Uri | undefined> {
  const model = fileUri(file);
  const name = `${basename(model.path).replace(/\.[^.]+$/, '')}.report${REPORT_ENDINGS[format]}`;
  return vscode.window.showSaveDialog({
    title: vscode.l10n.t('Export Report'),
    saveLabel: vscode.l10n.t('Export'),
    defaultUri: vscode.Uri.joinPath(model, '..', name),
    filters: { [REPORT_ENDINGS[format]]: [REPORT_ENDINGS[format].slice(1)] },
  });
}

function tell(uri: vscode.Uri): void {
  const open = vscode.l10n.t('Open');
  const message = vscode.l10n.t('The report is in {0}.', basename(uri.path));
  void vscode.window.showInformationMessage(message, open).then((choice) => {
    if (choice === open) void vscode.commands.executeCommand('vscode.open', uri);
  });
}
