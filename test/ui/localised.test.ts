import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { openWorkbench, type Workbench } from '../vscode/ui.mjs';

const read = (file: string): Readonly<Record<string, string>> => JSON.parse(readFileSync(file, 'utf8'));
const manifest = read('package.nls.zh-cn.json');
const bundle = read('l10n/bundle.l10n.zh-cn.json');

/** That the package carries its translations, and that VS Code takes them. */
describe('the extension in Chinese', () => {
  let workbench: Workbench;
  before(async () => {
    workbench = await openWorkbench({ locale: 'zh-cn' });
  });
  after(() => workbench?.close());

  it('has its menus and views in the manifest’s translation', () =>
    workbench.attempt('chinese-manifest', async () => {
      const { menuEntries, openContainer, view } = workbench;
      const entries = await menuEntries('fashion-vgg.onnx');
      for (const key of ['command.analyzeModel', 'command.compressModel'] as const) {
        assert.ok(entries.includes(manifest[key]!), `${manifest[key]} in ${entries}`);
      }
      await openContainer('Ranksmith');
      await view(manifest['view.layers']!).waitFor();
      await view(manifest['view.report']!).waitFor();
    }));

  it('has its rows in the host’s translation', () =>
    workbench.attempt('chinese-host', async () => {
      const { row, rows, screenshot } = workbench;
      const parameters = bundle['{0} params']!.replace('{0}', '2.31 M');
      await row(manifest['view.layers']!, 'fashion-vgg.onnx, 2.31 M').waitFor();
      const texts = await rows(manifest['view.layers']!);
      assert.ok(texts[0]?.includes(parameters), `${parameters} in ${texts[0]}`);
      await screenshot('chinese-dark');
    }));
});
