import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { promisify } from 'node:util';

test('npm start brings up a VS Code that shows the sample models', { timeout: 120_000 }, async () => {
  const args = ['test/vscode/start.mjs', '--check', '--no-build'];
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: process.cwd() });
  assert.equal(stdout.trim().split('\n').at(-1), 'ready');
});
