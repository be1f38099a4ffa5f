// npm test: every check of the project, in order, with one table and one line of totals at the end.
//   --only core,host   only these steps (names: see `steps`; what a step needs has to be built already)
//   --no-build         test what is in dist/ and out/ as it is
// A step fails if one of its tests fails, if it crashes, or if it ran no test at all.
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { targets } from './vscode/package.mjs';

const root = path.resolve(import.meta.dirname, '..');
const stepLimit = 20 * 60_000;

/** Each step: what it runs, how it is counted, and which earlier steps it cannot do without. */
const steps = {
  build: { run: () => check(process.execPath, ['esbuild.mjs', '--tests']), needs: [] },
  typecheck: { run: () => check('npm', ['run', '--silent', 'typecheck']), needs: [] },
  lint: { run: () => check('npm', ['run', '--silent', 'lint']), needs: [] },
  core: { run: () => nodeTests('core'), needs: ['build'] },
  worker: { run: () => nodeTests('worker'), needs: ['build'] },
  cli: { run: () => nodeTests('cli'), needs: ['build'] },
  host: { run: () => hostTests(), needs: ['build'] },
  package: { run: () => packages(), needs: ['build'] },
  ui: { run: () => windowTests('ui'), needs: ['package'] },
  web: { run: () => windowTests('web'), needs: ['package'] },
};

const chosen = choose();
const results = {};
for (const name of chosen) {
  console.log(`\n== ${name}`);
  const started = Date.now();
  const missing = steps[name].needs.find((needed) => results[needed]?.failed > 0);
  const result = missing ? problem(`Not run, because ${missing} failed.`) : await steps[name].run();
  results[name] = { ...result, seconds: (Date.now() - started) / 1000 };
  if (result.note) console.log(result.note);
}
report();

function choose() {
  const { values } = parseArgs({
    options: { only: { type: 'string' }, 'no-build': { type: 'boolean', default: false } },
  });
  const all = Object.keys(steps);
  const only = values.only?.split(',').map((name) => name.trim()) ?? all;
  const unknown = only.filter((name) => !all.includes(name));
  if (unknown.length > 0) {
    console.error(`There is no step ${unknown.join(', ')}. The steps are ${all.join(', ')}.`);
    process.exit(2);
  }
  return all.filter((name) => only.includes(name) && !(values['no-build'] && name === 'build'));
}

/** A step that passes or fails as a whole. */
async function check(command, args) {
  const { code } = await execute(command, args);
  return code === 0 ? { passed: 1, failed: 0, skipped: 0 } : { passed: 0, failed: 1, skipped: 0 };
}

/** Makes the package for this platform, if there is one, then that for all, which the windows run; and looks into both. */
async function packages() {
  const here = `${process.platform}-${process.arch}`;
  for (const args of [...(targets.includes(here) ? [['--target', here]] : []), []]) {
    const made = await check(process.execPath, ['test/vscode/package.mjs', ...args]);
    if (made.failed > 0) return made;
  }
  return nodeTests('package');
}

/** The tests of one folder, with Node's own runner. */
async function nodeTests(folder) {
  const files = testFiles(folder);
  return files.length > 0 ? nodeRun(folder, files) : problem(`There is no test in out/test/${folder}.`);
}

/**
 * The tests of one folder that open windows, one file at a time: two windows would share the processor and time each
 * other out. A file that fails gets a second attempt, which is said; what fails twice has failed.
 */
async function windowTests(folder) {
  const files = testFiles(folder);
  if (files.length === 0) return problem(`There is no test in out/test/${folder}.`);
  const sum = { passed: 0, failed: 0, skipped: 0 };
  const again = [];
  for (const file of files) {
    const name = path.basename(file, '.test.mjs');
    let result = await nodeRun(`${folder}-${name}`, [file]);
    if (result.failed > 0) {
      console.log(`\n${name} failed and tries again.`);
      again.push(name);
      result = await nodeRun(`${folder}-${name}`, [file]);
    }
    for (const key of Object.keys(sum)) sum[key] += result[key];
  }
  return { ...sum, note: again.length > 0 ? `A second attempt was needed by ${again.join(', ')}.` : '' };
}

/** The bundled test files of one folder. */
function testFiles(folder) {
  const from = path.join(root, 'out', 'test', folder);
  return (existsSync(from) ? readdirSync(from, { recursive: true }) : [])
    .filter((file) => /\.test\.m?js$/.test(file))
    .map((file) => path.join(from, file))
    .sort();
}

/** Runs test files and counts. Node 20 knows no patterns, so it is given the files. */
async function nodeRun(name, files) {
  const tap = path.join(root, 'out', 'test', `${name}.tap`);
  mkdirSync(path.dirname(tap), { recursive: true });
  rmSync(tap, { force: true });
  const spec = ['--test-reporter=spec', '--test-reporter-destination=stdout'];
  const totals = ['--test-reporter=tap', `--test-reporter-destination=${tap}`];
  const { code } = await execute(process.execPath, ['--test', ...spec, ...totals, ...files]);
  const text = existsSync(tap) ? readFileSync(tap, 'utf8') : '';
  const count = (word) => Number(new RegExp(`^# ${word} (\\d+)$`, 'm').exec(text)?.[1] ?? 0);
  // To Node a file without a test is one test that passed, named after the file.
  const passedNames = new Set(
    [...text.matchAll(/^ok \d+ - (.*)$/gm)].map(([, name]) => name.replaceAll('\\\\', '\\')),
  );
  const empty = files.filter((file) => passedNames.has(file));
  return settle(code, {
    passed: count('pass') - empty.length,
    failed: count('fail') + count('cancelled') + empty.length,
    skipped: count('skipped') + count('todo'),
    note: empty.map((file) => `${path.relative(root, file)} contains no test.`).join('\n'),
  });
}

/** The suite in the extension host; its last line is its count. */
async function hostTests() {
  const { code, output } = await execute(process.execPath, ['test/vscode/inHost.mjs']);
  const [, passed, failed, skipped] = /^(\d+) passed, (\d+) failed(?:, (\d+) skipped)?$/m.exec(output) ?? [];
  if (passed === undefined) return problem('The in-host suite did not come to its end.');
  return settle(code, { passed: Number(passed), failed: Number(failed), skipped: Number(skipped ?? 0) });
}

/** A step that exits with an error has failed, whatever it counted; so has one that ran nothing. */
function settle(code, result) {
  if (code !== 0 && result.failed === 0)
    return { ...result, failed: 1, note: `It ended with exit code ${code}.` };
  if (result.passed + result.failed === 0) return { ...result, failed: 1, note: 'It ran no test.' };
  return result;
}

function problem(note) {
  return { passed: 0, failed: 1, skipped: 0, note };
}

/** Runs a command in the project's folder, shows its output as it comes, and resolves with code and stdout. */
function execute(command, args) {
  const shell = process.platform === 'win32' && command === 'npm';
  const child = spawn(command, args, {
    cwd: root,
    shell,
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: stepLimit,
  });
  // Ctrl-C reaches the child as well, which cleans up after itself: wait for it.
  const stop = (signal) => {
    child.kill(signal);
    child.once('exit', () => process.exit(1));
  };
  process.once('SIGINT', stop).once('SIGTERM', stop);
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text) => {
    output += text;
    process.stdout.write(text);
  });
  return new Promise((resolve) => {
    const end = (code) => {
      process.off('SIGINT', stop).off('SIGTERM', stop);
      resolve({ code, output });
    };
    child.once('error', (error) => {
      console.error(`${command} could not be started: ${error.message}`);
      end(1);
    });
    child.once('close', (code, signal) => {
      if (signal)
        console.log(`Ended by ${signal}${child.killed ? ` after ${stepLimit / 60_000} minutes` : ''}.`);
      end(code ?? 1);
    });
  });
}

function report() {
  const sum = (key) => Object.values(results).reduce((total, result) => total + result[key], 0);
  console.log(
    `\n${'step'.padEnd(10)} ${'passed'.padStart(7)} ${'failed'.padStart(7)} ${'seconds'.padStart(8)}`,
  );
  for (const [name, { passed, failed, seconds, note }] of Object.entries(results)) {
    const row = [
      name.padEnd(10),
      String(passed).padStart(7),
      String(failed).padStart(7),
      seconds.toFixed(1).padStart(8),
    ];
    console.log(`${row.join(' ')}${note ? `  ${note.split('\n')[0]}` : ''}`);
  }
  const skipped = sum('skipped') > 0 ? `, ${sum('skipped')} skipped` : '';
  console.log(`\n${sum('passed')} passed, ${sum('failed')} failed${skipped}`);
  process.exitCode = sum('failed') > 0 ? 1 : 0;
}
