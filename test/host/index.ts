import { readdirSync } from 'node:fs';
import path from 'node:path';
import { format } from 'node:util';

/**
 * What VS Code calls inside the extension host: runs every bundled `*.test.js` beside this file with Mocha, and
 * rejects if a test fails. Both runners use it: test/vscode/inHost.mjs and test/electron/run.mjs.
 *
 * MOCHA_GREP picks tests by name. The first runner sees one stream that carries the whole workbench's log, so it
 * asks for a mark before each line of the suite (RANKSMITH_SUITE_MARK), and for the totals as one more line.
 */
export async function run(): Promise<void> {
  // Mocha is an ES module and this bundle is CommonJS: the import has to stay one.
  const { default: Mocha } = await import('mocha');
  const mark = process.env.RANKSMITH_SUITE_MARK;
  const grep = process.env.MOCHA_GREP;
  if (mark) {
    Mocha.reporters.Base.consoleLog = (...values: unknown[]) => {
      for (const line of format(...values).split('\n')) console.log(mark + line);
    };
  }
  const mocha = new Mocha({
    ui: 'bdd',
    reporter: 'spec',
    timeout: 30_000,
    color: false,
    // The window shares its machine with the rest: a test may try twice, but not unseen.
    retries: 1,
    ...(grep && { grep }),
  });
  for (const file of readdirSync(__dirname, { recursive: true, encoding: 'utf8' }).sort()) {
    if (file.endsWith('.test.js')) mocha.addFile(path.join(__dirname, file));
  }
  const totals = await new Promise<Mocha.Stats>((resolve) => {
    const runner = mocha.run(() => resolve(runner.stats!));
    runner.on(Mocha.Runner.constants.EVENT_TEST_RETRY, (test: Mocha.Test, error: Error) => {
      console.log(`${mark ?? ''}tries again: ${test.fullTitle()}: ${error.stack ?? error.message}`);
    });
  });
  if (mark) console.log(`${mark}totals ${JSON.stringify(totals)}`);
  if (totals.failures > 0) throw new Error(`${totals.failures} of ${totals.tests} in-host tests failed.`);
}
