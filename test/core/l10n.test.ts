import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';

/** Whether every text has its translation. Until then what is missing is listed, and fails nothing. */
const COMPLETE = false;

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
    it(`${file} is of the texts there are`, (t) => {
      if (!COMPLETE) return t.diagnostic(`${missing.length} missing, ${stale.length} no longer used`);
      assert.deepEqual(missing, []);
      assert.deepEqual(stale, []);
    });

    it(`${file} keeps placeholders and links`, () => {
      for (const [key, text] of Object.entries(translated)) {
        const original = isManifest ? manifestTexts[key] : key;
        if (original === undefined) continue;
        assert.ok(text.trim() !== '', `${key} is empty`);
        assert.deepEqual(placeholders(text), placeholders(original), key);
        assert.deepEqual(targets(text), targets(original), key);
      }
    });
  }
});
