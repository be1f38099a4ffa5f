import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Overview, OverviewLayer } from '../../src/core/compress/overview';
import { csvField } from '../../src/core/compress/printReport/printCsv';
import { markdownText } from '../../src/core/compress/printReport/printMarkdown';
import { printReport, reportFormatOf } from '../../src/core/compress/printReport/reportFormat';
import type { CompressionReport, LayerReport } from '../../src/core/compress/report';

const EVIL = 'a,"b"\r\n|c|<img src=x>`*_[l](u)\u2028 = d';

function layer(of: Partial<OverviewLayer> = {}): OverviewLayer {
  return {
    name: 'features.0',
    op: 'Conv',
    weightShape: [64, 32, 3, 3],
    before: { parameters: 18_432, macs: 1_000_000, ms: null },
    after: { parameters: 9_000, macs: 400_000, ms: null },
    method: 'spatial',
    ranks: [40],
    weightError: 0.25,
    certainty: 'exact',
    outputError: null,
    isFactorable: true,
    note: null,
    ...of,
  };
}

function overview(layers: readonly OverviewLayer[], of: Partial<Overview> = {}): Overview {
  const before = { parameters: 20_000, macs: 1_000_000, bytes: 80_500, activationBytes: 4096, ms: null };
  return {
    basis: 'predicted',
    file: '/models/net.onnx',
    plan: '/models/net.ranks.json',
    compressed: null,
    goal: { kind: 'parameters', share: 0.5 },
    before,
    after: { ...before, parameters: 10_000, bytes: 40_500, macs: null },
    weightError: 0.3,
    certainty: 'exact',
    layers,
    ...of,
  };
}

/** The fields of a CSV text by RFC 4180, read by another way than it is written. */
function parseCsv(text: string): string[][] {
  const rows: string[][] = [[]];
  let at = 0;
  while (at < text.length) {
    let field = '';
    if (text[at] === '"') {
      for (at++; !(text[at] === '"' && text[at + 1] !== '"'); at++) {
        if (text[at] === '"') at++;
        field += text[at];
      }
      at++;
    } else while (at < text.length && !',\r'.includes(text[at]!)) field += text[at++];
    rows.at(-1)!.push(field);
    if (text[at] === '\r') {
      assert.equal(text[at + 1], '\n');
      at += 2;
      if (at < text.length) rows.push([]);
    } else at++;
  }
  return rows;
}

describe('a report as CSV', () => {
  it('gives back every name and number, whatever the names hold', () => {
    const layers = [layer({ name: EVIL, note: '"' }), layer({ weightError: 1 / 3, ranks: [3, 4] })];
    const [head, ...rows] = parseCsv(printReport('csv', overview(layers)));
    assert.equal(rows.length, 2);
    for (const row of rows) assert.equal(row.length, head!.length);
    const of = (row: number, title: string) => rows[row]![head!.indexOf(title)];
    assert.equal(of(0, 'layer'), EVIL);
    assert.equal(of(0, 'note'), '"');
    assert.equal(Number(of(1, 'weight error')), 1 / 3);
    assert.equal(of(1, 'ranks'), '3 x 4');
    assert.equal(of(1, 'parameters after'), '9000');
    assert.equal(of(1, 'ms before'), '', 'what is not known is nothing, not 0');
    assert.equal(of(1, 'basis'), 'predicted');
  });

  it('holds no formulas', () => {
    for (const text of ['=1+1', '+1', '-1', '@a', '\tb']) assert.match(csvField(text), /^"?'/);
    assert.equal(csvField(-1), '-1', 'numbers are numbers');
    assert.equal(csvField('a=1'), 'a=1');
  });
});

describe('a report as Markdown', () => {
  it('shows names as text: each layer is one row of the table', () => {
    const text = printReport('md', overview([layer({ name: EVIL }), layer()]));
    const rows = text.split('\n').filter((line) => line.startsWith('| ') && line.includes('Conv'));
    assert.equal(rows.length, 2);
    const cells = (row: string) => row.split(/(?<!\\)\|/).length;
    assert.equal(cells(rows[0]!), cells(rows[1]!));
    assert.ok(!text.includes('<img'));
    assert.ok(!/(?<!\\)`\*/.test(text));
  });

  it('says that predicted figures are predicted, and what is not known', () => {
    const text = printReport('md', overview([layer()]));
    assert.match(text, /\*\*Predicted\*\*/);
    assert.match(text, /\| Parameters \| 20 k \| 10 k \| −50 % \|/);
    assert.match(text, /\| MACs \| 1 M \| unknown \| {2}\|/);
    const plain = printReport('md', overview([layer({ after: null })], { basis: 'none', after: null }));
    assert.ok(!plain.includes('After') && !plain.includes('Weight error'));
  });

  it('escapes what Markdown would read', () => {
    assert.equal(markdownText('a|b\n<c> & [d] \\ `e`'), 'a\\|b &lt;c&gt; &amp; \\[d\\] \\\\ \\`e\\`');
  });
});

const written = (of: Partial<LayerReport>): LayerReport => ({
  name: 'features.0',
  op: 'Conv',
  method: 'spatial',
  ranks: [40],
  parameters: { before: 18_432, after: 9_000 },
  macs: { before: 1_000_000, after: 400_000 },
  energy: 0.9,
  weightError: 0.25,
  ...of,
});

function reportOf(layers: readonly LayerReport[]): CompressionReport {
  const figures = { file: '/models/net.onnx', bytes: 9, parameters: 8, macs: 7, ms: 6 };
  return {
    target: { kind: 'macs', share: 0.5 },
    plan: null,
    original: figures,
    compressed: { ...figures, file: '/models/small.onnx' },
    outputError: { relative: 0.031, cosine: 0.9995, max: 0.12 },
    factoredWith: 'LAPACK',
    engine: 'ONNX Runtime',
    inputs: 'random',
    assumedDims: {},
    layers,
    problems: [],
    reproduce: {
      command: "ranksmith compress 'a```b.onnx'",
      version: '1.2.3',
      seed: 7,
      original: 'aa',
      compressed: 'bb',
      plan: null,
    },
    seconds: { suggest: 0, factor: 0, write: 0, verify: 0 },
  };
}

describe('a report as JSON', () => {
  it('reads back as it was, the report with it', () => {
    const of = overview([layer({ name: EVIL })], { basis: 'measured' });
    const report = reportOf([written({ name: EVIL })]);
    const { format, version, report: inside, ...rest } = JSON.parse(printReport('json', of, report));
    assert.deepEqual([format, version], ['ranksmith-report', 1]);
    assert.deepEqual(rest, of);
    assert.deepEqual(inside, report);
  });
});

describe('a report for Netron', () => {
  const parse = (text: string) => {
    const { signature, metadata, metrics } = JSON.parse(text);
    assert.equal(signature, 'netron:attachment');
    const items: { kind: string; target: string; name: string; value: unknown }[] = [...metadata, ...metrics];
    // Netron drops what lacks one of these, and takes the last of several of a name.
    const keys = items.map(({ kind, target, name }) => JSON.stringify([kind, target, name]));
    for (const { kind, target, name, value } of items) {
      assert.ok(name && value !== null && value !== undefined);
      assert.equal(target === '', kind === 'model');
      assert.ok(!target.includes('\n'));
    }
    return { items, keys };
  };

  it('names the nodes of the written file, every figure once', () => {
    const layers = [
      layer({ name: 'one' }),
      layer({ name: 'two\nlines', ranks: null, method: 'dense', weightError: null }),
    ];
    const report = reportOf([
      written({ name: 'one', nodes: ['one_a', 'one_b', 'one_b'] }),
      written({ name: 'two\nlines', nodes: ['two\nlines'] }),
    ]);
    const { items, keys } = parse(printReport('netron', overview(layers, { basis: 'measured' }), report));
    assert.equal(new Set(keys).size, keys.length);
    const targets = new Set(items.filter(({ kind }) => kind === 'node').map(({ target }) => target));
    assert.deepEqual([...targets], ['one_a', 'one_b', 'two']);
    const value = (target: string, name: string) =>
      items.find((item) => item.target === target && item.name === name)?.value;
    assert.equal(value('one_b', 'weight error'), 0.25);
    assert.equal(value('one_b', 'ranks'), '40');
    assert.equal(value('two', 'weight error'), undefined);
    assert.equal(value('', 'output error'), 0.031);
  });

  it('names the nodes of the model where nothing is written', () => {
    const { items } = parse(printReport('netron', overview([layer()])));
    assert.ok(
      items.some(
        ({ target, name, value }) => target === 'features.0' && name === 'method' && value === 'spatial',
      ),
    );
  });
});

describe('decisions', () => {
  const decisions = { kept: 1228, count: 1250, samples: 1250, shape: 'one' } as const;
  const report = (of: Partial<CompressionReport>) => ({ ...reportOf([written({})]), ...of });
  const print = (format: 'md' | 'netron', of: Partial<CompressionReport>) =>
    printReport(format, overview([layer()], { basis: 'measured' }), report(of));

  it('that are as before are told, with what the samples that were fitted to say', () => {
    assert.match(print('md', { decisions }), /^\* Decisions: 98\.2 % of 1,250 as before$/m);
    const single = { ...decisions, kept: 1, count: 1, samples: 1 };
    assert.doesNotMatch(print('md', { decisions: single }), /Decisions/, 'of a random input it says nothing');
    const onFitted = { outputError: { relative: 0.05, cosine: 1, max: 1 }, decisions };
    assert.match(
      print('md', { decisions, onFitted }),
      /^\* On samples fitted to: output error 5 %, 98\.2 % of 1,250 decisions as before$/m,
    );
    const { metrics } = JSON.parse(print('netron', { decisions }));
    const metric = metrics.find(({ name }: { name: string }) => name === 'decisions as before');
    assert.equal(metric.value, 0.9824);
  });

  it('are not spoken of where nothing is chosen', () => {
    assert.doesNotMatch(print('md', {}), /ecisions/);
    assert.doesNotMatch(print('netron', {}), /ecisions/);
  });
});

describe('how to reproduce', () => {
  it('stands in a fence that the command can not close', () => {
    const text = printReport('md', overview([layer()], { basis: 'measured' }), reportOf([written({})]));
    assert.match(text, /\n````sh\nranksmith compress 'a```b\.onnx'\n````\n/);
    assert.match(text, /Ranksmith 1\.2\.3, seed 7/);
  });
});

describe('the ending of a file', () => {
  it('says what is in it', () => {
    const endings = ['a.md', 'a.csv', 'A.JSON', 'a.netron.json', 'a.txt', 'json'];
    assert.deepEqual(endings.map(reportFormatOf), ['md', 'csv', 'json', 'netron', undefined, undefined]);
  });
});
