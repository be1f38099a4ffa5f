import * as vscode from 'vscode';

/** What pages may load: bundles of the extension. */
export function pageOptions(extension: vscode.Uri): vscode.WebviewOptions {
  return { enableScripts: true, localResourceRoots: [vscode.Uri.joinPath(extension, 'dist')] };
}

/** A page with one script and one style sheet (`dist/<bundle>.js`, `.css`), and nothing else. */
export function pageHtml(webview: vscode.Webview, extension: vscode.Uri, bundle: string): string {
  const nonce = btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(16))));
  const policy = `default-src 'none'; script-src 'nonce-${nonce}'; style-src ${webview.cspSource};`;
  const address = (file: string) => webview.asWebviewUri(vscode.Uri.joinPath(extension, 'dist', file));
  return `<!DOCTYPE html>
<html lang="${vscode.env.language}">
<head>
<meta charset="UTF-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="stylesheet" href="${address(`${bundle}.css`)}">
<title>Ranksmith</title>
</head>
<body>
<main id="page"></main>
<script nonce="${nonce}" src="${address(`${bundle}.js`)}"></script>
</body>
</html>`;
}
