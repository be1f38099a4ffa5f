import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { openWorkbench, type Workbench } from '../vscode/ui.mjs';

describe('the packaged extension in a VS Code window', () => {
  let workbench: Workbench;
  before(async () => {
    workbench = await openWorkbench();
  });
  after(() => workbench?.close());

  it('shows the sample model in its own view', () =>
    workbench.attempt('layers', async () => {
      await workbench.openContainer('Ranksmith');
      await workbench.row('Layers', /fashion-vgg\.onnx/).waitFor();
      await workbench.screenshot('layers');
    }));

  it('offers its explorer entries on a model and on nothing else', () =>
    workbench.attempt('context-menu', async () => {
      const titles = explorerTitles();
      const ours = async (name: string) =>
        (await workbench.menuEntries(name)).filter((entry) => titles.includes(entry));
      writeFileSync(path.join(workbench.workspace, 'notes.txt'), 'not a model');
      await workbench.openContainer('Explorer');
      assert.notDeepEqual(await ours('fashion-vgg.onnx'), []);
      assert.deepEqual(await ours('notes.txt'), []);
    }));
});

/** The English titles of what the manifest contributes to the explorer's context menu. */
function explorerTitles(): string[] {
  const { contributes } = readJson('package.json');
  const texts = existsSync('package.nls.json') ? readJson('package.nls.json') : {};
  const labels = new Map<string, string>();
  for (const { command, title } of contributes.commands ?? []) labels.set(command, title);
  for (const { id, label } of contributes.submenus ?? []) labels.set(id, label);
  return (contributes.menus?.['explorer/context'] ?? []).map((entry: Record<string, string>) => {
    const label = labels.get(entry.command ?? entry.submenu ?? '') ?? '';
    return label.replace(/^%(.+)%$/, (whole, key) => texts[key] ?? whole);
  });
}

function readJson(file: string) {
  return JSON.parse(readFileSync(file, 'utf8'));
}
