import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { createSentences } from '../../src/core/sentences';
import { englishWords } from '../support/englishWords';

/** What test/l10n/check.mjs finds. */
interface Found {
  /** Texts of the host with the places of their use. */
  readonly texts: Readonly<Record<string, readonly string[]>>;
  readonly faults: readonly string[];
  /** Texts that somebody would read, but nobody translates. */
  readonly plain: { readonly host: readonly string[]; readonly webview: readonly string[] };
  readonly translations: readonly {
    readonly file: string;
    readonly translated: Readonly<Record<string, string>>;
    readonly missing: readonly string[];
    readonly stale: readonly string[];
  }[];
}

const found: Found = JSON.parse(
  execFileSync(process.execPath, ['test/l10n/check.mjs', '--json'], {
    encoding: 'utf8',
    maxBuffer: 1 << 26,
  }),
);
const manifest = JSON.parse(readFileSync('package.json', 'utf8'));
const manifestTexts: Readonly<Record<string, string>> = JSON.parse(readFileSync('package.nls.json', 'utf8'));

/** What a person reads of a manifest. `modelDescription` is for a language model, and stays English. */
const READ =
  /^(title|shortTitle|description|markdownDescription|label|name|contents|altText|userDescription|displayName|deprecationMessage|markdownDeprecationMessage|editPresentation|group)$/;
const LISTS = /^(enumDescriptions|markdownEnumDescriptions|enumItemLabels)$/;
/** Names in every language. */
const NAMES = new Set(['Ranksmith']);

/** Texts in a part of the manifest that are written out, with their place. */
function written(node: unknown, place: string): string[] {
  if (typeof node !== 'object' || node === null) return [];
  return Object.entries(node).flatMap(([key, value]) => {
    const here = `${place}.${key}`;
    // Where a menu entry stands, not what it says; the name of a language-model tool is one to a machine.
    if (key === 'group' || (key === 'name' && /languageModelTools/.test(place))) return [];
    // For a language model too.
    if (key === 'inputSchema') return [];
    if (typeof value === 'string' && READ.test(key)) {
      return /^%[\w.]+%$/.test(value) || NAMES.has(value) ? [] : [`${here}: ${value}`];
    }
    if (Array.isArray(value) && LISTS.test(key)) {
      return value.filter((each) => !/^%[\w.]+%$/.test(each)).map((each) => `${here}: ${each}`);
    }
    return written(value, here);
  });
}

/** What keys of the engine's texts end with. */
const ENGINE = /\/engine$/;
/** What keys of all texts that are not the host's own end with. */
const MARKS = /\/(engine|schema)$/;
const icons = (text: string) => text.match(/\$\([\w~-]+\)/g) ?? [];
const placeholders = (text: string) => [...new Set(text.match(/\{\d+\}/g) ?? [])].sort();
/** What links run is no text. */
const targets = (text: string) =>
  [...text.matchAll(/\]\((command:[^)]+|https?:[^)]+)\)/g)].map(([, to]) => to);

describe('texts that somebody reads', () => {
  it('are keys in the manifest', () => {
    assert.deepEqual(written(manifest.contributes, 'contributes'), []);
    assert.match(manifest.description, /^%[\w.]+%$/);
    const keys = [...JSON.stringify(manifest).matchAll(/"%([\w.]+)%"/g)].map(([, key]) => key!);
    assert.deepEqual(
      keys.filter((key) => !(key in manifestTexts)),
      [],
    );
  });

  it('go through vscode.l10n.t in the host, written out, with a value for each placeholder', () => {
    assert.ok(Object.keys(found.texts).length > 200, 'the texts of the host were not found');
    assert.deepEqual(found.faults, []);
    assert.deepEqual(found.plain.host, []);
  });

  it('have a form for one where they count', () => {
    const texts = Object.keys(found.texts).map((text) => text.replace(ENGINE, ''));
    const counting = texts.flatMap((text) => {
      const of = /^(.*?)\{\d\} (layer|sample|picture|point|node|element|byte|value)s\b(.{0,4})/.exec(text);
      return of ? [{ text, one: `${of[1]}1 ${of[2]}${of[3]}` }] : [];
    });
    assert.ok(counting.length > 15, 'the texts that count were not found');
    // A verb may follow: "1 layer multiplies", "2 layers multiply".
    const lacking = counting.filter(
      ({ one }) => !texts.some((each) => each.startsWith(one) || each.startsWith(one.replace('1 ', 'a '))),
    );
    assert.deepEqual(
      lacking.map(({ text }) => text),
      [],
    );
  });

  it('come from the host in the pages', () => {
    assert.deepEqual(found.plain.webview, []);
  });
});

describe('translations', () => {
  it('are there for zh-cn, in the manifest and in the host', () => {
    const names = found.translations.map(({ file }) => file);
    for (const file of ['package.nls.zh-cn.json', 'l10n/bundle.l10n.zh-cn.json'])
      assert.ok(names.includes(file));
  });

  for (const { file, translated, missing, stale } of found.translations) {
    const isManifest = file.startsWith('package.nls');
    it(`${file} has every text there is, and no other`, () => {
      assert.deepEqual(missing, []);
      assert.deepEqual(stale, []);
    });

    it(`${file} keeps placeholders and links`, () => {
      for (const [key, text] of Object.entries(translated)) {
        const original = isManifest ? manifestTexts[key] : key.replace(MARKS, '');
        if (original === undefined) continue;
        assert.ok(text.trim() !== '', `${key} is empty`);
        assert.deepEqual(placeholders(text), placeholders(original), key);
        assert.deepEqual(targets(text), targets(original), key);
        assert.deepEqual(icons(text), icons(original), key);
      }
    });

    it(`${file} leaves nothing in English but names and code`, () => {
      const left = Object.values(translated).flatMap((text) => {
        const words = englishWords(text);
        return words.length > 0 ? [`${words.join(' ')}: ${text}`] : [];
      });
      assert.deepEqual(left, []);
    });
  }
});

describe('sentences of the engine', () => {
  const bundle = found.translations.find(({ file }) => file.startsWith('l10n/'))!.translated;
  const templates = Object.fromEntries(
    Object.entries(bundle).flatMap(([key, text]) =>
      ENGINE.test(key) ? [[key.replace(ENGINE, ''), text]] : [],
    ),
  );
  const translate = createSentences(templates);
  const fill = (text: string, values: readonly string[]) =>
    text.replace(/\{(\d+)\}/g, (_, number) => values[Number(number)]!);

  it('are found again with what was put in, each of them', () => {
    const values = ['x1', 'x2', 'x3', 'x4', 'x5', 'x6', 'x7'];
    const lost: string[] = [];
    for (const [template, translation] of Object.entries(templates)) {
      // Two values with nothing between them, the second a hint that may be empty.
      const own = [...values];
      for (const [, number] of template.matchAll(/\}\{(\d+)\}/g)) own[Number(number)] = '';
      for (const [, number] of template.matchAll(/\.\{(\d+)\}/g)) own[Number(number)] = '';
      const [is, shall] = [translate(fill(template, own)), fill(translation, own)];
      if (is !== shall) lost.push(`${template}: ${is}`);
    }
    assert.deepEqual(lost, []);
  });

  it('keep names, and translate what comes from a template itself', () => {
    const t = createSentences({
      'The model has no layer "{0}".': 'B "{0}" A',
      'Rank {0} makes it larger: {1}.{2}': '{1}|{0}|{2}',
      '{0} → {1} parameters': '{0} → {1} P',
      ' It saves up to rank {0}.': 'S {0}',
      parameters: 'P',
      '{0} is empty.': 'E {0}',
    });
    assert.equal(t('The model has no layer "parameters".'), 'B "parameters" A');
    assert.equal(
      t('Rank 300 makes it larger: 2.36 M → 2.4 M parameters. It saves up to rank 214.'),
      '2.36 M → 2.4 M P|300|S 214',
    );
    assert.equal(t('Rank 3 makes it larger: 2 → 2.4 parameters.'), '2 → 2.4 P|3|');
    assert.equal(t('a.onnx is empty. The model has no layer "b".'), 'E a.onnxB "b" A');
    assert.equal(t('Left as it is by hand.'), 'Left as it is by hand.');
    assert.equal(t(''), '');
  });

  it('are found again where they are put together', () => {
    const sentences = [
      'Rank 300 makes the layer larger, not smaller: 2.36 M → 2.4 M parameters. It saves up to rank 214.',
      'svd with rank 16 costs no more and has an error of ≤ 3.2 % instead of 8 %.',
      'Rank 8 has an error of 60 %, more than the goal asks for: svd with rank 16 (≈ 3.2 %) would do.',
      "This plan leaves 80 % of the MACs; its goal is 50 %. 10 % of the MACs can't be reached: with the lowest ranks in every layer 12 % remain.",
      'model.onnx: no layer would become smaller, so nothing was written. For 2 of 3 layers: Its constant is a vector; only matrices are factored.',
      'model.onnx is not a readable ONNX model: at byte 12, a number is cut off. The file looks cut off.',
      '/w/data.npy can\'t be used as input: it holds 8 × 28 × 28 × 1 numbers, but the input "x" takes N × 1 × 28 × 28; its channels stand last, and numpy.transpose(x, (0, 3, 1, 2)) puts them first (8 × 1 × 28 × 28).',
      'Conv takes 2 ranks (r0, r1), not 1.'.replace('Conv', 'tucker2'),
      'model.onnx: the tensor "w" (float 3 × 3) needs 36 bytes, but has 12.',
      'Factors are fitted to 8 samples; 64 or more give better ones.',
      'Factors are fitted to 1 sample; 64 or more give better ones.',
      'model.onnx is the model itself, which is never overwritten. Choose another name.',
    ];
    for (const sentence of sentences)
      assert.deepEqual(englishWords(translate(sentence)), [], translate(sentence));
  });
});
