import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { chromium } from 'playwright-core';
import { chromiumOptions } from './chromium.mjs';
import { root } from './install.mjs';
import { startServer } from './server.mjs';

const screenshots = path.join(root, 'out', 'screenshots');
/** What VS Code calls a theme, and how its window and the pages of extensions show that they wear it. */
const themes = {
  dark: { label: 'Default Dark Modern', window: 'vs-dark', page: 'vscode-dark' },
  light: { label: 'Default Light Modern', window: 'vs', page: 'vscode-light' },
  'high-contrast': { label: 'Default High Contrast', window: 'hc-black', page: 'vscode-high-contrast' },
  'high-contrast-light': {
    label: 'Default High Contrast Light',
    window: 'hc-light',
    page: 'vscode-high-contrast-light',
  },
};

/**
 * Opens a folder in a real VS Code with the packaged extension installed, and resolves with what a user does
 * there. The types, and what each part means, are in ui.d.mts.
 */
export async function openWorkbench({
  vsix = path.join(root, 'out/ranksmith.vsix'),
  folder = path.join(root, 'media/sample'),
  settings = {},
  viewport = { width: 1280, height: 800 },
  theme = 'dark',
  container = 'Ranksmith',
  locale = 'en',
  address,
} = {}) {
  for (const needed of [vsix, folder ?? []].flat()) {
    if (!existsSync(needed)) throw new Error(`The UI tests need ${needed}, which does not exist.`);
  }
  const colours = { 'workbench.colorTheme': themes[theme].label, 'window.autoDetectColorScheme': false };
  const options = { vsix, workspace: folder ?? undefined, settings: { ...colours, ...settings } };
  const server = await startServer(options);
  let browser;
  try {
    browser = await chromium.launch(await chromiumOptions());
    const page = await browser.newPage({ viewport });
    page.setDefaultTimeout(30_000);
    if (locale !== 'en') await page.addInitScript(speak, locale);
    if (address) await page.goto(server.pageUrl({ folder: address }));
    else await page.goto(folder ? server.pageUrl() : server.emptyUrl);
    const workbench = drive(page, server, browser);
    if (folder || address) await workbench.explorer.getByRole('treeitem').first().waitFor();
    // Extensions contribute some time after the window is there; before that, menus lack their entries.
    await page.locator(`.activitybar a.action-label[aria-label^="${container}"]`).waitFor();
    return workbench;
  } catch (error) {
    await browser?.close();
    await server.stop();
    throw error;
  }
}

/**
 * Makes a page of VS Code take extensions in another language. The workbench hands the language on to the extension
 * host, which looks for package.nls and bundle files of that name; its own texts stay English without a language pack.
 */
function speak(locale) {
  Object.defineProperty(globalThis, '_VSCODE_NLS_LANGUAGE', { get: () => locale, set() {} });
}

/** A pattern that matches exactly this text. */
const literally = (text) => text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');

function drive(page, server, browser) {
  const explorer = page.locator('.explorer-folders-view');

  const screenshot = async (name) => {
    mkdirSync(screenshots, { recursive: true });
    const file = path.join(screenshots, `${name}.png`);
    await page.waitForTimeout(300); // hovers and scroll bars fade by CSS transitions that no event announces
    await page.screenshot({ path: file, animations: 'disabled' });
    return file;
  };

  const view = (title) =>
    page.locator('.pane').filter({ has: page.locator(`.pane-header[aria-label^="${title}"]`) });

  const row = (title, text) => view(title).getByRole('treeitem', { name: text }).first();

  const openContainer = async (label) => {
    const entry = page.locator(`a.action-label[aria-label^="${label}"]`);
    const shown = page.locator('.activitybar .action-item.checked').filter({ has: entry });
    // A click on the entry of a container that is shown already would hide the side bar.
    if ((await shown.count()) === 0) await page.locator('.activitybar').locator(entry).click();
    await shown.waitFor();
  };

  // A menu closes whenever the focus moves, for instance to an editor that has just opened, and rows move while a
  // tree fills, so that a click meets another: then open it again.
  const withMenu = async (item, act) => {
    const target = typeof item === 'string' ? file(item) : item;
    const menu = page.locator('.monaco-menu').last();
    for (let attempt = 1; ; attempt++) {
      const timeout = attempt * 1000;
      try {
        await target.click({ button: 'right' });
        await menu.getByRole('menuitem').first().waitFor({ timeout });
        const row = /\bmonaco-list-row\b(?!.*\bfocused\b)/.exec((await target.getAttribute('class')) ?? '');
        if (row) throw new Error('The context menu that opened belongs to another row.');
        return await act(menu, timeout);
      } catch (error) {
        if (attempt === 5) throw error;
        await page.keyboard.press('Escape');
      }
    }
  };

  // The accessible name may go on (", 2 problems in this file"), but not with another file's name.
  const file = (name) =>
    explorer.getByRole('treeitem', { name: new RegExp(`^${literally(name)}(?![\\w.-])`) }).first();

  const webviewFrame = (purpose = '') => {
    // The page of an extension sits two frames deep: VS Code's host page, and in it the extension's HTML. The
    // outer frame lies over the workbench, not inside its view; its address tells whose it is and, unless the view
    // was hidden in between, what for.
    const wanted = purpose && `[src*="purpose=${purpose}"]`;
    const outer = page.locator(`iframe.webview.ready[src*="extensionId=ranksmith."]${wanted}`);
    return outer.first().contentFrame().locator('iframe#active-frame').contentFrame();
  };

  const until = async (what, look, most = 300) => {
    for (let left = most; ; left--) {
      const found = await look();
      if (found !== undefined) return found;
      if (left === 0) throw new Error(what);
      await page.waitForTimeout(100);
    }
  };

  return {
    page,
    explorer,
    until,
    pageWith: (selector) =>
      until(`No page shows ${selector}.`, async () => {
        for (const frame of page.frames()) {
          const shown = frame.locator(selector).first();
          // A page may go while it is looked at.
          if (await shown.isVisible().catch(() => false)) return frame;
        }
        return undefined;
      }),
    again: async (act) => {
      for (let attempt = 1; ; attempt++) {
        try {
          return await act(1000 * attempt);
        } catch (error) {
          if (attempt === 5) throw error;
          await page.keyboard.press('Escape');
        }
      }
    },
    wear: async (theme) => {
      const { label, window: shown, page: kind } = themes[theme];
      const other = themes[theme === 'dark' ? 'light' : 'dark'].label;
      const kinds = (frame) =>
        frame
          .locator('body[data-vscode-theme-kind]')
          .evaluateAll((all) => all.map((each) => each.dataset.vscodeThemeKind))
          // A page may go while it is looked at.
          .catch(() => []);
      const isWorn = async () => {
        const found = await Promise.all(page.frames().map(kinds));
        const isWindow = (await page.locator(`.monaco-workbench.${shown}`).count()) > 0;
        return (isWindow && found.flat().every((each) => each === kind)) || undefined;
      };
      for (let attempt = 1; ; attempt++) {
        server.configure({ 'workbench.colorTheme': label });
        try {
          return void (await until(`The window or a page of it does not become ${theme}.`, isWorn, 60));
        } catch (error) {
          if (attempt === 6) throw error;
          // A young window does not watch its settings yet, and a page that was being loaded may have missed the change.
          server.configure({ 'workbench.colorTheme': other });
          await page.waitForTimeout(1000);
        }
      }
    },
    workspace: server.workspace,
    globalStorage: path.join(server.data, 'data/User/globalStorage/ranksmith.ranksmith'),
    screenshot,
    file,
    view,
    openContainer,
    webviewFrame,
    row,
    expand: async (title, text) => {
      const found = row(title, text);
      await found.waitFor();
      if ((await found.getAttribute('aria-expanded')) === 'true') return;
      await found.locator('.monaco-tl-twistie').click();
      await page.waitForFunction((each) => each.ariaExpanded === 'true', await found.elementHandle());
    },
    rows: async (title) => {
      const texts = await view(title).getByRole('treeitem').allInnerTexts();
      return texts.map((text) => text.trim().replace(/\s+/g, ' '));
    },
    runCommand: async (title) => {
      await page.keyboard.press('F1');
      const input = page.locator('.quick-input-widget input');
      await input.fill(`>${title}`);
      const label = page.locator('.quick-input-list .monaco-list-row .label-name', { hasText: title });
      await label.first().click();
    },
    openFile: async (name) => {
      await file(name).dblclick();
      await page.locator(`.tabs-container .tab[data-resource-name="${name}"]`).waitFor();
    },
    menuEntries: (item) =>
      withMenu(item, async (menu, timeout) => {
        const labels = await menu.locator('.action-menu-item .action-label').allInnerTexts();
        await page.keyboard.press('Escape');
        await menu.waitFor({ state: 'hidden', timeout });
        return labels.filter((label) => label.trim() !== '');
      }),
    contextMenu: (item, entry) =>
      withMenu(item, async (menu, timeout) => {
        // For its first 100 ms a menu ignores clicks, lest the release of the right button chooses something.
        await page.waitForTimeout(200);
        await menu.getByRole('menuitem', { name: entry }).first().click({ timeout });
        await menu.waitFor({ state: 'hidden', timeout });
      }),
    notification: async (text) => {
      const toast = page
        .locator('.notifications-toasts .notification-toast')
        .filter({ hasText: text })
        .first();
      await toast.waitFor();
      return toast;
    },
    attempt: async (name, action) => {
      try {
        return await action();
      } catch (error) {
        const picture = await screenshot(`failed-${name}`).catch(() => 'no screenshot: the page is gone');
        writeFileSync(path.join(screenshots, `failed-${name}.log`), server.log());
        throw new Error(`${error.message}\nThe window at that moment: ${picture}`, { cause: error });
      }
    },
    close: async () => {
      await browser.close();
      await server.stop();
    },
  };
}
