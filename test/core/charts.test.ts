import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { tradeOff } from '../../src/core/compress/budget/tradeOff';
import type { ErrorCurve } from '../../src/core/compress/planReview';
import { barPicture } from '../../webview/charts/barPicture';
import { interpolate, linearScale, ticks } from '../../webview/charts/scale';
import type { Picture, Shape } from '../../webview/charts/shape';
import { errorAt, spectrumChart, spectrumFrame } from '../../webview/charts/spectrumChart';
import { pointWithin, tradeOffChart, tradeOffFrame } from '../../webview/charts/tradeOffChart';
import { fill } from '../../webview/fill';
import { chartSummary, tradeOffSummary } from '../../webview/report/summaries';
import { layersOf, options, overviewOf, texts, totals } from '../support/reportSample';

const all = (shapes: readonly Shape[]): readonly Shape[] =>
  shapes.flatMap((shape) => [shape, ...all(shape.children ?? [])]);

/** The numbers of a picture that are places. */
function places({ shapes }: Picture): { x: number; y: number }[] {
  return all(shapes).flatMap(({ attributes: of }) => {
    const pairs = [
      [of.x, of.y],
      [of.x1, of.y1],
      [of.x2, of.y2],
      [of.cx, of.cy],
      ...String(of.points ?? '')
        .split(' ')
        .filter(Boolean)
        .map((pair) => pair.split(',')),
    ];
    return pairs.filter(([x]) => x !== undefined).map(([x, y]) => ({ x: Number(x), y: Number(y) }));
  });
}

describe('a scale', () => {
  it('goes there and back, and not beyond its ends', () => {
    for (const [from, to, start, end] of [
      [0, 128, 40, 300],
      [1, 0, 10, 90],
      [0.2, 1, 300, 20],
    ] as const) {
      const { at, of } = linearScale(from, to, start, end);
      for (let k = 0; k <= 10; k++) {
        const value = from + ((to - from) * k) / 10;
        assert.ok(Math.abs(of(at(value)) - value) < 1e-9);
      }
      assert.equal(at(from), start);
      assert.equal(at(to), end);
      assert.equal(of(start - 50 * Math.sign(end - start)), from);
      assert.equal(at(to + (to - from)), end);
    }
    assert.equal(linearScale(3, 3, 10, 20).at(3), 10, 'without a length everything stands at its start');
  });

  it('has round ticks, no more than there is room for, none beyond its ends', () => {
    for (const to of [1, 7, 10, 63, 128, 511, 1000, 4096, 0.35, 1e-3, 123_456]) {
      for (const most of [1, 2, 3, 5, 8, 20]) {
        const found = ticks(0, to, most);
        assert.ok(found.length >= 1 && found.length <= most, `${to} ${most}: ${found}`);
        assert.equal(found[0], 0);
        assert.ok(found.at(-1)! <= to * (1 + 1e-9));
        const step = found.length > 1 ? found[1]! : undefined;
        if (step !== undefined) assert.match(step.toExponential(), /^[125]e/, `${to} ${most}: ${found}`);
        for (const [i, value] of found.entries()) if (step) assert.ok(Math.abs(value - i * step) < 1e-9 * to);
      }
    }
    assert.deepEqual(ticks(0, 1, 6), [0, 0.2, 0.4, 0.6, 0.8, 1]);
    assert.deepEqual(ticks(5, 5, 4), [5]);
  });

  it('reads a line through points', () => {
    const points = [
      [0, 1],
      [4, 0.5],
      [8, 0],
    ] as const;
    assert.deepEqual(
      [0, 2, 4, 6, 8, 9].map((x) => interpolate(points, x)),
      [1, 0.75, 0.5, 0.25, 0, 0],
    );
    assert.ok(Number.isNaN(interpolate([], 1)));
  });
});

describe('the pictures of the report', () => {
  const curve: ErrorCurve = {
    rankName: 'rank',
    fullRank: 64,
    points: Array.from({ length: 65 }, (_, rank) => ({ rank, error: Math.sqrt(1 - rank / 64) })),
    rank: 16,
    evbmf: 9,
  };

  for (const width of [150, 300, 900]) {
    it(`stay within ${width} pixels`, () => {
      const marks = [
        { kind: 'breakEven', rank: 40 },
        { kind: 'evbmf', rank: 9 },
        { kind: 'planned', rank: 16 },
        { kind: 'suggested', rank: 24 },
      ] as const;
      const of = tradeOff(options, totals, { unit: 'macs' })!;
      for (const picture of [
        spectrumChart(curve, marks, width),
        tradeOffChart(of, { share: 0.4, error: 0.3 }, 0.5, width),
        barPicture(7, 9, 9, width),
      ]) {
        for (const { x, y } of places(picture)) {
          assert.ok(x >= 0 && x <= picture.width && y >= 0 && y <= picture.height, `${x}, ${y}`);
        }
      }
    });
  }

  it('stand where the axes say', () => {
    const { x, y } = spectrumFrame(curve, 300);
    const [planned] = all(spectrumChart(curve, [{ kind: 'planned', rank: 16 }], 300).shapes).filter(
      ({ tag, attributes }) => tag === 'circle' && attributes.class === 'planned',
    );
    assert.ok(Math.abs(Number(planned!.attributes.cx) - x.at(16)) < 0.1);
    assert.ok(Math.abs(Number(planned!.attributes.cy) - y.at(errorAt(curve, 16))) < 0.1);
  });

  it('hold texts as texts', () => {
    const shapes = all(spectrumChart(curve, [], 300).shapes);
    for (const { tag, text } of shapes) assert.equal(text !== undefined, tag === 'text');
  });

  it('show a layer that grows as longer than it was, and nothing for what is not known', () => {
    const widths = (before: number | null, after: number | null) =>
      barPicture(before, after, 20, 201).shapes.map(({ attributes }) => [attributes.class, attributes.width]);
    assert.deepEqual(widths(10, null), [['only', 100]]);
    assert.deepEqual(widths(10, 20), [
      ['before', 100],
      ['after', 200],
    ]);
    assert.deepEqual(widths(null, null), []);
    assert.deepEqual(widths(0, null), [['only', 0]]);
  });
});

describe('the summaries of charts', () => {
  const of = tradeOff(options, totals, { unit: 'parameters' })!;

  it('name the largest layer with its share, and how many are factored', () => {
    const overview = overviewOf('predicted');
    const names = overview.layers.map(({ name }) => name);
    const said = chartSummary(overview, names, 'parameters', texts);
    assert.match(
      said,
      /^Parameters: the largest of 3 layers is features\.1, with 51 % of those of all layers\. Factored: 2 of 3 layers\.$/,
    );
    assert.ok(!chartSummary(overviewOf('none'), names, 'macs', texts).includes('factored'));
    const unknown = layersOf(false).map((layer) => ({ ...layer, before: { ...layer.before, macs: null } }));
    assert.equal(chartSummary(overviewOf('none', unknown), names, 'macs', texts), '');
  });

  it('tell what half of it costs, and where the plan stands', () => {
    const half = pointWithin(of, 0.5)!;
    assert.ok(half.cost <= 0.5 * of.before);
    assert.ok(of.points.every(({ cost }) => cost <= half.cost || cost > 0.5 * of.before));
    assert.equal(pointWithin(of, 0), of.points[0], 'below the least it is the least');
    const said = tradeOffSummary(of, { share: 0.4, error: 0.25 }, texts);
    assert.ok(said.includes(`${Number((100 * half.weightError).toPrecision(3))} %`), said);
    assert.ok(said.endsWith('The plan leaves 40 % at 25 %.'), said);
    const { x } = tradeOffFrame(of, null, 300);
    assert.equal(x.to, 1);
  });

  it('put values into the places of a text, in any order', () => {
    assert.equal(fill('{1} of {0}, {1}', 2, 'a'), 'a of 2, a');
    assert.equal(fill('{0} {3}', 'x'), 'x {3}');
  });
});
