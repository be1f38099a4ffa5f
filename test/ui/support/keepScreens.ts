import type { Workbench } from '../../vscode/ui.mjs';

/** The last is the one that goes on being worn. */
const THEMES = ['light', 'high-contrast', 'high-contrast-light', 'dark'] as const;

/** Half a laptop's screen. */
const NARROW = 640;

/** Keeps what the window shows as pictures: `<name>-<theme>` in every theme, and `<name>-narrow`. */
export async function keepScreens(workbench: Workbench, name: string): Promise<void> {
  const { page, screenshot, wear } = workbench;
  // What the pointer rests on looks otherwise.
  await page.mouse.move(1, 1);
  for (const theme of THEMES) {
    await wear(theme);
    await screenshot(`${name}-${theme}`);
  }
  const size = page.viewportSize()!;
  await page.setViewportSize({ width: NARROW, height: size.height });
  await screenshot(`${name}-narrow`);
  await page.setViewportSize(size);
}
