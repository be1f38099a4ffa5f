import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { LayerPlan } from '../../src/core/compress/plan';
import { entryEdit, type PlanEdit, planEdits } from '../../src/core/compress/planEdits';
import { type PlanFile, parsePlanFile, printPlanFile } from '../../src/core/compress/planFile';

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

function applied(text: string, edits: readonly PlanEdit[]): string {
  let out = text;
  for (const { offset, length, text: piece } of [...edits].sort((a, b) => b.offset - a.offset))
    out = out.slice(0, offset) + piece + out.slice(offset + length);
  return out;
}

const edited = (text: string, entry: LayerPlan) =>
  applied(text, [entryEdit(text, parsePlanFile(text), entry)!]);

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
    assert.equal(applied(text, edits), printPlanFile(other));
    assert.deepEqual(planEdits(text, PLAN), []);
  });

  it('replace a text of another form as a whole', () => {
    const text = JSON.stringify(JSON.parse(printPlanFile(PLAN)));
    assert.equal(applied(text, planEdits(text, PLAN)), printPlanFile(PLAN));
  });
});
