import { mkdirSync, readFileSync } from 'node:fs';
import type { Browser, Page } from 'playwright-core';

/** Colours of VS Code's light theme, as far as pages use them. */
const COLOURS = `:root {
  --vscode-font-family: sans-serif; --vscode-font-size: 13px; --vscode-foreground: #3b3b3b;
  --vscode-descriptionForeground: #616161; --vscode-disabledForeground: #616161; --vscode-widget-border: #e5e5e5;
  --vscode-editor-background: #ffffff; --vscode-textLink-foreground: #005fb8; --vscode-charts-green: #388a34;
  --vscode-charts-blue: #1a85ff; --vscode-button-foreground: #ffffff; --vscode-button-background: #005fb8;
  --vscode-button-secondaryForeground: #3b3b3b; --vscode-button-secondaryBackground: #e5e5e5;
  --vscode-input-background: #ffffff; --vscode-input-foreground: #3b3b3b; --vscode-input-border: #cecece;
  --vscode-focusBorder: #005fb8; --vscode-list-hoverBackground: #f2f2f2;
  --vscode-list-activeSelectionBackground: #e8e8e8; --vscode-list-activeSelectionForeground: #000000;
  --vscode-list-inactiveSelectionBackground: #e4e6f1; --vscode-editorWarning-foreground: #bf8803; }`;

/** Opens the page of a bundle by itself, as VS Code would; what it posts is in `posted`, what it keeps in `kept`. */
export async function openPage(
  browser: Browser,
  bundle: string,
  width: number,
  state?: object,
): Promise<Page> {
  mkdirSync('out/screenshots', { recursive: true });
  const page = await browser.newPage({ viewport: { width, height: 800 } });
  await page.setContent('<!DOCTYPE html><html lang="en"><title></title><main id="page"></main></html>');
  await page.addStyleTag({ content: `${readFileSync(`dist/${bundle}.css`, 'utf8')} ${COLOURS}` });
  await page.evaluate(
    `globalThis.posted = []; globalThis.kept = ${JSON.stringify(state ?? null) ?? 'undefined'} ?? undefined;
     globalThis.acquireVsCodeApi = () => ({
       postMessage: (message) => posted.push(message), getState: () => kept, setState: (state) => { kept = state; } })`,
  );
  await page.addScriptTag({ content: readFileSync(`dist/${bundle}.js`, 'utf8') });
  return page;
}

/** Gives the page a message, as the extension would. */
export const tell = (page: Page, message: object) =>
  page.evaluate(`postMessage(${JSON.stringify(message)}, '*')`);
