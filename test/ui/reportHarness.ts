import { readFileSync } from 'node:fs';
import type { Browser, Locator, Page } from 'playwright-core';
import type { FromPage, Question, Subject, ToPage } from '../../webview/messages';
import { answer, texts } from '../support/reportSample';
import themes from './themes.json';

/** The colours that VS Code's own themes give to a page, as far as the pages use them. */
export type Theme = keyof typeof themes;

export const THEMES = Object.keys(themes) as readonly Theme[];

/** A report page with somebody who answers. */
export interface ReportPage {
  readonly page: Page;
  show(subject: Subject | null, problem?: string): Promise<void>;
  send(message: ToPage): Promise<void>;
  /** What the page posted, but for questions. */
  posted(): Promise<readonly FromPage[]>;
  asked(): Promise<readonly Question[]>;
  /** What it wants to be kept. */
  state(): Promise<unknown>;
  /** Waits until the last message that was posted is like this. */
  untilPosted(kind: FromPage['kind']): Promise<FromPage>;
  slider(name: RegExp): Locator;
}

interface OpenOptions {
  readonly width?: number;
  readonly height?: number;
  readonly theme?: Theme;
  readonly state?: unknown;
  readonly className?: 'view' | 'editor';
}

/** The page as VS Code would open it, in the colours of one of its themes. */
export async function openReport(
  browser: Browser,
  { width = 300, height = 800, theme = 'light', state, className = 'view' }: OpenOptions = {},
): Promise<ReportPage> {
  const page = await browser.newPage({ viewport: { width, height } });
  page.setDefaultTimeout(Number(process.env.PW_TIMEOUT ?? 60_000));
  const classes = { dark: 'vscode-dark', light: 'vscode-light', 'high-contrast': 'vscode-high-contrast' };
  const themeClass =
    theme === 'high-contrast-light' ? 'vscode-high-contrast-light vscode-high-contrast' : classes[theme];
  await page.setContent(
    `<!DOCTYPE html><html lang="en"><title>Ranksmith</title><body class="${className}"><main id="page"></main>`,
  );
  const colours = Object.entries(themes[theme]).map(([name, value]) => `${name}: ${value};`);
  const ground = className === 'editor' ? 'editor' : 'sideBar';
  await page.addStyleTag({
    content: `${readFileSync('dist/webview.css', 'utf8')}
      :root { ${colours.join(' ')} --vscode-font-family: sans-serif; --vscode-font-size: 13px; }
      body { background: var(--vscode-${ground}-background); }`,
  });
  await page.exposeFunction('answered', (question: Question) => answer(question));
  await page.evaluate(`
    globalThis.posted = []; globalThis.asked = []; globalThis.kept = ${JSON.stringify(state ?? null)} ?? undefined;
    globalThis.acquireVsCodeApi = () => ({
      async postMessage(message) {
        if (message.kind !== 'ask') return void posted.push(message);
        asked.push(message.question);
        const answer = await answered(message.question);
        postMessage({ kind: 'answer', id: message.id, answer }, '*');
      },
      getState: () => kept,
      setState: (state) => { kept = state; },
    });`);
  await page.addScriptTag({ content: readFileSync('dist/webview.js', 'utf8') });
  // The toolkit reads the colours once the page is loaded, which it is long since.
  await page.evaluate(
    `document.body.className = '${className} ${themeClass}'; dispatchEvent(new Event('load'));`,
  );
  const send = (message: ToPage) =>
    page.evaluate(`postMessage(${JSON.stringify(message)}, '*')`) as Promise<void>;
  await send({ kind: 'texts', texts, place: className });
  const posted = () => page.evaluate('posted') as Promise<readonly FromPage[]>;
  return {
    page,
    send,
    posted,
    show: (subject, problem) =>
      send({ kind: 'show', subject, ...(problem === undefined ? {} : { problem }) }),
    asked: () => page.evaluate('asked') as Promise<readonly Question[]>,
    state: () => page.evaluate('kept'),
    async untilPosted(kind) {
      await page.waitForFunction(`posted.at(-1)?.kind === '${kind}'`);
      return (await posted()).at(-1)!;
    },
    slider: (name) => page.getByRole('slider', { name }),
  };
}
