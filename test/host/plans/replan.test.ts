import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { parsePlanFile } from '../../../src/core/compress/parsePlanFile';
import { printPlanFile } from '../../../src/core/compress/planFile';
import { folderWithSample, internals, until } from '../internals';
import { closeAll, LAYERS, measured, openPlan, plannedText, replace, squiggled, withEntry } from './openPlan';

const replan = (argument?: unknown) => vscode.commands.executeCommand('ranksmith.replan', argument);

describe('Re-plan…', () => {
  let folder: ReturnType<typeof folderWithSample>;
  let text: string;
  before(async () => {
    folder = folderWithSample('replan');
    text = await plannedText(folder.model, { kind: 'parameters', share: 0.5 });
  });
  afterEach(closeAll);
  after(() => folder.remove());

  it('makes the plan for another goal in one step, what was set by hand goes, undo brings it back', async () => {
    const byHand = withEntry(LAYERS.fc1, '{ "method": "svd", "ranks": [3] }')(text);
    const { document } = await openPlan(folder.model, byHand);
    const before = document.getText();
    for (const goal of ['macs=0.5', 'energy=0.95']) {
      await replan({ uri: document.uri, goal });
      const [kind, value] = goal.split('=') as ['macs' | 'energy', string];
      const target = kind === 'macs' ? { kind, share: Number(value) } : { kind, energy: Number(value) };
      assert.equal(document.getText(), await plannedText(folder.model, target));
      await measured(document);
      assert.deepEqual(squiggled(document), []);
      assert.equal(document.isDirty, true, 'nobody saved');
      await vscode.commands.executeCommand('undo');
      assert.equal(document.getText(), before);
    }
  });

  it('keeps multiple, seed and folding', async () => {
    const { plan } = parsePlanFile(text);
    const { document } = await openPlan(
      folder.model,
      printPlanFile({ ...plan!, multiple: 4, seed: 77, foldNorms: false }),
    );
    await replan({ uri: document.uri, goal: { kind: 'macs', share: 0.4 } });
    const now = parsePlanFile(document.getText()).plan!;
    assert.deepEqual([now.multiple, now.seed, now.foldNorms], [4, 77, false]);
    assert.deepEqual(now.goal, { kind: 'macs', share: 0.4 });
    const ranks = now.layers.flatMap((each) => (each.kind === 'factor' ? each.ranks : []));
    assert.ok(ranks.length > 0 && ranks.every((rank) => rank % 4 === 0), String(ranks));
  });

  it('asks for a goal, and does nothing when it is not told one', async () => {
    const editor = await openPlan(folder.model, text);
    const { document } = editor;
    /** Until the question is there, answering it does nothing. */
    const answered = async (command: string) => {
      let isDone = false;
      void replan().then(() => {
        isDone = true;
      });
      await until('an answer to the question', async () => {
        await vscode.commands.executeCommand(command);
        return isDone;
      });
    };
    await answered('workbench.action.closeQuickOpen');
    assert.equal(document.getText(), text);
    await replace(editor, '"svd", "ranks": [160]', '"svd", "ranks": [3]');
    await answered('workbench.action.acceptSelectedQuickOpenItem');
    // Half the parameters is the first of them: what the plan was made for.
    assert.equal(document.getText(), text);
  });

  it('does nothing to a text with errors, for a goal out of reach, and where there is no plan', async () => {
    const editor = await openPlan(folder.model, text);
    const { document } = editor;
    for (const goal of ['parameters=0.0001', 'half'])
      assert.equal(await replan({ uri: document.uri, goal }), undefined);
    assert.equal(document.getText(), text);
    await replace(editor, '"seed": 1', '"seed": "one"');
    const broken = document.getText();
    await replan({ uri: document.uri, goal: 'macs=0.5' });
    assert.equal(document.getText(), broken);
    await closeAll();
    assert.equal(await replan(), undefined);
  });

  it('makes one edit of what is typed while it plans', async () => {
    const { host } = await internals();
    const editor = await openPlan(folder.model, text);
    const { document } = editor;
    await host.stop();
    // The engine has to start again: there is time to type.
    const running = replan({ uri: document.uri, goal: 'macs=0.5' });
    await replace(editor, '"layers": {', '"layers": {\n');
    await running;
    assert.equal(document.getText(), await plannedText(folder.model, { kind: 'macs', share: 0.5 }));
    await vscode.commands.executeCommand('undo');
    assert.equal(document.getText(), text.replace('"layers": {', '"layers": {\n'));
  });

  it('leaves the ends of lines as they are', async () => {
    const { document } = await openPlan(folder.model, text.replaceAll('\n', '\r\n'));
    await replan({ uri: document.uri, goal: 'macs=0.5' });
    const wanted = await plannedText(folder.model, { kind: 'macs', share: 0.5 });
    assert.equal(document.getText(), wanted.replaceAll('\n', '\r\n'));
  });
});
