import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { openWorkbench, type Workbench } from '../vscode/ui.mjs';

const PLAN = 'fashion-vgg.ranks.json';
const FC = '/fc1/Gemm';

/** The report in the side bar of a window: from a layer in the tree into the plan and back. */
describe('the report in a VS Code window', () => {
  let workbench: Workbench;
  before(async () => {
    workbench = await openWorkbench({ viewport: { width: 1280, height: 1100 } });
  });
  after(() => workbench?.close());

  const report = () => workbench.webviewFrame('webviewView');
  const planFile = () => path.join(workbench.workspace, PLAN);
  const text = () => (existsSync(planFile()) ? readFileSync(planFile(), 'utf8') : '');
  /** Waits for what is written, however long it takes. */
  const untilText = async (what: string, isWanted: (text: string) => boolean) => {
    for (let left = 600; !isWanted(text()); left--) {
      assert.ok(left > 0, `${what}: ${text()}`);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  };
  const entry = (of: string) =>
    new RegExp(`"${FC}": \\{ "method": "svd", "ranks": \\[(\\d+)\\]`).exec(of)?.[1];

  it('shows the layer that is selected in the tree, with its spectrum', () =>
    workbench.attempt('report-spectrum', async () => {
      const { openContainer, row, screenshot } = workbench;
      await openContainer('Ranksmith');
      await row('Layers', /suggested: /).waitFor();
      await row('Layers', /^fc1/).click();
      await report()
        .getByRole('slider', { name: `Rank of ${FC}` })
        .waitFor();
      await report().getByText('suggested:').first().waitFor();
      await report()
        .getByRole('slider', { name: /^Share of/ })
        .waitFor();
      await screenshot('report-spectrum-dark');
    }));

  it('puts a rank into the plan by keyboard, and takes it back', () =>
    workbench.attempt('report-apply', async () => {
      const { row, screenshot } = workbench;
      const handle = report().getByRole('slider', { name: `Rank of ${FC}` });
      // On a multiple of 16, whatever is suggested.
      await handle.press('ArrowLeft');
      const wanted = await handle.getAttribute('aria-valuenow');
      assert.equal(Number(wanted) % 16, 0);
      await handle.press('Enter');
      await untilText('the rank in the plan', (of) => entry(of) === wanted);
      await report().getByText('Predicted', { exact: true }).waitFor();
      await report().getByText(`planned: ${wanted}`).first().waitFor();
      await row('Layers', new RegExp(`^fc1.*${wanted}`)).waitFor();
      await screenshot('report-applied-dark');
      await report().getByRole('button', { name: 'Undo Plan Change' }).click();
      await untilText('the plan as it was', (of) => entry(of) === undefined);
    }));

  it('goes along with the tree both ways', () =>
    workbench.attempt('report-select', async () => {
      const { page, view } = workbench;
      await report()
        .getByRole('option', { name: /^features\.7\.0 / })
        .click();
      await view('Layers')
        .getByRole('treeitem', { name: /^features\.7\.0/, selected: true })
        .waitFor();
      await report()
        .getByRole('slider', { name: /^Rank of \/features\/features\.7/ })
        .first()
        .waitFor();
      assert.ok(page);
    }));

  it('plans anew from the trade-off', () =>
    workbench.attempt('report-replan', async () => {
      const { screenshot } = workbench;
      const handle = report().getByRole('slider', { name: 'Share of the Parameters to be left' });
      await handle.press('Home');
      for (let i = 0; i < 8; i++) await handle.press('PageUp');
      const share = Number(await handle.getAttribute('aria-valuenow'));
      await handle.press('Enter');
      await untilText('the goal', (of) => of.includes(`"goal": "parameters=${share / 100}"`));
      await report()
        .getByText(/^[1-8] of 8 layers factored$/)
        .waitFor();
      await report()
        .getByText(/The plan leaves \d/)
        .waitFor();
      await screenshot('report-replanned-dark');
    }));

  it('is as it was when it was hidden in between', () =>
    workbench.attempt('report-hidden', async () => {
      const { openContainer, webviewFrame } = workbench;
      await report().getByRole('searchbox', { name: 'Filter layers' }).fill('fc');
      await report().getByText('2 of 8 layers', { exact: true }).waitFor();
      await openContainer('Explorer');
      await openContainer('Ranksmith');
      // The address of a page that was hidden no longer says what it is for.
      const again = webviewFrame();
      await again.getByText('2 of 8 layers', { exact: true }).waitFor();
      assert.equal(await again.getByRole('searchbox', { name: 'Filter layers' }).inputValue(), 'fc');
    }));
});
