import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { ElementHandle, Frame } from 'playwright-core';
import { openWorkbench, type Workbench } from '../vscode/ui.mjs';

const PLAN = 'fashion-small.ranks.json';
const COMPRESSED = 'fashion-small.compressed.onnx';
const LAYER = 'conv4';
/** VS Code's themes by the names of our pictures: what it calls them, and how its window and its pages show them. */
const THEMES = {
  light: { label: 'Light Modern', shown: 'vs', page: 'vscode-light' },
  'high-contrast': { label: 'Dark High Contrast', shown: 'hc-black', page: 'vscode-high-contrast' },
  'high-contrast-light': {
    label: 'Light High Contrast',
    shown: 'hc-light',
    page: 'vscode-high-contrast-light',
  },
  dark: { label: 'Dark Modern', shown: 'vs-dark', page: 'vscode-dark' },
};

/** What is asked of a page here: tests are compiled without the types of a browser. */
interface PageElement {
  focusId?: string;
  readonly localName: string;
  readonly textContent: string | null;
  getAttribute(name: string): string | null;
}
interface PageGlobals {
  readonly document: {
    readonly activeElement: PageElement | null;
    getElementById(id: string): PageElement | null;
  };
}

/** What has the focus, as somebody hears it who does not see it. */
interface Focus {
  /** Of the element, to tell whether the focus has moved. */
  readonly id: string;
  readonly role: string;
  readonly name: string;
  readonly value: string | null;
  /** Whether it is in a page of the extension. */
  readonly isInPage: boolean;
}

/**
 * The whole story by keyboard alone: nothing here clicks, fills or focuses; all input is keys. What is reached is read
 * from the focus. Along the way every screen is kept as a picture in each theme and at a narrow width.
 */
describe('the whole way by keyboard', () => {
  let workbench: Workbench;
  before(async () => {
    workbench = await openWorkbench({ folder: null, viewport: { width: 1400, height: 1000 } });
  });
  after(() => workbench?.close());

  const made = (name: string) => path.join(workbench.globalStorage, 'sample', name);
  const press = (key: string) => workbench.page.keyboard.press(key);
  const quickInput = () => workbench.page.locator('.quick-input-widget');

  /** Waits for something to hold, for half a minute. */
  const until = async <T>(what: string, look: () => Promise<T | undefined>): Promise<T> => {
    for (let left = 300; ; left--) {
      const found = await look();
      if (found !== undefined) return found;
      assert.ok(left > 0, what);
      await workbench.page.waitForTimeout(100);
    }
  };

  /** The element with the focus: in a tree or a list the row it points to, in an iframe what has it there. */
  const focus = async (frame: Frame = workbench.page.mainFrame()): Promise<Focus | undefined> => {
    const handle = await frame.evaluateHandle(() => {
      const { document } = globalThis as unknown as PageGlobals;
      const element = document.activeElement;
      const row = element?.getAttribute('aria-activedescendant');
      return (row && document.getElementById(row)) || element;
    });
    const element = handle.asElement() as ElementHandle<PageElement> | null;
    if (!element) return undefined;
    const inner = await element.contentFrame();
    if (inner) return focus(inner);
    const told = await element.evaluate((each: PageElement) => {
      const marked = each;
      marked.focusId ??= String(Math.random());
      const text = (each.getAttribute('aria-label') ?? each.textContent ?? '').replace(/\s+/g, ' ').trim();
      return {
        id: marked.focusId,
        role: each.getAttribute('role') ?? each.localName,
        name: text.slice(0, 300),
        value: each.getAttribute('aria-valuenow'),
      };
    });
    return { ...told, isInPage: frame !== workbench.page.mainFrame() };
  };
  /** A page may be exchanged for another while it is asked: then again. */
  const focused = () => until('Nothing has the focus.', () => focus().catch(() => undefined));

  /** Presses a key, again and again, until what has the focus is called so. */
  const pressUntil = async (key: string, name: RegExp): Promise<Focus> => {
    const passed: string[] = [];
    for (let at = await focused(); ; ) {
      if (name.test(at.name)) return at;
      passed.push(`${at.role} ${at.name.slice(0, 60)}`);
      assert.ok(passed.length < 300, `${key} does not lead to ${name}, but to:\n${passed.join('\n')}`);
      await press(key);
      const { id } = at;
      // At the end of a list a key comes to nothing.
      for (let left = 20; at.id === id && left > 0; left--) {
        at = await focused();
        if (at.id === id) await workbench.page.waitForTimeout(50);
      }
    }
  };

  /** Waits until a list of choices is there with one that is called so, goes to it and takes it. */
  const choose = async (name: RegExp) => {
    await quickInput().getByRole('option', { name }).first().waitFor();
    await pressUntil('ArrowDown', name);
    await press('Enter');
  };

  /** Runs a command from the palette. */
  const run = async (title: string) => {
    const input = quickInput().locator('input:focus');
    // While the window is busy a key may come to nothing.
    for (let attempt = 1; ; attempt++) {
      await press('F1');
      const came = await input.waitFor({ timeout: 3000 }).then(
        () => true,
        () => false,
      );
      if (came) break;
      assert.ok(attempt < 10, 'F1 does not open the palette.');
    }
    await workbench.page.keyboard.type(title);
    await choose(new RegExp(`^${title}(,|$)`));
  };

  /** Gives the window another theme, and waits until it and its visible pages have it. */
  const wear = async ({ label, shown, page: kind }: (typeof THEMES)[keyof typeof THEMES]) => {
    const { page } = workbench;
    await run('Preferences: Color Theme');
    await quickInput().locator('input[placeholder*="Color Theme"]').waitFor();
    await page.keyboard.type(label);
    await choose(new RegExp(`^${label}(,|$)`));
    await quickInput().waitFor({ state: 'hidden' });
    await page.locator(`.monaco-workbench.${shown}`).waitFor();
    await until(`Not every page is ${kind}.`, async () => {
      const look = async (frame: Frame) => {
        const bodies = await frame.locator('body[data-vscode-theme-kind]').all();
        return Promise.all(bodies.map((body) => body.getAttribute('data-vscode-theme-kind')));
      };
      // A page may go while it is looked at.
      const kinds = await Promise.all(page.frames().map((frame) => look(frame).catch(() => [])));
      return kinds.flat().every((each) => each === kind) || undefined;
    });
  };

  /** Keeps the screen in every theme, the last of which is dark, and then at the width of half a laptop's screen. */
  const keep = async (name: string) => {
    for (const [theme, each] of Object.entries(THEMES)) {
      await wear(each);
      await workbench.screenshot(`${name}-${theme}`);
    }
    await keepNarrow(name);
  };
  const keepNarrow = async (name: string) => {
    const { page, screenshot } = workbench;
    const size = page.viewportSize()!;
    await page.setViewportSize({ width: 640, height: size.height });
    await screenshot(`${name}-narrow`);
    await page.setViewportSize(size);
  };

  /** A page that shows an element: pages lie over the workbench, so they are known by what they show. */
  const pageWith = (selector: string): Promise<Frame> =>
    until(`No page shows ${selector}.`, async () => {
      for (const frame of workbench.page.frames()) {
        const shown = frame.locator(selector).first();
        if (await shown.isVisible().catch(() => false)) return frame;
      }
      return undefined;
    });

  it('opens the sample from the walkthrough', () =>
    workbench.attempt('keyboard-open', async () => {
      const { page, row } = workbench;
      await run('Ranksmith: Get Started');
      await page.locator('.getting-started-step').filter({ hasText: 'Open a model' }).waitFor();
      await page.locator('.getting-started-media').waitFor();
      await keep('screen-walkthrough');
      const button = await pressUntil('Tab', /^Open the Sample Model$/);
      assert.match(button.role, /^(button|a)$/);
      await press('Enter');
      await row('Layers', /fashion-small\.onnx, 252 k parameters/).waitFor();
    }));

  it('goes to a layer in the tree', () =>
    workbench.attempt('keyboard-tree', async () => {
      await workbench.row('Layers', /^conv4, .*suggested/).waitFor();
      await run('Ranksmith: Focus on Layers View');
      await pressUntil('Home', /^fashion-small\.onnx/);
      const row = await pressUntil('ArrowDown', /^conv4,/);
      assert.equal(row.role, 'treeitem');
      await press('Enter');
      await pageWith(`[role="slider"][aria-label^="Rank of ${LAYER}"]`);
    }));

  it('moves the handle of the spectrum, and applies its rank to the plan', () =>
    workbench.attempt('keyboard-spectrum', async () => {
      await run('Ranksmith: Show Report');
      const before = await pressUntil('Tab', new RegExp(`^Rank of ${LAYER}`));
      assert.equal(before.role, 'slider');
      assert.ok(before.isInPage);
      await press('ArrowLeft');
      const wanted = await until('The handle does not move.', async () => {
        const { value } = await focused();
        return value !== null && value !== before.value ? value : undefined;
      });
      assert.ok(Number(wanted) < Number(before.value));
      await keepNarrow('screen-report');
      assert.equal((await pressUntil('Tab', new RegExp(`^Rank of ${LAYER}`))).value, wanted);
      await pressUntil('Tab', /^Apply to Plan$/);
      await press('Enter');
      const entry = await until('The rank is not in the plan.', async () => {
        const text = existsSync(made(PLAN)) ? readFileSync(made(PLAN), 'utf8') : '';
        return text.endsWith('}\n') ? JSON.parse(text).layers[LAYER] : undefined;
      });
      assert.ok(entry.ranks.includes(Number(wanted)), JSON.stringify(entry));
      await workbench.row('Layers', /^conv4, .*in the plan/).waitFor();
    }));

  it('compresses by the plan', () =>
    workbench.attempt('keyboard-compress', async () => {
      await run('Ranksmith: Compress Model…');
      await quickInput().getByText('weight error').filter({ visible: true }).first().waitFor();
      await keepNarrow('screen-goals');
      await choose(/By the plan fashion-small\.ranks\.json/);
      await workbench.row('Layers', /^fashion-small\.compressed\.onnx, \d+ k parameters/).waitFor();
      assert.ok(existsSync(made(COMPRESSED)));
    }));

  it('reads the report', () =>
    workbench.attempt('keyboard-report', async () => {
      await run('Ranksmith: Show Report');
      const report = await pageWith('[role="grid"], table');
      await report.getByText(/Measured with ONNX Runtime/).waitFor();
      await run('Ranksmith: Open Report in Editor');
      await pressUntil('Tab', /^Rank of/);
      assert.ok((await focused()).isInPage);
      await keepNarrow('screen-measured');
    }));

  it('opens the plan and the model', () =>
    workbench.attempt('keyboard-files', async () => {
      const { page } = workbench;
      await run('Ranksmith: Open Plan');
      await choose(/^fashion-small\.onnx/);
      await page
        .locator('.codelens-decoration')
        .filter({ hasText: /→ .* params/ })
        .first()
        .waitFor();
      await keep('screen-plan');
      await run('Ranksmith: Open Model Details');
      await choose(/^fashion-small\.onnx/);
      await pageWith('.facts');
      const grid = await pressUntil('Tab', /^Layers$/);
      assert.ok(grid.isInPage);
      await keep('screen-model');
    }));
});
