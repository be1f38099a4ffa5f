import assert from 'node:assert/strict';
import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Browser, Page } from 'playwright-core';
import themes from './themes.json';

const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js');

/** VS Code's own themes. */
export type Theme = keyof typeof themes;

export const THEMES = Object.keys(themes) as readonly Theme[];

const CLASSES: Readonly<Record<Theme, string>> = {
  dark: 'vscode-dark',
  light: 'vscode-light',
  'high-contrast': 'vscode-high-contrast',
  'high-contrast-light': 'vscode-high-contrast-light vscode-high-contrast',
};

/** Opens the page of a bundle by itself, as VS Code would; what it posts is in `posted`, what it keeps in `kept`. */
export async function openPage(
  browser: Browser,
  bundle: string,
  width: number,
  { state, theme = 'light' }: { readonly state?: object; readonly theme?: Theme } = {},
): Promise<Page> {
  mkdirSync('out/screenshots', { recursive: true });
  const page = await browser.newPage({ viewport: { width, height: 800 } });
  await page.setContent(
    `<!DOCTYPE html><html lang="en"><title></title><body class="${CLASSES[theme]}"><main id="page"></main></body></html>`,
  );
  const colours = Object.entries(themes[theme]).map(([name, value]) => `${name}: ${value};`);
  await page.addStyleTag({
    content: `${readFileSync(`dist/${bundle}.css`, 'utf8')}
      :root { ${colours.join(' ')} --vscode-font-family: sans-serif; --vscode-font-size: 13px; }
      body { background: var(--vscode-editor-background); }`,
  });
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

/** What has the focus: its element, what it is called, and where the cursor is in it. */
const PLACE = `(({ localName, ariaLabel, textContent, selectionStart }) =>
  [localName, ariaLabel ?? textContent, selectionStart ?? null].join())(document.activeElement)`;

/**
 * Goes through the whole page by Tab and draws it anew at each stop, by `again`: the focus stays where it was. Resolves with how
 * many stops there were.
 */
export async function stopsKept(page: Page, again: () => Promise<void>): Promise<number> {
  for (let stops = 0; ; stops++) {
    await page.keyboard.press('Tab');
    if (await page.evaluate('document.activeElement === document.body')) return stops;
    if ((await page.evaluate(`document.activeElement.type`)) === 'search') await page.keyboard.press('Home');
    const before = await page.evaluate(PLACE);
    await page.evaluate(`document.activeElement.setAttribute('data-former', '')`);
    await again();
    await page.locator('[data-former]').waitFor({ state: 'detached' });
    assert.equal(await page.evaluate(PLACE), before);
  }
}

/** What axe finds serious about the page as it is now. */
export async function seriousFindings(page: Page): Promise<readonly string[]> {
  // A page in a tab has its name from VS Code.
  await page.evaluate(`document.title = 'page'`);
  await page.addScriptTag({ path: AXE });
  const { violations } = (await page.evaluate(`axe.run(document, { resultTypes: ['violations'] })`)) as {
    violations: { id: string; impact: string; nodes: { html: string; failureSummary: string }[] }[];
  };
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, nodes }) => nodes.map(({ html, failureSummary }) => `${id}: ${html} ${failureSummary}`));
}
