import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parsePlanFile } from '../../src/core/compress/parsePlanFile';
import type { LayerPlan } from '../../src/core/compress/plan';
import { editedText, entryEdit, entryEdits, planEdits, removalEdit } from '../../src/core/compress/planEdits';
import { type PlanFile, printPlanFile } from '../../src/core/compress/planFile';

const PLAN: PlanFile = {
  model: { file: 'net.onnx', sha256: 'ab12' },
  goal: { kind: 'macs', share: 0.5 },
  multiple: 8,
  sensitivity: 'early',
  calibration: null,
  seed: 1,
  foldNorms: true,
  layers: [
    { kind: 'factor', layer: 'conv "1"', method: 'tucker2', ranks: [16, 24] },
    { kind: 'dense', layer: 'fc', reason: 'It is small.' },
  ],
};
const ENTRY: LayerPlan = { kind: 'factor', layer: 'new', method: 'svd', ranks: [7] };

const minified = (plan: PlanFile) => JSON.stringify(JSON.parse(printPlanFile(plan)));

const edited = (text: string, entry: LayerPlan) =>
  editedText(text, [entryEdit(text, parsePlanFile(text), entry)!]);

describe('an edit of an entry', () => {
  it('gives the text of the plan with that entry, also in an empty plan', () => {
    for (const layers of [PLAN.layers, []]) {
      const text = printPlanFile({ ...PLAN, layers });
      assert.equal(edited(text, ENTRY), printPlanFile({ ...PLAN, layers: [...layers, ENTRY] }));
    }
    const changed: LayerPlan = { kind: 'dense', layer: 'conv "1"', reason: 'why not' };
    assert.equal(
      edited(printPlanFile(PLAN), changed),
      printPlanFile({ ...PLAN, layers: [changed, PLAN.layers[1]!] }),
    );
  });

  it('leaves alone how the rest is written', () => {
    const text = JSON.stringify(JSON.parse(printPlanFile(PLAN)), null, '\t');
    const after = edited(text, { ...ENTRY, layer: 'fc' });
    assert.deepEqual(parsePlanFile(after).plan?.layers[1], { ...ENTRY, layer: 'fc' });
    assert.equal(after.split('\n').slice(0, 5).join(), text.split('\n').slice(0, 5).join());
    assert.deepEqual(parsePlanFile(edited(text, ENTRY)).plan?.layers, [...PLAN.layers, ENTRY]);
  });

  it('is possible where another entry is broken', () => {
    const text = printPlanFile(PLAN).replace('"tucker2"', '"nonsense"');
    assert.match(edited(text, { ...ENTRY, layer: 'fc' }), /"fc": \{ "method": "svd", "ranks": \[7\] \}/);
  });

  it('is none where there is nothing to put it into', () => {
    for (const text of ['', '[]', '{}', '{ "layers": 3 }'])
      assert.equal(entryEdit(text, parsePlanFile(text), ENTRY), undefined);
  });
});

describe('edits of several entries', () => {
  it('are those of the entries one after the other', () => {
    const changed: LayerPlan = { kind: 'dense', layer: 'fc', reason: 'why not' };
    const entries = [ENTRY, changed, { ...ENTRY, layer: 'newer' }];
    for (const text of [printPlanFile(PLAN), printPlanFile({ ...PLAN, layers: [] }), minified(PLAN)]) {
      const edits = entryEdits(text, parsePlanFile(text), entries)!;
      const wanted = entries.reduce(edited, text);
      assert.deepEqual(parsePlanFile(editedText(text, edits)).plan, parsePlanFile(wanted).plan);
      const sorted = [...edits].sort((a, b) => a.offset - b.offset);
      for (const [i, { offset, length }] of sorted.entries())
        assert.ok(offset + length <= (sorted[i + 1]?.offset ?? text.length), 'no edit overlaps the next');
    }
  });
});

describe('the removal of an entry', () => {
  it('gives the text of the plan without it', () => {
    for (const name of PLAN.layers.map(({ layer }) => layer)) {
      const text = printPlanFile(PLAN);
      const without = { ...PLAN, layers: PLAN.layers.filter(({ layer }) => layer !== name) };
      const one = editedText(text, [removalEdit(text, parsePlanFile(text), name)!]);
      assert.equal(one, printPlanFile(without));
      const last = without.layers[0]!.layer;
      const none = editedText(one, [removalEdit(one, parsePlanFile(one), last)!]);
      assert.equal(none, printPlanFile({ ...PLAN, layers: [] }));
    }
  });

  it('undoes an addition, however the text is written', () => {
    for (const text of [
      printPlanFile(PLAN),
      minified(PLAN),
      JSON.stringify(JSON.parse(minified(PLAN)), null, 4),
    ]) {
      const more = edited(text, ENTRY);
      const back = editedText(more, [removalEdit(more, parsePlanFile(more), ENTRY.layer)!]);
      assert.deepEqual(parsePlanFile(back).plan, PLAN);
      assert.equal(back.replace(/\s/g, ''), text.replace(/\s/g, ''));
    }
  });

  it('is none where there is no such entry', () => {
    const text = printPlanFile(PLAN);
    assert.equal(removalEdit(text, parsePlanFile(text), 'nobody'), undefined);
  });
});

describe('edits towards another plan', () => {
  it('touch the lines that differ', () => {
    const text = printPlanFile(PLAN);
    const other: PlanFile = {
      ...PLAN,
      goal: { kind: 'macs', share: 0.25 },
      layers: [PLAN.layers[0]!, { ...ENTRY, layer: 'fc' }],
    };
    const edits = planEdits(text, other);
    assert.equal(edits.length, 2);
    assert.equal(editedText(text, edits), printPlanFile(other));
    assert.deepEqual(planEdits(text, PLAN), []);
  });

  it('touch the lines from the first to the last that differs where layers come or go', () => {
    const most: PlanFile = { ...PLAN, layers: [PLAN.layers[0]!, ENTRY, PLAN.layers[1]!] };
    const none: PlanFile = { ...PLAN, layers: [] };
    for (const from of [PLAN, most, none]) {
      for (const to of [PLAN, most, none]) {
        const text = printPlanFile(from);
        assert.equal(editedText(text, planEdits(text, to)), printPlanFile(to));
      }
    }
    const [edit, ...others] = planEdits(printPlanFile(PLAN), most);
    assert.deepEqual(others, []);
    assert.ok(edit!.text.startsWith('    "new": ') && edit!.length < 80);
    for (const text of [printPlanFile(PLAN).trimEnd(), `${printPlanFile(PLAN)}\n\n`, ''])
      assert.equal(editedText(text, planEdits(text, most)), printPlanFile(most));
  });

  it('keep the ends of lines', () => {
    const crlf = (plan: PlanFile) => printPlanFile(plan).replaceAll('\n', '\r\n');
    assert.deepEqual(planEdits(crlf(PLAN), PLAN), []);
    for (const layers of [[ENTRY], [PLAN.layers[0]!, { ...ENTRY, layer: 'fc' }]]) {
      const other = { ...PLAN, layers };
      assert.equal(editedText(crlf(PLAN), planEdits(crlf(PLAN), other)), crlf(other));
    }
  });

  it('replace a text of another form as a whole', () => {
    const text = JSON.stringify(JSON.parse(printPlanFile(PLAN)));
    assert.equal(editedText(text, planEdits(text, PLAN)), printPlanFile(PLAN));
  });
});
