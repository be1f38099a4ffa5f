import assert from 'node:assert/strict';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { PlanFile } from '../../src/core/compress/planFile';
import type { LayerReview, PlanReview } from '../../src/core/compress/planReview';
import { createSession, type Session } from '../../src/worker/session';

const SAMPLE = path.resolve('media/sample/fashion-vgg.onnx');
const DIST = path.resolve('dist');

describe('a plan that is being edited', () => {
  let session: Session;
  let plan: PlanFile;
  before(async () => {
    session = createSession({ folder: DIST, threadScript: path.join(DIST, 'factorThread.js') });
    const target = { kind: 'macs', share: 0.5 } as const;
    plan = (await session.plan({ path: SAMPLE, target, method: 'auto' })).plan;
  });
  after(() => session.close());

  const review = (edited: PlanFile, measure = true) =>
    session.review({ path: SAMPLE, plan: edited, measure });
  const layerOf = ({ layers }: PlanReview, name: string): LayerReview =>
    layers.find(({ layer }) => layer === name)!;

  it('is told at once what needs no weights', async () => {
    const other = createSession({ folder: DIST, threadScript: path.join(DIST, 'factorThread.js') });
    try {
      const wrong = {
        ...plan,
        layers: [...plan.layers, { kind: 'dense', layer: 'nobody', reason: '' } as const],
      };
      const found = await other.review({ path: SAMPLE, plan: wrong, measure: false });
      assert.equal(found.isMeasured, false);
      assert.equal(found.weightError, null);
      assert.deepEqual(
        found.remarks.map(({ code, layer }) => [code, layer]),
        [['unknown-layer', 'nobody']],
      );
      assert.ok(found.layers.every(({ planned }) => planned === undefined || planned.error === null));
    } finally {
      await other.close();
    }
  });

  it('keeps the errors of the other layers while a method is tried that nobody has measured yet', async () => {
    await review(plan);
    const [entry] = plan.layers.filter(({ kind }) => kind === 'factor');
    const tried = { kind: 'factor', layer: entry!.layer, method: 'cp3', ranks: [7] } as const;
    const edited = { ...plan, layers: plan.layers.map((each) => (each === entry ? tried : each)) };
    const quick = await review(edited, false);
    assert.equal(quick.isMeasured, false);
    assert.equal(quick.weightError, null);
    assert.equal(layerOf(quick, tried.layer).planned!.error, null);
    for (const { layer, planned, advice } of quick.layers) {
      assert.ok(advice, layer);
      if (layer !== tried.layer && planned) assert.ok(planned.error! > 0, layer);
    }
    const whole = await review(edited);
    assert.equal(whole.isMeasured, true);
    assert.ok(layerOf(whole, tried.layer).planned!.error! > 0);
    assert.ok(whole.weightError! > 0);
    assert.deepEqual(
      whole.layers.filter(({ layer }) => layer !== tried.layer),
      quick.layers.filter(({ layer }) => layer !== tried.layer),
    );
  });

  it('has nothing to be said of when the planner made it, and gives what the planner said', async () => {
    const found = await review(plan);
    assert.deepEqual(found.remarks, []);
    const proposal = await session.plan({ path: SAMPLE, target: plan.goal, method: 'auto' });
    assert.equal(found.after.parameters, proposal.parameters.after);
    assert.equal(found.after.macs, proposal.macs.after);
    assert.ok(Math.abs(found.weightError! - proposal.weightError) < 1e-12);
    for (const entry of plan.layers) {
      const { advice, planned } = layerOf(found, entry.layer);
      if (entry.kind === 'dense') assert.equal(planned, undefined);
      else assert.deepEqual(advice, { kind: 'factor', setting: planned });
    }
  });
});
