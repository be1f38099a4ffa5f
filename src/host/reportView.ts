import * as vscode from 'vscode';
import type { FromPage, ToPage } from '../../webview/messages';
import type { CompressionReport } from '../core/compress/report';
import { COMMANDS, VIEWS } from '../ids';
import { fileUri } from './enginePath';
import { randomHex } from './randomHex';

const LAST = 'ranksmith.lastReport';

/** The Report view: a page that shows the last compression, also after a restart. */
export interface ReportView extends vscode.Disposable {
  /** Shows a report wherever the view is, and keeps it. Does not open the view. */
  show(report: CompressionReport): Promise<void>;
  last(): CompressionReport | null;
}

export function createReportView(extension: vscode.Uri, state: vscode.Memento): ReportView {
  let page: vscode.Webview | undefined;
  const last = () => state.get<CompressionReport | null>(LAST, null);
  const send = (message: ToPage) => void page?.postMessage(message);

  const receive = (message: FromPage) => {
    switch (message.kind) {
      case 'ready':
        send({ kind: 'show', report: last() });
        break;
      case 'compress':
        void vscode.commands.executeCommand(COMMANDS.compress);
        break;
      case 'reveal': {
        const file = last()?.[message.file].file;
        if (file) void vscode.commands.executeCommand('revealInExplorer', fileUri(file));
      }
    }
  };

  const registration = vscode.window.registerWebviewViewProvider(VIEWS.report, {
    resolveWebviewView(view) {
      page = view.webview;
      page.options = { enableScripts: true, localResourceRoots: [vscode.Uri.joinPath(extension, 'dist')] };
      page.onDidReceiveMessage(receive);
      view.onDidDispose(() => {
        page = undefined;
      });
      page.html = html(page, vscode.Uri.joinPath(extension, 'dist'));
    },
  });
  return {
    last,
    async show(report) {
      await state.update(LAST, report);
      send({ kind: 'show', report });
    },
    dispose: () => registration.dispose(),
  };
}

/** A page with one script and one style sheet, and nothing else. */
function html(webview: vscode.Webview, dist: vscode.Uri): string {
  const nonce = randomHex(16);
  const policy = `default-src 'none'; script-src 'nonce-${nonce}'; style-src ${webview.cspSource};`;
  const address = (file: string) => webview.asWebviewUri(vscode.Uri.joinPath(dist, file));
  return `<!DOCTYPE html>
<html lang="${vscode.env.language}">
<head>
<meta charset="UTF-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="stylesheet" href="${address('webview.css')}">
<title>Ranksmith</title>
</head>
<body>
<main id="page"></main>
<script nonce="${nonce}" src="${address('webview.js')}"></script>
</body>
</html>`;
}
