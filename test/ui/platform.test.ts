import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { describe, it } from 'node:test';
import { openWorkbench } from '../vscode/ui.mjs';

const platform = `out/ranksmith-${process.platform}-${process.arch}.vsix`;

/** Which ONNX Runtime measures: the native one where the package brings it, else that in WebAssembly. */
describe('the runtime of a package in a VS Code window', () => {
  for (const [vsix, wanted] of [
    [platform, /native CPU/],
    ['out/ranksmith.vsix', /WebAssembly, 1 thread/],
  ] as const) {
    const skip = existsSync(vsix) ? false : `there is no ${vsix}`;
    it(`${vsix} measures with ${wanted.source}`, { skip }, async () => {
      const workbench = await openWorkbench({ vsix, folder: 'media/walkthrough' });
      try {
        await workbench.attempt('runtime', async () => {
          const { contextMenu, page, notification, runCommand, webviewFrame } = workbench;
          await contextMenu('fashion-small.onnx', 'Compress Model…');
          await page.locator('.quick-input-widget').getByText('Half the parameters').click();
          await notification(/fashion-small\.compressed\.onnx: −\d+(\.\d)? % parameters/);
          await runCommand('Ranksmith: Show Report');
          const body = webviewFrame('webviewView').locator('body');
          await body.getByText(wanted).first().waitFor({ state: 'attached' });
          assert.match((await body.textContent()) ?? '', wanted);
        });
      } finally {
        await workbench.close();
      }
    });
  }
});
