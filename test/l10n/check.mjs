// npm run l10n: what the translations lack. Prints it, and puts the texts without a translation into out/l10n/.
//   --json   prints everything that is known as JSON, and writes nothing: what the tests read
//   --tidy   drops translations of texts that are no more, and sorts the rest
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { engineTexts } from './engineTexts.mjs';
import { hostTexts } from './hostTexts.mjs';
import { plainTexts } from './plainTexts.mjs';
import { root } from './syntax.mjs';

const flags = process.argv.slice(2);
const read = (file) => JSON.parse(readFileSync(path.join(root, file), 'utf8'));
const { texts: ofHost, faults } = hostTexts();
const ofEngine = new Map([...engineTexts()].map(([text, places]) => [`${text}/engine`, places]));
/** What people read of the schema of plans. */
const schemaFile = 'media/plan.schema.json';
const ofSchema = new Map();
JSON.parse(readFileSync(path.join(root, schemaFile), 'utf8'), (key, value) => {
  if (/^(title|description|markdownDescription)$/.test(key) && typeof value === 'string')
    ofSchema.set(`${value}/schema`, [schemaFile]);
  return value;
});
const texts = new Map([...ofHost, ...ofEngine, ...ofSchema]);

/** The files of each language, against what they shall hold: text → where it is used. */
const manifestKeys = new Map(Object.entries(read('package.nls.json')).map(([key, text]) => [key, [text]]));
const locales = [
  ...new Set(
    [
      ...readdirSync(root),
      ...(existsSync(path.join(root, 'l10n')) ? readdirSync(path.join(root, 'l10n')) : []),
    ].flatMap((file) => /^(?:package\.nls|bundle\.l10n)\.(.+)\.json$/.exec(file)?.[1] ?? []),
  ),
].sort();
const files = locales.flatMap((locale) => [
  { file: `package.nls.${locale}.json`, wanted: manifestKeys },
  { file: `l10n/bundle.l10n.${locale}.json`, wanted: texts },
]);

const checked = files.map(({ file, wanted }) => {
  const translated = existsSync(path.join(root, file)) ? read(file) : {};
  const missing = [...wanted.keys()].filter((key) => !(key in translated));
  const stale = Object.keys(translated).filter((key) => !wanted.has(key));
  return { file, wanted, translated, missing, stale };
});

if (flags.includes('--json')) {
  const isHost = (file) => /^src\/(host\/.*|extension)\.ts$/.test(file);
  // What language models read stays English; what people read there still goes through vscode.l10n.t.
  const isForModels = (file) => file.startsWith('src/host/languageModel/');
  const isPage = (file) => /^webview\/.*(?<!\.d)\.ts$/.test(file);
  const plain = {
    host: plainTexts('tsconfig.json', (file) => isHost(file) && !isForModels(file)),
    webview: plainTexts('webview/tsconfig.json', isPage),
  };
  const translations = checked.map(({ file, translated, missing, stale }) => ({
    file,
    translated,
    missing,
    stale,
  }));
  process.stdout.write(JSON.stringify({ texts: Object.fromEntries(texts), faults, plain, translations }));
} else {
  mkdirSync(path.join(root, 'out/l10n'), { recursive: true });
  for (const fault of faults) console.log(fault);
  for (const { file, wanted, translated, missing, stale } of checked) {
    console.log(`${file}: ${wanted.size} texts, ${missing.length} missing, ${stale.length} no longer used`);
    for (const key of stale) console.log(`  no longer used: ${key}`);
    const todo = Object.fromEntries(missing.map((key) => [key, wanted.get(key).join(' ')]));
    writeFileSync(
      path.join(root, 'out/l10n', path.basename(file)),
      `${JSON.stringify(todo, undefined, 2)}\n`,
    );
    if (flags.includes('--tidy')) {
      const kept = Object.keys(translated)
        .filter((key) => wanted.has(key))
        .sort();
      const tidy = Object.fromEntries(kept.map((key) => [key, translated[key]]));
      writeFileSync(path.join(root, file), `${JSON.stringify(tidy, undefined, 2)}\n`);
    }
  }
  console.log('The texts that are missing, with where they stand, are in out/l10n/.');
}
