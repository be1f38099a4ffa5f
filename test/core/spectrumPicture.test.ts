import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { PICTURE_COLOURS, type PictureTheme } from '../../src/host/plans/pictureColours';
import {
  errorAt,
  PICTURE_WIDTH,
  type PictureCurve,
  type SpectrumPicture,
  spectrumPicture,
  ticks,
} from '../../src/host/plans/spectrumPicture';
import { descendants, parseXml, textOf, type XmlElement } from '../support/xml';

const THEMES = Object.keys(PICTURE_COLOURS) as PictureTheme[];

/** A curve that falls from 1 to 0 like the root of what is left. */
const curve = (fullRank: number, more: Partial<PictureCurve> = {}): PictureCurve => ({
  rankTitle: 'rank',
  fullRank,
  points: Array.from({ length: fullRank + 1 }, (_, rank) => ({
    rank,
    error: Math.sqrt((fullRank - rank) / fullRank),
  })),
  marks: [],
  ...more,
});

const picture = (
  curves: readonly PictureCurve[],
  more: Partial<SpectrumPicture> = {},
): { root: XmlElement; text: string } => {
  const text = spectrumPicture({
    curves,
    errorTitle: 'error',
    description: 'Errors of a layer',
    theme: 'dark',
    ...more,
  });
  return { root: parseXml(text), text };
};

const number = (element: XmlElement, name: string): number => {
  const value = Number(element.attributes[name]);
  assert.ok(Number.isFinite(value), `${name} of <${element.name}> is ${element.attributes[name]}`);
  return value;
};

/** Where the rank and the error of a panel stand, by the labels of its axes: they are what a reader goes by. */
function scaleOf(panel: XmlElement, fullRank: number) {
  const label = (text: string) => {
    const found = descendants(panel, 'text').filter((each) => textOf(each) === text);
    assert.ok(found.length > 0, `no label ${text}`);
    return found[0]!;
  };
  const left = number(label('0'), 'x');
  const right = number(label(String(fullRank)), 'x');
  const top = number(label('100 %'), 'y');
  const bottom = number(label('0 %'), 'y');
  // Labels stand beside their line, by their base line.
  const shift = 4;
  return {
    x: (rank: number) => left + ((right - left) * rank) / fullRank,
    y: (error: number) => bottom - shift + (top - bottom) * error,
  };
}

const near = (actual: number, expected: number) =>
  assert.ok(Math.abs(actual - expected) <= 0.1, `${actual} instead of ${expected}`);

const byClass = (root: XmlElement, name: string) =>
  descendants(root).filter(({ attributes }) => attributes.class === name);

describe('the picture of a spectrum', () => {
  const marks = [
    { kind: 'planned', rank: 32, label: 'planned 32 (12 %)' },
    { kind: 'suggested', rank: 48, label: 'suggested 48 (8 %)' },
    { kind: 'breakEven', rank: 90, label: 'break-even 90' },
    { kind: 'evbmf', rank: 21, label: 'EVBMF 21' },
  ] as const;

  it('is an image by itself: no script, no link, no style, and as large as it says', () => {
    for (const theme of THEMES) {
      const { root, text } = picture([curve(128, { marks })], { theme });
      assert.equal(root.name, 'svg');
      assert.equal(root.attributes.xmlns, 'http://www.w3.org/2000/svg');
      assert.equal(number(root, 'width'), PICTURE_WIDTH);
      assert.equal(root.attributes.viewBox, `0 0 ${PICTURE_WIDTH} ${root.attributes.height}`);
      const known = ['title', 'rect', 'g', 'text', 'line', 'polyline', 'circle', 'polygon'];
      for (const { name, attributes } of descendants(root)) {
        assert.ok(known.includes(name), name);
        for (const attribute of Object.keys(attributes)) {
          assert.doesNotMatch(attribute, /^on|href|style|src/i);
        }
      }
      assert.ok(text.length < 20_000);
      assert.equal(textOf(descendants(root, 'title')[0]!), 'Errors of a layer');
    }
  });

  it('draws the curve and the marks where the axes say they are', () => {
    const given = curve(128, { marks });
    const { root } = picture([given]);
    const { x, y } = scaleOf(root, 128);
    const points = byClass(root, 'curve')[0]!
      .attributes.points!.split(' ')
      .map((pair) => pair.split(','));
    assert.equal(points.length, given.points.length);
    for (const [i, { rank, error }] of given.points.entries()) {
      near(Number(points[i]![0]), x(rank));
      near(Number(points[i]![1]), y(error));
    }
    for (const { kind, rank } of marks) {
      const [mark] = byClass(root, kind);
      const [stroke] = descendants(mark!, 'line');
      near(number(stroke!, 'x1'), x(rank));
      near(number(stroke!, 'x2'), x(rank));
      near(number(stroke!, 'y2'), y(0));
      const isEnd = kind === 'breakEven' || kind === 'evbmf';
      near(number(stroke!, 'y1'), y(isEnd ? 1 : errorAt(given.points, rank)));
    }
    const [dot] = descendants(byClass(root, 'planned')[0]!, 'circle');
    near(number(dot!, 'cx'), x(32));
    near(number(dot!, 'cy'), y(Math.sqrt(96 / 128)));
    const shades = descendants(root, 'rect').filter((each) => each.attributes.fill!.length === 9);
    assert.equal(shades.length, 1, 'nothing is saved from break-even on');
    near(number(shades[0]!, 'x'), x(90));
    near(number(shades[0]!, 'x') + number(shades[0]!, 'width'), x(128));
  });

  it('names every mark in the legend, inside the image', () => {
    for (const count of [1, 2, 3, 5]) {
      const { root } = picture(Array.from({ length: count }, () => curve(512, { marks })));
      const height = number(root, 'height');
      const panels = root.children.filter((each) => typeof each !== 'string' && each.name === 'g');
      assert.equal(panels.length, count);
      const origins = panels.map((panel) => (panel as XmlElement).attributes.transform!);
      assert.equal(new Set(origins).size, count);
      for (const [i, panel] of panels.entries()) {
        const [left, top] = /^translate\(([\d.]+) ([\d.]+)\)$/.exec(origins[i]!)!.slice(1).map(Number);
        const texts = descendants(panel as XmlElement, 'text');
        for (const { label } of marks) assert.ok(texts.some((each) => textOf(each) === label));
        for (const each of texts) {
          assert.ok(left! + number(each, 'x') <= PICTURE_WIDTH);
          assert.ok(top! + number(each, 'y') <= height - 4);
        }
      }
    }
  });

  it('shows names literally, whatever they hold', () => {
    const evil = '</text><script>alert("1")</script>&amp; ]]> \' \u0000\u0007\ud800 Ω 層';
    const { root } = picture([curve(8, { rankTitle: evil })], { description: evil, errorTitle: evil });
    const shown = evil.replace(/[\p{Cc}\p{Surrogate}]/gu, '?');
    assert.equal(textOf(descendants(root, 'title')[0]!), shown);
    assert.equal(descendants(root, 'text').filter((each) => textOf(each) === shown).length, 2);
    assert.deepEqual(descendants(root, 'script'), []);
  });

  it('copes with curves that are none', () => {
    const point = picture([curve(0, { points: [{ rank: 0, error: 1 }] })]).root;
    assert.equal(byClass(point, 'curve')[0]!.name, 'circle');
    const zero = curve(4, {
      points: [0, 1, 2, 3, 4].map((rank) => ({ rank, error: 0 })),
      marks: [{ kind: 'planned', rank: 4, label: 'planned 4' }],
    });
    const flat = picture([zero]).root;
    const { x, y } = scaleOf(flat, 4);
    const [dot] = descendants(byClass(flat, 'planned')[0]!, 'circle');
    near(number(dot!, 'cx'), x(4));
    near(number(dot!, 'cy'), y(0));
    const beyond = picture([curve(4, { marks: [{ kind: 'planned', rank: 9, label: 'planned 9' }] })]).root;
    near(number(descendants(byClass(beyond, 'planned')[0]!, 'circle')[0]!, 'cx'), scaleOf(beyond, 4).x(4));
    const single = picture([curve(1)]).root;
    assert.deepEqual(descendants(single, 'text').map(textOf), [
      'error',
      '0 %',
      '50 %',
      '100 %',
      '0',
      '1',
      'rank',
    ]);
  });

  it('can be read in every theme: 4.5 to 1 for texts and marks', () => {
    for (const theme of THEMES) {
      const { ground, border, grid, shade, ...colours } = PICTURE_COLOURS[theme];
      assert.match(`${border}${grid}`, /^(#[0-9a-f]{6}){2}$/);
      const shaded = over(shade, ground);
      for (const [name, colour] of Object.entries(colours)) {
        for (const below of [ground, shaded]) {
          const ratio = contrast(colour, below);
          assert.ok(ratio >= 4.5, `${name} on ${below} in ${theme}: ${ratio.toFixed(2)}`);
        }
      }
    }
  });
});

describe('the ranks below an axis', () => {
  it('begin with 0, end with the full rank, and have room', () => {
    for (const width of [60, 90, 180, 390]) {
      for (const fullRank of [1, 2, 3, 7, 10, 64, 99, 100, 101, 512, 2304, 25088]) {
        const found = ticks(fullRank, width);
        assert.equal(found[0], 0);
        assert.equal(found.at(-1), fullRank);
        for (const [i, rank] of found.slice(1).entries()) {
          assert.ok(Number.isInteger(rank));
          const gap = ((rank - found[i]!) * width) / fullRank;
          assert.ok(gap >= 40, `${found.join(' ')} of ${fullRank} in ${width} px`);
        }
      }
    }
    assert.deepEqual(ticks(0, 100), [0]);
  });
});

describe('the error at a rank', () => {
  it('lies on the line between the points', () => {
    const points = [
      { rank: 0, error: 1 },
      { rank: 10, error: 0.5 },
      { rank: 30, error: 0.1 },
    ];
    for (const { rank, error } of points) assert.equal(errorAt(points, rank), error);
    assert.ok(Math.abs(errorAt(points, 5) - 0.75) < 1e-12);
    assert.ok(Math.abs(errorAt(points, 20) - 0.3) < 1e-12);
    assert.equal(errorAt(points, 99), 0.1);
  });
});

const channels = (colour: string) =>
  [1, 3, 5, 7].flatMap((at) => (at < colour.length ? [Number.parseInt(colour.slice(at, at + 2), 16)] : []));

/** A translucent colour on an opaque one. */
function over(colour: string, ground: string): string {
  const [r, g, b, alpha] = channels(colour) as [number, number, number, number];
  const below = channels(ground);
  const mixed = [r, g, b].map((value, i) => Math.round(below[i]! + ((value - below[i]!) * alpha) / 255));
  return `#${mixed.map((value) => value.toString(16).padStart(2, '0')).join('')}`;
}

/** WCAG 2.2, definition of contrast ratio. */
function contrast(a: string, b: string): number {
  const luminance = (colour: string) => {
    const [r, g, b] = channels(colour)
      .map((value) => value / 255)
      .map((value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r! + 0.7152 * g! + 0.0722 * b!;
  };
  const [dark, light] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (light! + 0.05) / (dark! + 0.05);
}
