import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { CALIBRATION_OPTIONS } from '../../src/cli/calibrationOptions';
import { COMPRESS_OPTIONS } from '../../src/cli/compressCommand';
import { parse } from '../../src/cli/usage';
import { sameFigures } from './sameFigures';

/** The bundle that users start. */
export const CLI = path.resolve('dist/cli.js');

/** What runs this long hangs, however slow the machine. */
const HANGS_MS = 300_000;

/** How a command ended, and what it said. */
export interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const start = (args: readonly string[]): Ended =>
  spawnSync(process.execPath, [CLI, ...args], { encoding: 'utf8', timeout: HANGS_MS });

/** Runs a command; what `compress` writes is looked at by `verify`, which has to come to the figures of the report. */
export function run(...args: string[]): Ended {
  if (args[0] !== 'compress') return start(args);
  const folder = mkdtempSync(path.join(tmpdir(), 'ranksmith-report-'));
  try {
    const file = path.join(folder, 'report.json');
    const ended = start([...args, '--report', file]);
    if (ended.status === 0) check(args, JSON.parse(readFileSync(file, 'utf8')).report);
    return ended;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function check(args: readonly string[], report: Parameters<typeof sameFigures>[1]): void {
  const { values } = parse(args.slice(1), COMPRESS_OPTIONS);
  const given: Readonly<Record<string, unknown>> = values;
  const same = [...Object.keys(CALIBRATION_OPTIONS), 'seed', 'dim'].flatMap((name) =>
    [given[name] ?? []].flat().flatMap((value) => [`--${name}`, `${value}`]),
  );
  const verified = start(['verify', report.original.file, report.compressed.file, ...same, '--json']);
  assert.equal(verified.status, 0, verified.stdout + verified.stderr);
  sameFigures(JSON.parse(verified.stdout), report);
}
