import assert from 'node:assert/strict';
import { copyFileSync, renameSync, rmSync } from 'node:fs';
import * as vscode from 'vscode';
import { folderWithSample, until } from '../internals';
import {
  closeAll,
  LAYERS,
  measured,
  openPlan,
  plannedText,
  replace,
  squiggled,
  squiggles,
  withEntry,
} from './openPlan';

describe('squiggles in a plan', () => {
  let folder: ReturnType<typeof folderWithSample>;
  let text: string;
  before(async () => {
    folder = folderWithSample('squiggles');
    text = await plannedText(folder.model, { kind: 'parameters', share: 0.5 });
  });
  afterEach(closeAll);
  after(() => folder.remove());

  const open = (change: (text: string) => string = (same) => same) => openPlan(folder.model, change(text));

  it('are none in a plan as it was made', async () => {
    const { document } = await open();
    await measured(document);
    assert.deepEqual(squiggled(document), []);
  });

  it('stand under the part of an entry they are about', async () => {
    const changes: [layer: string, value: string][] = [
      [LAYERS.first, '{ "method": "svd", "ranks": [8] }'],
      [LAYERS.wide, '{ "method": "tucker2", "ranks": [8, 8] }'],
      [LAYERS.fc1, '{ "method": "svd", "ranks": [500] }'],
      [LAYERS.fc2, '{ "method": "svd", "ranks": [1, 2] }'],
    ];
    const { document } = await open((from) =>
      changes
        .reduce((all, [layer, value]) => withEntry(layer, value)(all), from)
        .replace('"layers": {', '"layers": {\n    "nobody": { "dense": "" },'),
    );
    await measured(document);
    assert.deepEqual(squiggled(document), [
      ['misses-goal', 'Warning', '"parameters=0.5"'],
      ['unknown-layer', 'Error', '"nobody"'],
      ['bad-method', 'Error', '"svd"'],
      ['below-goal', 'Warning', '[8, 8]'],
      ['larger', 'Warning', '[500]'],
      ['bad-ranks', 'Error', '[1, 2]'],
    ]);
    assert.ok(squiggles(document).every(({ message }) => /^[A-Z"].*\.$/s.test(message) || message !== ''));
  });

  it('tell of a better setting', async () => {
    const { document } = await open(withEntry(LAYERS.wide, '{ "method": "tucker2", "ranks": [100, 240] }'));
    await measured(document);
    const [found, ...more] = squiggles(document).filter(({ code }) => code === 'better');
    assert.ok(found, JSON.stringify(squiggled(document)));
    assert.deepEqual(more, []);
    assert.equal(document.getText(found.range), '[100, 240]');
    assert.equal(found.severity, vscode.DiagnosticSeverity.Information);
    assert.match(found.message, /with ranks? \d+.*(costs no more|no larger error)/);
  });

  it('show at once what is wrong with the text, and come back when it is mended', async () => {
    const editor = await open(withEntry(LAYERS.fc1, '{ "method": "svd", "ranks": [500] }'));
    const { document } = editor;
    await measured(document);
    const before = squiggled(document);
    await replace(editor, '"seed": 1', '"seed": -1');
    await until('the complaint', () => squiggled(document).some(([, , at]) => at === '-1'));
    assert.deepEqual(squiggled(document), [['form', 'Error', '-1']]);
    await replace(editor, '"seed": -1', '"seed": 1');
    await until('the review', () => squiggled(document).length === before.length);
    assert.deepEqual(squiggled(document), before);
    await replace(editor, '"svd"', '"svdd"');
    await until('the method', () => squiggled(document)[0]?.[0] === 'unknown-method');
    assert.deepEqual(squiggled(document), [['unknown-method', 'Error', '"svdd"']]);
  });

  it('are there for a text that is no JSON from the start, and go with its editor', async () => {
    const { document } = await open((from) => from.replace('"seed": 1', '"seed": -1').slice(0, -4));
    await until('the seed', () => squiggled(document).length > 0);
    // That it is no JSON is told by VS Code itself, once.
    const byJson = () =>
      vscode.languages.getDiagnostics(document.uri).filter(({ source }) => source === 'json');
    await until('the syntax', () => byJson().length > 0);
    assert.deepEqual(squiggled(document), [['form', 'Error', '-1']]);
    await closeAll();
    await until('nothing', () => squiggles(document).length === 0);
  });

  it('do not vanish while a keystroke is reviewed', async () => {
    const editor = await open(withEntry(LAYERS.fc1, '{ "method": "svd", "ranks": [500] }'));
    const { document } = editor;
    await measured(document);
    let least = squiggles(document).length;
    assert.ok(least > 0);
    const watching = vscode.languages.onDidChangeDiagnostics(() => {
      least = Math.min(least, squiggles(document).length);
    });
    try {
      for (const [from, to] of [
        ['500', '501'],
        ['501', '5011'],
        ['5011', '502'],
      ] as const) {
        await replace(editor, `[${from}]`, `[${to}]`);
        await measured(document);
      }
    } finally {
      watching.dispose();
    }
    assert.ok(least > 0, 'there was no moment without');
  });

  it('say under the model when it has changed, and when there is none', async () => {
    const other = folderWithSample('squiggles-other');
    try {
      const changed = text.replace(/"sha256": "../, '"sha256": "zz');
      const { document } = await openPlan(other.model, changed);
      await measured(document);
      assert.deepEqual(squiggled(document), [['other-model', 'Error', /\{ "file".*?\}/.exec(changed)![0]]]);
      await closeAll();
      const away = other.file('away.onnx');
      renameSync(other.model.fsPath, away.fsPath);
      const again = await openPlan(other.model, text);
      await measured(again.document);
      assert.deepEqual(
        squiggled(again.document).map(([code, severity, at]) => [code, severity, /^\{ "file"/.test(at)]),
        [['no-review', 'Error', true]],
      );
      assert.match(squiggles(again.document)[0]!.message, /net\.onnx/);
      copyFileSync(away.fsPath, other.model.fsPath);
      await until('the model to be found', () => squiggles(again.document).length === 0);
      rmSync(away.fsPath);
    } finally {
      await closeAll();
      other.remove();
    }
  });

  it('are at the right places with a byte order mark, tabs and CRLF', async () => {
    const spread = JSON.stringify(
      JSON.parse(withEntry(LAYERS.fc1, '{ "method": "svd", "ranks": [500] }')(text)),
      null,
      '\t',
    );
    const { document } = await open(() => `\uFEFF${spread.replaceAll('\n', '\r\n')}`);
    assert.equal(document.eol, vscode.EndOfLine.CRLF);
    await measured(document);
    const found = squiggles(document).find(({ code }) => code === 'larger');
    assert.ok(found, JSON.stringify(squiggled(document)));
    assert.deepEqual(JSON.parse(document.getText(found.range)), [500]);
  });
});
