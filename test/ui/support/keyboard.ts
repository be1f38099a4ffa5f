import assert from 'node:assert/strict';
import type { ElementHandle, Frame } from 'playwright-core';
import type { Workbench } from '../../vscode/ui.mjs';

/** What has the focus, as somebody hears it who does not see it. */
export interface Focus {
  /** Of the element, to tell whether the focus has moved. */
  readonly id: string;
  readonly role: string;
  readonly name: string;
  readonly value: string | null;
  /** The page of the extension that it is in; undefined where it is in none. */
  readonly page: Frame | undefined;
}

/** A window that is driven by keys alone: nothing here clicks, fills or focuses. What is reached is read from the focus. */
export interface Keyboard {
  press(key: string): Promise<void>;
  /** What has the focus, once something has it. */
  focused(): Promise<Focus>;
  /** Presses a key, again and again, until what has the focus is called so. */
  pressUntil(key: string, name: RegExp): Promise<Focus>;
  /** Runs a command from the palette, and chooses these from the lists that it shows, one after the other. */
  run(title: string, ...choices: readonly RegExp[]): Promise<void>;
}

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

/** Presses after which it is given up: twice around a window. */
const MOST_PRESSES = 200;

export function keyboardOf({ page, until, again }: Workbench): Keyboard {
  const quickInput = page.locator('.quick-input-widget');
  const press = (key: string) => page.keyboard.press(key);

  /** The element with the focus: in a tree or a list the row it points to, in an iframe what has it there. */
  async function focus(frame: Frame = page.mainFrame()): Promise<Focus | undefined> {
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
    return { ...told, page: frame === page.mainFrame() ? undefined : frame };
  }
  /** A page may be exchanged for another while it is asked: then again. */
  const focused = () => until('Nothing has the focus.', () => focus().catch(() => undefined));

  async function pressUntil(key: string, name: RegExp): Promise<Focus> {
    const passed: string[] = [];
    for (let at = await focused(); ; ) {
      if (name.test(at.name)) return at;
      passed.push(`${at.role} ${at.name.slice(0, 60)}`);
      assert.ok(
        passed.length < MOST_PRESSES,
        `${key} does not lead to ${name}, but to:\n${passed.join('\n')}`,
      );
      await press(key);
      const { id } = at;
      // At the end of a list a key comes to nothing.
      for (let left = 20; at.id === id && left > 0; left--) {
        at = await focused();
        if (at.id === id) await page.waitForTimeout(50);
      }
    }
  }

  /** Waits until a list of choices is there with one that is called so, goes to it and takes it. */
  async function choose(name: RegExp, timeout: number): Promise<void> {
    await quickInput.getByRole('option', { name }).first().waitFor({ timeout });
    await pressUntil('ArrowDown', name);
    await press('Enter');
  }

  // While the window is busy a key may come to nothing. And VS Code gives the focus back to a page some time after a list was
  // closed, which closes a list that was opened since.
  const run: Keyboard['run'] = (title, ...choices) =>
    again(async (patience) => {
      const timeout = 3 * patience;
      await press('F1');
      await quickInput.locator('input:focus').waitFor({ timeout });
      await page.keyboard.type(title);
      for (const name of [new RegExp(`^${title}(,|$)`), ...choices]) await choose(name, timeout);
    });

  return { press, focused, pressUntil, run };
}
