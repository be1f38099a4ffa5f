import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import {
  COMMANDS,
  CONTEXTS,
  EDITORS,
  PANELS,
  ROWS,
  SCHEMA_SCHEME,
  SETTINGS,
  STEPS,
  TOOLS,
  VIEW_CONTAINER,
  VIEWS,
  WALKTHROUGH,
} from '../../src/ids';

const text = readFileSync('package.json', 'utf8');
const manifest = JSON.parse(text);
const { contributes } = manifest;
const texts: Record<string, string> = JSON.parse(readFileSync('package.nls.json', 'utf8'));

const same = (actual: Iterable<string>, expected: Iterable<string>) =>
  assert.deepEqual([...actual].sort(), [...expected].sort());

/** All values of a key anywhere in the manifest. */
function valuesOf(key: string, node: unknown = manifest): string[] {
  if (typeof node !== 'object' || node === null) return [];
  return Object.entries(node).flatMap(([name, value]) =>
    name === key && typeof value === 'string' ? [value] : valuesOf(key, value),
  );
}

test('the manifest and the code know the same commands', () => {
  same(
    contributes.commands.map((each: { command: string }) => each.command),
    Object.values(COMMANDS),
  );
  const known = new Set<string>(Object.values(COMMANDS));
  for (const command of valuesOf('command', contributes.menus)) assert.ok(known.has(command), command);
  for (const [, command] of valuesOfTexts().matchAll(/command:(ranksmith\.[\w.]+)/g)) {
    // VS Code makes a command of its own for each view.
    const isFocus = Object.values(VIEWS).some((view) => command === `${view}.focus`);
    assert.ok(known.has(command!) || isFocus, command);
  }
});

test('every command has a category, and those for menus only are not in the palette', () => {
  for (const each of contributes.commands) assert.equal(each.category, 'Ranksmith', each.command);
  const hidden = contributes.menus.commandPalette.filter((each: { when: string }) => each.when === 'false');
  same(
    hidden.map((each: { command: string }) => each.command),
    [
      COMMANDS.applySuggestion,
      COMMANDS.compareMethods,
      COMMANDS.revealInExplorer,
      COMMANDS.revealInPlan,
      COMMANDS.sortByMacs,
      COMMANDS.sortByParameters,
      COMMANDS.sortByPosition,
      COMMANDS.undoPlanChange,
    ],
  );
});

test('the manifest and the code know the same views, settings and submenus', () => {
  same(Object.keys(contributes.views), [VIEW_CONTAINER]);
  same(
    contributes.views[VIEW_CONTAINER].map((each: { id: string }) => each.id),
    Object.values(VIEWS),
  );
  same(Object.keys(contributes.configuration.properties), Object.values(SETTINGS));
  same(
    valuesOf('submenu'),
    contributes.submenus.map((each: { id: string }) => each.id),
  );
});

test('each step of the walkthrough waits for what the code tells of, and has its picture', () => {
  const [walkthrough, ...others] = contributes.walkthroughs;
  assert.equal(others.length, 0);
  assert.equal(walkthrough.id, WALKTHROUGH);
  const steps: { id: string; completionEvents: string[]; media: { svg: string; altText: string } }[] =
    walkthrough.steps;
  same(
    steps.flatMap(({ id, completionEvents }) => completionEvents.map((event) => `${id} ${event}`)),
    Object.entries(STEPS).map(([id, key]) => `${id} onContext:${key}`),
  );
  for (const { media } of steps) {
    assert.ok(existsSync(media.svg), media.svg);
    const picture = readFileSync(media.svg, 'utf8');
    // Colours of its own would not follow the theme, nor high contrast.
    const paints = [...picture.matchAll(/(?:fill|stroke)="([^"]+)"/g)].map(([, paint]) => paint!);
    for (const paint of paints) assert.match(paint, /^(none|var\(--vscode-[\w-]+.*\))$/, media.svg);
    assert.doesNotMatch(picture, /<text|<image|href|style=/, media.svg);
  }
});

test('the manifest and the code know the same editors, and panels that come back after a restart', () => {
  same(
    contributes.customEditors.map((each: { viewType: string }) => each.viewType),
    Object.values(EDITORS),
  );
  for (const each of contributes.customEditors) assert.equal(each.priority, 'option');
  for (const panel of Object.values(PANELS)) {
    assert.ok(manifest.activationEvents.includes(`onWebviewPanel:${panel}`), panel);
  }
});

test('the schema of plans has an address that the extension is activated for', () => {
  const [{ url, fileMatch }] = contributes.jsonValidation;
  assert.equal(fileMatch, '*.ranks.json');
  assert.equal(url, `${SCHEMA_SCHEME}:/plan.schema.json`);
  assert.ok(manifest.activationEvents.includes(`onFileSystem:${SCHEMA_SCHEME}`));
});

test('the manifest and the code know the same tools for language models', () => {
  same(
    contributes.languageModelTools.map((each: { name: string }) => each.name),
    Object.values(TOOLS),
  );
  const names = new Set<string>(
    contributes.languageModelTools.map((each: { toolReferenceName: string }) => each.toolReferenceName),
  );
  assert.equal(names.size, contributes.languageModelTools.length);
  for (const {
    name,
    modelDescription,
    inputSchema,
    tags,
    canBeReferencedInPrompt,
  } of contributes.languageModelTools) {
    assert.ok(modelDescription.length > 200 && modelDescription.length < 1200, name);
    assert.deepEqual(inputSchema.required, ['file'], name);
    assert.ok(tags.includes('ranksmith') && canBeReferencedInPrompt, name);
    for (const [key, { description }] of Object.entries<{ description: string }>(inputSchema.properties)) {
      assert.match(description, /\.$/, `${name}: ${key}`);
    }
  }
});

test('every setting says what it does, where it can be set and where it stands, and the code reads it', () => {
  const properties: Record<string, Record<string, unknown>> = contributes.configuration.properties;
  for (const [name, setting] of Object.entries(properties)) {
    const text = String(setting.markdownDescription ?? setting.description);
    assert.match(text, /^%[\w.]+%$/, name);
    assert.ok((texts[text.slice(1, -1)] ?? '').length > 60, `${name} says too little`);
    assert.match(String(setting.scope), /^(application|machine|machine-overridable|window|resource)$/, name);
    assert.ok('default' in setting && 'order' in setting, name);
  }
  const host = readdirSync('src/host', { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => readFileSync(`src/host/${file}`, 'utf8'))
    .join('\n');
  for (const key of Object.keys(SETTINGS))
    assert.ok(host.includes(`SETTINGS.${key}`), `${key} is read nowhere`);
});

test('keys are taken in our own view only, and each once', () => {
  const keys = (contributes.keybindings as { key: string; when: string }[]).map(({ key, when }) => {
    assert.match(when, /focusedView == ranksmith\.|activeCustomEditorId == /, key);
    return key;
  });
  assert.equal(new Set(keys).size, keys.length);
});

test('conditions use known views, context keys and rows only', () => {
  const ours = new Set([VIEWS, CONTEXTS, STEPS].flatMap((ids) => Object.values<string>(ids)));
  const rows: readonly string[] = Object.values(ROWS);
  for (const when of [...valuesOf('when'), ...valuesOf('enablement')]) {
    for (const [name] of when.matchAll(/ranksmith(?:\.\w+)+/g))
      assert.ok(ours.has(name), `${name} in ${when}`);
    for (const [, row] of when.matchAll(/viewItem == ([\w.]+)/g)) assert.ok(rows.includes(row!), when);
    for (const [, source] of when.matchAll(/viewItem =~ \/(.+?)\//g)) {
      assert.ok(
        rows.some((row) => new RegExp(source!).test(row)),
        when,
      );
    }
  }
});

test('the manifest uses every text of package.nls.json, and no other', () => {
  same(new Set([...text.matchAll(/"%([\w.]+)%"/g)].map((match) => match[1]!)), Object.keys(texts));
});

function valuesOfTexts(): string {
  return Object.values(texts).join('\n');
}
