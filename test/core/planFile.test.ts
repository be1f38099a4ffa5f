import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { SENSITIVITIES } from '../../src/core/compress/budget/sensitivity';
import { METHOD_IDS } from '../../src/core/compress/method';
import { parsePlanFile } from '../../src/core/compress/parsePlanFile';
import { type PlanFile, printPlanFile } from '../../src/core/compress/planFile';
import { planPath } from '../../src/core/compress/planPath';

const PLAN: PlanFile = {
  model: { file: 'net.onnx', sha256: 'ab12' },
  goal: { kind: 'macs', share: 0.5 },
  multiple: 8,
  sensitivity: 'early',
  calibration: null,
  seed: 7,
  foldNorms: true,
  layers: [
    { kind: 'factor', layer: 'conv1', method: 'tucker2', ranks: [16, 24] },
    { kind: 'factor', layer: '/a "b"/\\é', method: 'svd', ranks: [7] },
    { kind: 'factor', layer: '__proto__', method: 'cp3', ranks: [5] },
    { kind: 'dense', layer: 'fc', reason: 'It has 3 "channels".' },
  ],
};

test('a plan comes back from its text as it was, and its text from the plan', () => {
  const text = printPlanFile(PLAN);
  const { plan, problems } = parsePlanFile(text);
  assert.deepEqual(problems, []);
  assert.deepEqual(plan, PLAN);
  assert.equal(printPlanFile(plan!), text);
  assert.deepEqual(parsePlanFile(printPlanFile({ ...PLAN, layers: [] })).plan?.layers, []);
});

test('the data behind a plan comes back, and what is wrong with it has its place', () => {
  const calibration = {
    file: 'pictures "1"',
    sha256: 'cd34',
    mean: [0.485, 0.456, 0.406],
    std: [],
    samples: 1024,
    options: ['--fit', 'stretch'],
  };
  const plan: PlanFile = { ...PLAN, sensitivity: 'measured', calibration };
  const text = printPlanFile(plan);
  assert.deepEqual(parsePlanFile(text), { ...parsePlanFile(text), plan, problems: [] });
  assert.equal(text.split('\n').length, printPlanFile(PLAN).split('\n').length);
  for (const [from, to, message] of [
    ['"std":[]', '"std":[0]', /"std" is a list of positive numbers/],
    ['"mean":[0.485', '"mean":["a"', /"mean" is a list of numbers/],
    ['"samples":1024', '"samples":0.5', /at least 1/],
    ['{"file":', '{"path":', /"file" is missing/],
    ['"options":["--fit"', '"options":[3', /a list of texts/],
  ] as const) {
    const wrong = text.replace(from, to);
    assert.notEqual(wrong, text);
    const { plan: none, problems } = parsePlanFile(wrong);
    assert.equal(none, undefined);
    assert.ok(
      problems.some((problem) => message.test(problem.message)),
      from,
    );
    const line = wrong.indexOf('"calibration"');
    for (const { offset } of problems) assert.ok(offset > line && offset < wrong.indexOf('"seed"'), from);
  }
  const { problems } = parsePlanFile(
    printPlanFile(PLAN).replace('"calibration": null', '"calibration": true'),
  );
  assert.match(problems[0]!.message, /^The calibration is null, or/);
});

test('a layer is a line: a change of one is a change of one line', () => {
  const [before, after] = [PLAN, { ...PLAN, layers: PLAN.layers.slice(0, 3) }].map((plan) =>
    printPlanFile(plan).split('\n'),
  ) as [string[], string[]];
  assert.equal(before.length, after.length + 1);
  assert.equal(before.filter((line) => line.includes('"ranks"')).length, 3);
});

test('places are those of the parts in the text', () => {
  const text = printPlanFile(PLAN);
  const { places } = parsePlanFile(text);
  const at = ({ offset, length }: { offset: number; length: number }) => text.slice(offset, offset + length);
  const conv = places.get('conv1')!;
  assert.equal(at(conv.name), '"conv1"');
  assert.equal(at(conv.method!), '"tucker2"');
  assert.equal(at(conv.ranks!), '[16, 24]');
  assert.equal(at(places.get('fc')!.entry), '{ "dense": "It has 3 \\"channels\\"." }');
});

test('what can be read of a text with problems is there', () => {
  const { plan, layers } = parsePlanFile(printPlanFile(PLAN).replace('[16, 24]', '[]'));
  assert.equal(plan, undefined);
  assert.deepEqual(
    layers,
    PLAN.layers.filter(({ layer }) => layer !== 'conv1'),
  );
});

/** A change of the text, what is said of it, and the piece it is said of. */
const wrong: readonly (readonly [string, (text: string) => string, RegExp, RegExp])[] = [
  ['no JSON', (t) => t.replace(':', ''), /not JSON/, /./],
  ['a comment', (t) => t.replace('{', '{ // why\n'), /not JSON/, /\/\/ why/],
  ['a trailing comma', (t) => t.replace('channels\\"." }', 'channels\\"." },'), /not JSON/, /./],
  ['no object', () => '[]', /is a JSON object/, /\[\]/],
  ['an empty text', () => '', /not JSON|JSON object/, /^/],
  ['another version', (t) => t.replace('"version": 1', '"version": 2'), /version 2; only version 1/, /^2$/],
  ['a seed without a value', (t) => t.replace('"seed": 7', '"seed":'), /"seed" has no value/, /^"seed"$/],
  ['no goal', (t) => t.replace('  "goal": "macs=0.5",\n', ''), /"goal" is missing/, /^\{$/],
  ['an unknown goal', (t) => t.replace('macs=0.5', 'half'), /"half" is no goal/, /^"half"$/],
  ['a goal that is no text', (t) => t.replace('"macs=0.5"', '3'), /"goal" is a text/, /^3$/],
  ['an unknown method', (t) => t.replace('tucker2', 'tucker3'), /"tucker3" is no method/, /^"tucker3"$/],
  ['ranks of 0', (t) => t.replace('[16, 24]', '[16, 0]'), /whole numbers of at least 1/, /^\[16, 0\]$/],
  ['no ranks', (t) => t.replace('[16, 24]', '[]'), /whole numbers of at least 1/, /^\[\]$/],
  ['ranks that are no list', (t) => t.replace('[16, 24]', '16'), /"ranks" is a list/, /^16$/],
  ['a rank that is no number', (t) => t.replace('[16, 24]', '["16"]'), /whole numbers/, /^\["16"\]$/],
  [
    'a member nobody knows',
    (t) => t.replace('"multiple"', '"multible"'),
    /"multible" is not known|"multiple" is missing/,
    /./,
  ],
  [
    'a layer that is no object',
    (t) => t.replace('{ "method": "svd", "ranks": [7] }', '7'),
    /A layer is \{/,
    /^7$/,
  ],
  ['a layer that is there twice', (t) => t.replace('"fc"', '"conv1"'), /"conv1" is there twice/, /^"conv1"$/],
  ['a sensitivity nobody knows', (t) => t.replace('"early"', '"late"'), /null or one of uniform/, /^"late"$/],
  ['a seed below 0', (t) => t.replace('"seed": 7', '"seed": -1'), /seed is a whole number/, /^-1$/],
  [
    'a calibration',
    (t) => t.replace('"calibration": null', '"calibration": 3'),
    /calibration is null/,
    /^3$/,
  ],
  [
    'a multiple of a half',
    (t) => t.replace('"multiple": 8', '"multiple": 0.5'),
    /multiple of the ranks/,
    /^0\.5$/,
  ],
];

for (const [name, change, sentence, piece] of wrong) {
  test(`refused with a sentence and its place: ${name}`, () => {
    const text = change(printPlanFile(PLAN));
    const { plan, problems } = parsePlanFile(text);
    assert.equal(plan, undefined);
    const found = problems.find(({ message }) => sentence.test(message));
    assert.ok(found, JSON.stringify(problems));
    assert.match(text.slice(found.offset, found.offset + found.length), piece);
  });
}

test('the plan stands beside the model', () => {
  assert.equal(planPath('a/net.onnx'), 'a/net.ranks.json');
  assert.equal(planPath('a/NET.ONNX'), 'a/NET.ranks.json');
  assert.equal(planPath('a/net'), 'a/net.ranks.json');
});

test('the schema that the editor checks with names the same members, methods and version', () => {
  const schema = JSON.parse(readFileSync('media/plan.schema.json', 'utf8'));
  const written = JSON.parse(printPlanFile(PLAN));
  assert.deepEqual(Object.keys(schema.properties), Object.keys(written));
  assert.deepEqual(schema.required, Object.keys(written));
  assert.equal(schema.properties.version.const, written.version);
  const { method } = schema.definitions.factored.properties;
  // No enum: VS Code would offer all of its values beside those that our own completion knows to fit.
  assert.equal(method.pattern, `^(${METHOD_IDS.join('|')})$`);
  const described = [...method.markdownDescription.matchAll(/^- `(.+)`: \w/gm)].map(([, name]) => name);
  assert.deepEqual(described, METHOD_IDS);
  assert.deepEqual(schema.properties.sensitivity.enum, [null, ...Object.keys(SENSITIVITIES), 'measured']);
  const { calibration } = schema.properties;
  const members = ['file', 'sha256', 'mean', 'std', 'samples', 'options'];
  assert.deepEqual([Object.keys(calibration.properties), calibration.required], [members, members]);
  for (const goal of ['parameters=0.5', 'macs=.5', 'energy=0.95', 'rank=32']) {
    assert.match(goal, new RegExp(schema.properties.goal.pattern));
  }
});
