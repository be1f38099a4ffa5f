import assert from 'node:assert/strict';
import { appendFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { METHOD_IDS, type MethodId } from '../../src/core/compress/method';
import type { LayerPlan } from '../../src/core/compress/plan';
import type { PlanFile } from '../../src/core/compress/planFile';
import type { LayerReview, PlanReview, PlanSetting } from '../../src/core/compress/planReview';
import { createCheckedSession, type Session } from '../support/checkedSession';
import { encodeModel, floatTensor } from '../support/onnxModel';
import { SAMPLE, scratchSample, writeInto } from '../support/scratch';

const DIST = path.resolve('dist');
/** Layers of the sample by their full names. */
const FC = '/fc1/Gemm';
const conv = (n: string) => `/features/features.${n}/features.${n}.0/Conv`;

const newSession = () =>
  createCheckedSession({ folder: DIST, threadScript: path.join(DIST, 'factorThread.js') });

let session: Session;
let plan: PlanFile;
before(async () => {
  session = newSession();
  const target = { kind: 'macs', share: 0.5 } as const;
  plan = (await session.plan({ path: SAMPLE, target, method: 'auto' })).plan;
});
after(() => session.close());

const review = (edited: PlanFile, measure = true) => session.review({ path: SAMPLE, plan: edited, measure });

/** The plan with another entry for a layer. */
function withLayer(entry: LayerPlan, from = plan): PlanFile {
  const others = from.layers.filter(({ layer }) => layer !== entry.layer);
  return { ...from, layers: [...others, entry] };
}

const factored = (layer: string, method: MethodId, ...ranks: number[]): LayerPlan => ({
  kind: 'factor',
  layer,
  method,
  ranks,
});

function layerOf({ layers }: PlanReview, name: string): LayerReview {
  return layers.find(({ layer }) => layer === name)!;
}

describe('a review of a plan', () => {
  it('tells at once what needs no weights', async () => {
    const other = newSession();
    try {
      const wrong = withLayer({ kind: 'dense', layer: 'nobody', reason: '' });
      const found = await other.review({ path: SAMPLE, plan: wrong, measure: false });
      assert.equal(found.isMeasured, false);
      assert.equal(found.weightError, null);
      assert.deepEqual(
        found.remarks.map(({ code, layer, severity }) => [code, layer, severity]),
        [['unknown-layer', 'nobody', 'error']],
      );
      assert.ok(found.layers.every(({ planned }) => planned === undefined || planned.error === null));
      const measured = await other.review({ path: SAMPLE, plan: wrong, measure: true });
      assert.deepEqual(measured.after, found.after);
      assert.ok(measured.isMeasured);
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

  it('has nothing to say of what the planner made, and gives the figures of the planner', async () => {
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

  it('gives the amounts and errors that the written file has', async () => {
    const output = `${scratchSample()}.small.onnx`;
    const report = await session.compress({
      path: SAMPLE,
      output,
      plan,
      target: plan.goal,
      method: 'auto',
      overwrite: false,
    });
    const found = await review(plan);
    assert.equal(report.compressed.parameters, found.after.parameters);
    assert.equal(report.compressed.macs, found.after.macs);
    for (const { name, parameters, weightError } of report.layers) {
      if (weightError === null) continue;
      const { error, cost } = layerOf(found, name).planned!;
      assert.equal(parameters.after, cost.parameters);
      // Tucker-2's is an upper bound, the others' are exact but for the rounding of what is written.
      assert.ok(weightError <= error! * (1 + 1e-4) + 1e-6, `${name}: ${weightError}, not ${error}`);
    }
  });

  const wrong: readonly (readonly [string, LayerPlan, string, string, RegExp])[] = [
    [
      'a rank above break-even',
      factored(FC, 'svd', 500),
      'larger',
      'ranks',
      /^Rank 500 makes the layer larger.*1\.18 M → .*It saves up to rank 4\d\d\.$/,
    ],
    ['a rank that there is not', factored(FC, 'svd', 5000), 'bad-ranks', 'ranks', /at most 512/],
    ['too many ranks', factored(FC, 'svd', 5, 5), 'bad-ranks', 'ranks', /takes one rank/],
    ['a method for something else', factored(FC, 'spatial', 5), 'bad-method', 'method', /for convolutions/],
    ['a layer nobody knows', factored('fc9', 'svd', 5), 'unknown-layer', 'name', /no layer "fc9"/],
    [
      'a rank too low for the goal',
      factored(conv('8'), 'spatial', 2),
      'below-goal',
      'ranks',
      /^Rank 2 has an error of \d[\d.]* %, more than the goal asks for/,
    ],
  ];
  for (const [name, entry, code, part, sentence] of wrong) {
    it(`finds ${name}`, async () => {
      const { remarks } = await review(withLayer(entry));
      const found = remarks.filter(({ layer }) => layer === entry.layer);
      assert.deepEqual(
        found.map((remark) => [remark.code, remark.part]),
        [[code, part]],
      );
      assert.match(found[0]!.message, sentence);
    });
  }

  it('finds a method that wastes', async () => {
    const loose: PlanFile = { ...plan, goal: { kind: 'energy', energy: 0.3 } };
    const { remarks } = await review(withLayer(factored(conv('8'), 'dcf', 3), loose));
    const found = remarks.find(({ layer }) => layer === conv('8'))!;
    assert.deepEqual([found.code, found.part, found.severity], ['better', 'ranks', 'information']);
    assert.match(
      found.message,
      /^[a-z0-9-]+ with ranks? [\d ×]+ costs no more and has an error of [\d.]+ % instead of 78\.8 %\.$/,
    );
  });

  it('offers what would do away with a remark', async () => {
    const loose: PlanFile = { ...plan, goal: { kind: 'energy', energy: 0.3 } };
    const edits = [
      [plan, factored(conv('8'), 'spatial', 2)],
      [loose, factored(conv('8'), 'dcf', 3)],
    ] as const;
    for (const [from, entry] of edits) {
      const { remarks } = await review(withLayer(entry, from));
      const { fix } = remarks.find(({ layer }) => layer === entry.layer)!;
      assert.ok(fix?.kind === 'factor');
      const { method, ranks } = fix.setting;
      const after = await review(withLayer(factored(entry.layer, method, ...ranks), from));
      assert.deepEqual(layerOf(after, entry.layer).planned, fix.setting);
      assert.ok(!after.remarks.some(({ layer }) => layer === entry.layer));
    }
  });

  it('says that an energy is not kept', async () => {
    const energy = { kind: 'energy', energy: 0.9 } as const;
    const made = (await session.plan({ path: SAMPLE, target: energy, method: 'auto' })).plan;
    assert.deepEqual(
      (await review(made)).remarks.filter(({ code }) => code === 'below-goal'),
      [],
    );
    const { remarks } = await review(withLayer(factored(FC, 'svd', 3), made));
    assert.match(
      remarks.find(({ layer }) => layer === FC)!.message,
      /^Rank 3 keeps .* of the energy.*the goal is 90 %/,
    );
  });

  it('says that the plan misses its goal, and that the goal is out of reach', async () => {
    const dense = plan.layers.map(({ layer }): LayerPlan => ({ kind: 'dense', layer, reason: 'No.' }));
    const { remarks } = await review({ ...plan, layers: dense });
    assert.deepEqual(remarks, [
      {
        code: 'misses-goal',
        severity: 'warning',
        part: 'goal',
        message: 'This plan leaves 100 % of the MACs; its goal is 50 %.',
      },
    ]);
    const goal = { kind: 'macs', share: 0.001 } as const;
    const far = await review({ ...plan, goal });
    assert.match(
      far.remarks.find(({ part }) => part === 'goal')!.message,
      /its goal is 0\.1 %\. .*can't be reached/,
    );
  });

  it('tells the plan of another version of the model, and follows the file', async () => {
    const file = scratchSample();
    const before = await session.review({ path: file, plan, measure: true });
    assert.deepEqual(before.remarks, []);
    // An unknown field at the end of the message: still a model, but not the same file.
    appendFileSync(file, Uint8Array.of(0xfa, 0x7f, 0x01, 0x00));
    const [remark] = (await session.review({ path: file, plan, measure: true })).remarks;
    assert.deepEqual([remark?.code, remark?.severity, remark?.part], ['other-model', 'error', 'model']);
  });

  it('knows the error of methods that have to be tried', async () => {
    const found = await review(withLayer(factored(conv('6'), 'cp3', 40)));
    const { planned, breakEven } = layerOf(found, conv('6'));
    assert.ok(planned!.error! > 0 && planned!.error! < 1);
    assert.ok(breakEven! > 40);
  });

  it('knows of every layer the methods that fit it', async () => {
    const found = await review(plan);
    assert.deepEqual(layerOf(found, FC).methods, ['svd', 'tt', 'tr']);
    for (const method of layerOf(found, conv('8')).methods) assert.ok(METHOD_IDS.includes(method));
  });

  it('ends when it is cancelled', async () => {
    const other = newSession();
    try {
      const abort = new AbortController();
      const running = other.review({ path: SAMPLE, plan, measure: true }, { signal: abort.signal });
      abort.abort(new DOMException('No.', 'AbortError'));
      await assert.rejects(running, { name: 'AbortError' });
      assert.ok((await other.review({ path: SAMPLE, plan, measure: true })).isMeasured);
    } finally {
      await other.close();
    }
  });
});

describe('the explanation of a setting', () => {
  const explain = (layer: string, method: MethodId, ...ranks: number[]) =>
    session.explain({ path: SAMPLE, layer, method, ranks, foldNorms: true });

  it('has a curve for each rank, from everything lost to nothing', async () => {
    const { curves, setting, table } = await explain(conv('8'), 'tucker2', 48, 96);
    assert.deepEqual(
      curves.map(({ rankName, rank }) => [rankName, rank]).map(([, rank]) => rank),
      [48, 96],
    );
    for (const { points, fullRank, evbmf } of curves) {
      assert.deepEqual([points[0]!.rank, points[0]!.error], [0, 1]);
      assert.deepEqual([points.at(-1)!.rank, Math.round(1e6 * points.at(-1)!.error)], [fullRank, 0]);
      assert.ok(points.length <= 200);
      assert.ok(points.every(({ error }, i) => i === 0 || error <= points[i - 1]!.error));
      assert.ok(evbmf === null || (evbmf >= 1 && evbmf < fullRank));
    }
    // Each of the two cuts alone loses less than both together.
    assert.ok(setting.error! > 0);
    assert.ok(table.some(({ ranks }) => String(ranks) === '48,96'));
  });

  it('has the curve that the singular values give', async () => {
    const { error } = await session.spectrum({ path: SAMPLE, layer: FC });
    const { curves, setting, breakEven } = await explain(FC, 'svd', 32);
    for (const { rank, error: there } of curves[0]!.points) assert.ok(Math.abs(there - error[rank]!) < 1e-12);
    assert.ok(Math.abs(setting.error! - error[32]!) < 1e-12);
    assert.ok(breakEven! > 32);
  });

  it('has a table of worthwhile settings, dearer ones with smaller errors', async () => {
    const { table } = await explain(conv('6'), 'spatial', 32);
    assert.ok(table.length >= 3 && table.length <= 9);
    for (const [i, { cost, error }] of table.entries()) {
      if (i === 0) continue;
      assert.ok(cost.parameters > table[i - 1]!.cost.parameters);
      assert.ok(error! < table[i - 1]!.error!);
    }
  });

  it('refuses what does not fit', async () => {
    await assert.rejects(explain(FC, 'spatial', 3), {
      code: 'bad-plan',
      message: /fc1.*convolutions/,
    });
    await assert.rejects(explain(FC, 'svd', 3000), { code: 'bad-plan', message: /at most/ });
    await assert.rejects(explain('fc', 'svd', 3), { code: 'unknown-layer', message: /fc1/ });
  });
});

describe('a comparison of methods', () => {
  const compare = (layer: string, share: number, measure: 'parameters' | 'macs' = 'parameters') =>
    session.compare({
      path: SAMPLE,
      layer,
      methods: METHOD_IDS,
      measure,
      share,
      multiple: 16,
      foldNorms: true,
    });

  it('gives each method at its best within the budget, or why not', async () => {
    const offers = await compare(conv('6'), 0.4);
    assert.deepEqual(
      offers.map(({ method }) => method),
      METHOD_IDS,
    );
    const { dense } = layerOf(await review(plan), conv('6'));
    const fitting = offers.flatMap((offer) => (offer.kind === 'fits' ? [offer.setting] : []));
    assert.ok(fitting.length >= 6);
    for (const { cost, error } of fitting) {
      assert.ok(cost.parameters <= 0.4 * dense.parameters + 256);
      assert.ok(error! > 0 && error! < 1);
    }
    assert.match(refusal(offers, 'svd'), /it is called channel/);
  });

  it('loses more the smaller the budget', async () => {
    const byShare = await Promise.all([0.2, 0.5].map((share) => compare(conv('8'), share, 'macs')));
    const [small, large] = byShare.map((offers) => {
      const offer = offers.find(({ method }) => method === 'spatial')!;
      assert.ok(offer.kind === 'fits');
      return offer.setting;
    }) as [PlanSetting, PlanSetting];
    assert.ok(small.error! > large.error!);
    assert.ok(small.cost.macs! < large.cost.macs!);
  });

  it('says so when a budget is out of reach', async () => {
    assert.match(refusal(await compare(conv('8'), 0.0001), 'spatial'), /Even its lowest ranks/);
  });

  function refusal(offers: Awaited<ReturnType<typeof compare>>, method: MethodId): string {
    const offer = offers.find((each) => each.method === method)!;
    return offer.kind === 'refused' ? offer.reason : '';
  }
});

describe('the trade-off of the sample', () => {
  it('has the plan of a budget next to it, and the same before and after', async () => {
    const { unit, before, points } = await session.tradeOff({ path: SAMPLE, unit: 'macs' });
    const reviewed = await review(plan);
    assert.equal(unit, 'macs');
    assert.equal(before, reviewed.before.macs);
    assert.equal(points.at(-1)!.cost, before);
    assert.equal(points.at(-1)!.weightError, 0);
    const affordable = points.findLast(({ cost }) => cost <= 0.5 * before)!;
    assert.ok(affordable && reviewed.after.macs! <= 0.5 * before);
    // The solver fills what the points leave open.
    assert.ok(Math.abs(affordable.weightError - reviewed.weightError!) < 0.1);
  });

  it('is refused for MACs that are not known', async () => {
    const model = encodeModel({
      inputs: { x: ['n', 'm', 64] },
      outputs: { y: ['n', 'm', 48] },
      initializers: [
        floatTensor(
          'w',
          [64, 48],
          Float32Array.from({ length: 64 * 48 }, (_, i) => Math.sin(i * i)),
        ),
      ],
      nodes: [{ op: 'MatMul', inputs: ['x', 'w'], outputs: ['y'] }],
    });
    const file = writeInto(path.dirname(scratchSample()), 'open.onnx', model);
    await assert.rejects(session.tradeOff({ path: file, unit: 'macs' }), /MACs are not known/);
    const { points } = await session.tradeOff({ path: file, unit: 'parameters' });
    assert.ok(points.length > 1);
  });
});

describe('what a plan is predicted to come to', () => {
  it('is what the written file comes to: parameters, MACs, bytes of constants, peak of activations', async () => {
    const output = path.join(path.dirname(scratchSample()), 'small.onnx');
    const { compressed, original } = await session.compress({
      path: SAMPLE,
      output,
      target: plan.goal,
      method: 'auto',
      plan,
      overwrite: true,
    });
    const { before, after, savedBytes, activations } = await review(plan);
    assert.equal(after.parameters, compressed.parameters);
    assert.equal(after.macs, compressed.macs);
    assert.equal(activations, compressed.activationBytes);
    assert.equal(savedBytes, 4 * (before.parameters - after.parameters));
    // Names of nodes and tensors come on top.
    const others = compressed.bytes - (original.bytes - savedBytes!);
    assert.ok(others >= 0 && others < 8192, String(others));
  });
});
