/**
 * `npm run bench:activation [-- WINDOWS]`: what the extension
 * costs when it is activated, in the real extension host of VS Code (test/vscode), one new window each: milliseconds to load
 * the bundle and to run `activate()`, and the threads that were started (none: no work is done before something asks
 * for it). Medians; ends with an error above the limit of 50 ms. The extension is a copy without activation events: with
 * them VS Code itself may have activated it (it looks at JSON of its own) before anything can be measured.
 */
import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type ActivationTimes, FIGURES } from './activationTimes';

const LIMIT_MS = 50;

/** A copy of the extension that nothing activates. */
function copyWithoutEvents(folder: string): void {
  mkdirSync(folder);
  for (const part of ['dist', 'media', 'package.nls.json']) {
    cpSync(part, path.join(folder, part), { recursive: true });
  }
  const manifest = { ...JSON.parse(readFileSync('package.json', 'utf8')), activationEvents: [] };
  writeFileSync(path.join(folder, 'package.json'), JSON.stringify(manifest));
}

function measure(extension: string, workspace: string): ActivationTimes {
  const { stdout, stderr } = spawnSync(
    process.execPath,
    [
      'test/vscode/inHost.mjs',
      ...['--extension', extension, '--workspace', workspace, '--tests', 'out/bench/activationSuite.js'],
    ],
    { encoding: 'utf8', timeout: 600_000 },
  );
  const line = stdout.split('\n').find((each) => each.startsWith(FIGURES));
  if (!line) throw new Error(`A window gave no figures.\n${stdout}\n${stderr}`);
  return JSON.parse(line.slice(FIGURES.length));
}

const median = (values: readonly number[]) => [...values].sort((a, b) => a - b)[values.length >> 1]!;

function main(windows: number): void {
  const folder = mkdtempSync(path.join(tmpdir(), 'ranksmith-activation-'));
  const extension = path.join(folder, 'extension');
  const workspace = path.join(folder, 'workspace');
  try {
    copyWithoutEvents(extension);
    mkdirSync(workspace);
    copyFileSync('media/sample/fashion-vgg.onnx', path.join(workspace, 'fashion-vgg.onnx'));
    const all = Array.from({ length: windows }, () => measure(extension, workspace));
    const of = (pick: (times: ActivationTimes) => number) => all.map(pick);
    const text = (values: readonly number[]) =>
      `${median(values).toFixed(1).padStart(7)} ms   (${values.map((each) => each.toFixed(1)).join(', ')})`;
    const total = median(of(({ load, activate }) => load + activate));
    console.log(
      `bundle      ${String(Math.round(statSync('dist/extension.js').size / 1000)).padStart(7)} kB`,
    );
    console.log(`load        ${text(of(({ load }) => load))}`);
    console.log(`activate    ${text(of(({ activate }) => activate))}`);
    console.log(`together    ${text(of(({ load, activate }) => load + activate))}   limit ${LIMIT_MS} ms`);
    console.log(`processor   ${text(of(({ processor }) => processor))}   of both, all threads of the host`);
    console.log(`round trip  ${text(of(({ roundTrip }) => roundTrip))}   of VS Code itself`);
    console.log(`threads     ${String(Math.max(...of(({ threads }) => threads))).padStart(7)}`);
    if (total > LIMIT_MS || all.some(({ threads }) => threads > 0)) process.exitCode = 1;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

main(Number(process.argv[2] ?? 5));
