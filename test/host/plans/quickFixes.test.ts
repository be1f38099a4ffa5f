import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { parsePlanFile } from '../../../src/core/compress/parsePlanFile';
import { remarkMarks } from '../../../src/core/compress/planMarks';
import { planAction } from '../../../src/host/plans/planAction';
import { folderWithSample, internals, until } from '../internals';
import {
  actionsAt,
  carryOut,
  closeAll,
  entryIn,
  LAYERS,
  measured,
  openPlan,
  plannedText,
  replace,
  squiggled,
  squiggles,
  titled,
  withEntry,
} from './openPlan';

const { QuickFix, RefactorRewrite, SourceFixAll } = vscode.CodeActionKind;

/** Errors of four kinds, and a setting that loses more than it had to. */
const spoil = (text: string) =>
  [
    withEntry(LAYERS.first, '{ "method": "svd", "ranks": [8] }'),
    withEntry(LAYERS.wide, '{ "method": "tucker2", "ranks": [8, 8] }'),
    withEntry(LAYERS.fc1, '{ "method": "svd", "ranks": [500] }'),
    withEntry(LAYERS.fc2, '{ "method": "svd", "ranks": [1, 2] }'),
  ].reduce((all, change) => change(all), text);

describe('quick fixes in a plan', () => {
  let folder: ReturnType<typeof folderWithSample>;
  let text: string;
  before(async () => {
    folder = folderWithSample('quickfixes');
    text = await plannedText(folder.model, { kind: 'parameters', share: 0.5 });
  });
  afterEach(closeAll);
  after(() => folder.remove());

  const open = async (change: (text: string) => string) => {
    const editor = await openPlan(folder.model, change(text));
    await measured(editor.document);
    return editor;
  };
  const undo = () => vscode.commands.executeCommand('undo');

  /** Each with where it is offered, its title, and what becomes of the entry. */
  const cases: [
    name: string,
    layer: string,
    spoiled: string,
    piece: string,
    title: RegExp,
    code: string,
    result: RegExp,
  ][] = [
    [
      'a larger layer',
      LAYERS.fc1,
      '{ "method": "svd", "ranks": [500] }',
      '[500]',
      /^Use svd with rank 160 \(error \d[\d.]* %\)$/,
      'larger',
      /^\{ "method": "svd", "ranks": \[160\] \}$/,
    ],
    [
      'a method that does not fit',
      LAYERS.wide,
      '{ "method": "svd", "ranks": [8] }',
      '"svd", "ranks": [8]',
      /^Use spatial with rank 160 \(error/,
      'bad-method',
      /^\{ "method": "spatial", "ranks": \[160\] \}$/,
    ],
    [
      'too many ranks',
      LAYERS.fc2,
      '{ "method": "svd", "ranks": [1, 2] }',
      '[1, 2]',
      /^Leave the layer dense$/,
      'bad-ranks',
      /^\{ "dense": "Within this budget/,
    ],
    [
      'a setting below the goal',
      LAYERS.wide,
      '{ "method": "tucker2", "ranks": [8, 8] }',
      '[8, 8]',
      /^Use spatial with rank 160/,
      'below-goal',
      /^\{ "method": "spatial", "ranks": \[160\] \}$/,
    ],
    [
      'a setting with a better one',
      LAYERS.wide,
      '{ "method": "tucker2", "ranks": [100, 240] }',
      '[100, 240]',
      /^Use spatial with rank 144/,
      'better',
      /^\{ "method": "spatial", "ranks": \[144\] \}$/,
    ],
  ];
  for (const [name, layer, spoiled, piece, title, code, result] of cases) {
    it(`do away with ${name}; undo brings it back`, async () => {
      const { document } = await open(withEntry(layer, spoiled));
      const before = document.getText();
      const actions = await actionsAt(document, piece);
      const action = titled(actions, title);
      assert.equal(action.isPreferred, true);
      assert.equal(actions.filter(({ isPreferred }) => isPreferred).length, 1);
      assert.equal(action.kind?.value, QuickFix.value);
      assert.ok(squiggled(document).some(([each]) => each === code));
      await carryOut(action);
      assert.match(entryIn(document, layer)!, result);
      await measured(document);
      assert.ok(!squiggled(document).some(([each]) => each === code));
      await undo();
      assert.equal(document.getText(), before);
    });
  }

  it('leave a layer dense', async () => {
    const { document } = await open(withEntry(LAYERS.wide, '{ "method": "tucker2", "ranks": [100, 240] }'));
    await carryOut(titled(await actionsAt(document, '[100, 240]'), /^Leave the layer dense$/));
    assert.match(entryIn(document, LAYERS.wide)!, /^\{ "dense": "Left as it is by hand\." \}$/);
  });

  it('offer other methods at no greater cost, with their errors', async () => {
    const { document } = await open((same) => same);
    const { review } = await measured(document);
    const { planned } = review!.layers.find(({ layer }) => layer === LAYERS.wide)!;
    const others = (await actionsAt(document, '[160]')).filter(({ title }) => /^Use /.test(title));
    assert.deepEqual(others.map(({ title }) => title.split(' ')[1]).sort(), [
      'channel',
      'input-channel',
      'tucker2',
    ]);
    assert.ok(others.every(({ kind }) => kind?.value === RefactorRewrite.value));
    await carryOut(titled(others, /tucker2/));
    const now = (await measured(document)).review!.layers.find(({ layer }) => layer === LAYERS.wide)!;
    assert.equal(now.planned?.method, 'tucker2');
    assert.ok(now.planned!.cost.parameters <= planned!.cost.parameters);
    assert.ok(
      titled(others, /tucker2/).title.includes(`${Number((100 * now.planned!.error!).toPrecision(3))} %`),
    );
  });

  it('offer on any entry what a planner would do, where that is something else', async () => {
    const { document } = await open(withEntry(LAYERS.fc1, '{ "dense": "I want it so." }'));
    assert.ok(!squiggled(document).some(([, , at]) => at.includes('I want it so')));
    const action = titled(await actionsAt(document, '"I want it so."'), /^Use svd with rank 160/);
    assert.equal(action.kind?.value, QuickFix.value);
    await carryOut(action);
    assert.equal(entryIn(document, LAYERS.fc1), '{ "method": "svd", "ranks": [160] }');
    await measured(document);
    const again = await actionsAt(document, '"svd", "ranks": [160]', QuickFix);
    assert.deepEqual(
      again.map(({ title }) => title),
      [],
    );
  });

  it('rename or remove an entry of a layer that is not there', async () => {
    const wrong = LAYERS.fc1.replace('Gemm', 'Gem');
    const { document } = await open((same) =>
      same.replace(JSON.stringify(LAYERS.fc1), JSON.stringify(wrong)),
    );
    const broken = document.getText();
    const actions = await actionsAt(document, wrong);
    const rename = titled(actions, /^Rename to \/fc1\/Gemm$/);
    assert.equal(rename.isPreferred, true);
    await carryOut(rename);
    assert.equal(document.getText(), text);
    await undo();
    assert.equal(document.getText(), broken);
    await measured(document);
    await carryOut(titled(await actionsAt(document, wrong), /^Remove the entry$/));
    const { plan } = parsePlanFile(document.getText());
    assert.deepEqual(
      plan?.layers,
      parsePlanFile(text).plan!.layers.filter(({ layer }) => layer !== LAYERS.fc1),
    );
  });

  it('correct a method that does not exist', async () => {
    const editor = await open((same) => same);
    const { document } = editor;
    const entry = `"${LAYERS.wide}": { "method": `;
    await replace(editor, `${entry}"spatial"`, `${entry}"spacial"`);
    await until('the complaint', () => squiggled(document).some(([code]) => code === 'unknown-method'));
    const actions = await actionsAt(document, '"spacial"');
    // What is known of the layer from before the mistake still holds.
    titled(actions, /^Use spatial with rank 160/);
    const change = titled(actions, /^Change to spatial$/);
    assert.equal(change.isPreferred, true);
    await carryOut(change);
    assert.equal(document.getText(), text);
  });

  it('apply all suggestions at once, as one step', async () => {
    const { document } = await open(spoil);
    const before = document.getText();
    const all = titled(await actionsAt(document, '"tucker2"'), /^Apply all suggestions \(4 layers\)$/);
    await carryOut(all);
    assert.equal(document.getText(), text);
    await measured(document);
    assert.deepEqual(squiggled(document), []);
    await undo();
    assert.equal(document.getText(), before);
    await measured(document);
    await vscode.commands.executeCommand('ranksmith.fixPlan');
    assert.equal(document.getText(), text);
  });

  it('are there as source actions; what is made on saving leaves decisions alone', async () => {
    const { document } = await open(spoil);
    const ours = SourceFixAll.append('ranksmith');
    const general = titled(await actionsAt(document, '[8, 8]', SourceFixAll), /^Repair entries/);
    const all = titled(await actionsAt(document, '[8, 8]', ours), /^Apply all suggestions$/);
    assert.ok([general, all].every(({ kind }) => kind?.value === ours.value));
    await carryOut(general);
    assert.equal(
      document.getText(),
      withEntry(LAYERS.wide, '{ "method": "tucker2", "ranks": [8, 8] }')(text),
    );
    await undo();
    await carryOut(all);
    assert.equal(document.getText(), text);
  });

  it('offer to make a plan anew that misses its goal, or is for another version of its model', async () => {
    const { document } = await open((same) =>
      withEntry(LAYERS.fc1, '{ "dense": "" }')(same).replace(/"sha256": "../, '"sha256": "zz'),
    );
    for (const [piece, code] of [
      ['"parameters=0.5"', 'misses-goal'],
      ['"sha256"', 'other-model'],
    ] as const) {
      const actions = await actionsAt(document, piece);
      const replan = titled(actions, /^Re-plan for parameters=0\.5$/);
      assert.equal(replan.isPreferred, true);
      assert.ok(squiggled(document).some(([each]) => each === code));
      titled(actions, /^Re-plan for another goal…$/);
      if (code === 'misses-goal') continue;
      const settings = document.getText();
      await carryOut(titled(actions, /^Keep the settings for this version of the model$/));
      const [now, then] = [parsePlanFile(document.getText()).plan!, parsePlanFile(settings).plan!];
      assert.deepEqual(now, { ...then, model: parsePlanFile(text).plan!.model });
      await measured(document);
      assert.ok(!squiggled(document).some(([each]) => each === 'other-model'));
      await undo();
      assert.equal(document.getText(), settings);
      await carryOut(replan);
      assert.equal(document.getText(), text);
    }
  });

  it('name what they do away with as the Problems panel shows it', async () => {
    const { document } = await open(spoil);
    const state = await measured(document);
    const marks = remarkMarks(state.parsed, state.review!.remarks);
    const { diagnostics = [], kind } = planAction(state, 'Fix', marks, { edits: [] });
    assert.equal(kind?.value, QuickFix.value);
    const plain = (all: readonly vscode.Diagnostic[]) =>
      all
        .map(({ code, message, range, severity, source }) =>
          JSON.stringify([code, message, range, severity, source]),
        )
        .sort();
    assert.deepEqual(plain(diagnostics), plain(squiggles(document)));
  });

  it('keep CRLF, tabs and a byte order mark', async () => {
    const spread = JSON.stringify(JSON.parse(spoil(text)), null, '\t').replaceAll('\n', '\r\n');
    const { document } = await open(() => `\uFEFF${spread}`);
    await carryOut(titled(await actionsAt(document, '500'), /^Use svd with rank 160/));
    const changed = document.getText();
    assert.equal(entryIn(document, LAYERS.fc1), '{ "method": "svd", "ranks": [160] }');
    assert.ok(!/[^\r]\n/.test(changed));
    assert.ok(await document.save());
    const bytes = await vscode.workspace.fs.readFile(document.uri);
    assert.deepEqual([...bytes.slice(0, 3)], [0xef, 0xbb, 0xbf]);
    await measured(document);
    await vscode.commands.executeCommand('ranksmith.fixPlan', document.uri);
    assert.deepEqual(parsePlanFile(document.getText()).plan, parsePlanFile(text).plan);
    assert.ok(document.getText().includes('\r\n\t"goal"'));
  });

  it('belong to the text as it is when they are asked for, also while somebody types', async () => {
    const editor = await open(withEntry(LAYERS.fc1, '{ "method": "svd", "ranks": [500] }'));
    const { document } = editor;
    // Not awaited: the question comes while the plan is being reviewed.
    const typing = replace(editor, '"layers": {', '"layers": {\n\n\n');
    const asked = actionsAt(document, '[500]');
    await typing;
    const found = (await asked).find(({ title }) => /^Use svd with rank 160/.test(title));
    const actions = found ? [found] : await actionsAt(document, '[500]');
    const action = titled(actions, /^Use svd with rank 160/);
    await carryOut(action);
    assert.equal(entryIn(document, LAYERS.fc1), '{ "method": "svd", "ranks": [160] }');
  });

  it('are none for a plan without its model', async () => {
    const { document } = await openPlan(folder.model, text.replace('"net.onnx"', '"gone.onnx"'));
    await measured(document);
    assert.deepEqual(
      squiggled(document).map(([code]) => code),
      ['no-review'],
    );
    assert.deepEqual(await actionsAt(document, '[160]'), []);
    const { plans } = await internals();
    assert.match(plans.of(document)!.failure!, /gone\.onnx/);
  });
});
