// npm run screenshots: the pictures of the README, from the packaged extension in a real VS Code, into media/screenshots;
// and the icon in its sizes, from media/icon.svg. Run it after `npm run package`, and look at what it made.
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { chromium } from 'playwright-core';
import { chromiumOptions } from './chromium.mjs';
import { root } from './install.mjs';
import { openWorkbench } from './ui.mjs';

/** A README has to arrive quickly. */
const MOST_BYTES = 150_000;
const folder = path.join(root, 'media', 'screenshots');
mkdirSync(folder, { recursive: true });

await icons();
await story('dark');
console.log('Look at them before you keep them.');

/** From the model in the tree to the report, a picture of each. */
async function story(theme) {
  const workbench = await openWorkbench({
    theme,
    viewport: { width: 1120, height: 660 },
    settings: {
      'workbench.editor.showTabs': 'single',
      'window.commandCenter': false,
      'workbench.layoutControl.enabled': false,
      'editor.minimap.enabled': false,
      'workbench.statusBar.visible': true,
      'files.autoSave': 'off',
    },
  });
  const { page, pageWith, row, openContainer, contextMenu, notification, runCommand, webviewFrame } =
    workbench;
  const quickInput = page.locator('.quick-input-widget');
  /** Keeps the window as it is, once nothing moves; the pointer is out of the way. */
  const keep = async (name, isHovering = false) => {
    if (!isHovering) await page.mouse.move(1, 1);
    await page.waitForTimeout(500);
    save(name, await page.screenshot({ animations: 'disabled' }));
  };
  try {
    await openContainer('Ranksmith');
    await widen(page, 200);
    await row('Layers', /features\.8.*suggested/).waitFor();

    await contextMenu(row('Layers', /^fashion-vgg\.onnx/), 'Open Plan');
    await quickInput.getByText('Half the parameters').waitFor();
    await quickInput
      .getByText(/weight error/)
      .first()
      .waitFor();
    await keep('goals');
    await quickInput.getByText('Half the parameters').click();
    const lens = page.locator('.codelens-decoration').filter({ hasText: /weight error/ });
    await lens.first().waitFor();
    const entry = page.locator('.view-line').filter({ hasText: '/fc1/Gemm' });
    await entry.getByText('"svd"').first().hover();
    await page.locator('.monaco-hover img').first().waitFor();
    await keep('plan', true);
    await page.mouse.move(700, 700);

    await contextMenu(row('Layers', /^fashion-vgg\.onnx/), 'Compress Model…');
    await quickInput.getByText('By the plan fashion-vgg.ranks.json').click();
    const toast = await notification(/fashion-vgg\.compressed\.onnx by the plan/);
    await toast.getByRole('button', { name: /^Clear Notification/ }).click();
    await runCommand('View: Close All Editors');
    await row('Layers', /^features\.8/).click();
    await webviewFrame('webviewView').getByText('Overview').first().waitFor();
    await runCommand('Ranksmith: Open Report in Editor');
    const report = await pageWith('body.editor [role="slider"]');
    await runCommand('View: Toggle Primary Side Bar Visibility');
    await page.setViewportSize({ width: 1120, height: 915 });
    // The page draws itself anew as it widens, and says so to nobody.
    await page.waitForTimeout(2500);
    await report.evaluate(() => scrollTo(0, 0));
    await keep('report');
  } catch (error) {
    await page.screenshot({ path: path.join(root, 'out', 'screenshots-failed.png') });
    throw error;
  } finally {
    await workbench.close();
  }
}

/** Makes the side bar wider. */
async function widen(page, by) {
  const sash = await page.locator('.sidebar').boundingBox();
  const x = sash.x + sash.width;
  await page.mouse.move(x, 300);
  await page.mouse.down();
  await page.mouse.move(x + by, 300, { steps: 4 });
  await page.mouse.up();
}

/** media/icon.png (256 pixels, what the manifest names) and media/icon-128.png. */
async function icons() {
  const browser = await chromium.launch(await chromiumOptions());
  try {
    const svg = readFileSync(path.join(root, 'media/icon.svg')).toString('base64');
    for (const [size, name] of [
      [256, 'icon.png'],
      [128, 'icon-128.png'],
    ]) {
      const page = await browser.newPage({ viewport: { width: size, height: size } });
      await page.setContent(
        `<body style="margin:0"><img width="${size}" height="${size}" src="data:image/svg+xml;base64,${svg}">`,
      );
      await page.locator('img').evaluate((image) => image.decode());
      writeFileSync(path.join(root, 'media', name), await page.screenshot({ omitBackground: true }));
    }
  } finally {
    await browser.close();
  }
}

function save(name, bytes) {
  const file = path.join(folder, `${name}.png`);
  if (bytes.length > MOST_BYTES)
    throw new Error(`${file} would have ${bytes.length} bytes: more than ${MOST_BYTES}.`);
  writeFileSync(file, bytes);
  console.log(`${path.relative(root, file)}: ${Math.round(statSync(file).size / 1000)} kB`);
}
