// Runs the Mocha suite in out/test/host inside the real extension host of a VS Code server, in Chromium.
//   node test/vscode/inHost.mjs [--extension FOLDER] [--tests FILE] [--workspace FOLDER] [--timeout SECONDS]
// The exit code is the suite's. MOCHA_GREP picks tests by name; VERBOSE=1 shows everything VS Code says.
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { format, parseArgs, stripVTControlCharacters } from 'node:util';
import { chromium } from 'playwright-core';
import { chromiumOptions } from './chromium.mjs';
import { root } from './install.mjs';
import { startServer } from './server.mjs';

const mark = '[ranksmith suite] ';

const { values } = parseArgs({
  options: {
    extension: { type: 'string', default: root },
    tests: { type: 'string', default: path.join(root, 'out/test/host/index.js') },
    workspace: { type: 'string', default: path.join(root, 'media/sample') },
    timeout: { type: 'string', default: '300' },
  },
});

try {
  const { code, totals } = await runInHost({
    extension: path.resolve(values.extension),
    tests: path.resolve(values.tests),
    workspace: path.resolve(values.workspace),
    timeout: Number(values.timeout) * 1000,
  });
  const skipped = totals.pending > 0 ? `, ${totals.pending} skipped` : '';
  console.log(`${totals.passes} passed, ${totals.failures} failed${skipped}`);
  process.exitCode = code;
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}

/** Resolves with the suite's exit code and Mocha's totals; rejects if the suite did not come to its end. */
async function runInHost({ extension, tests, workspace, timeout }) {
  if (!existsSync(tests)) throw new Error(`There is no test bundle at ${tests}. Build first: npm run build`);
  const server = await startServer({
    workspace: existsSync(workspace) ? workspace : undefined,
    // A built VS Code takes extensionTestsPath from the address only with this flag, and says nothing without it.
    args: ['--enable-smoke-test-driver'],
    env: { RANKSMITH_SUITE_MARK: mark },
  });
  const browser = await chromium.launch(await chromiumOptions());
  const log = [];
  let totals;
  try {
    const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
    if (process.env.VERBOSE) page.on('console', (message) => console.error(`[page] ${message.text()}`));
    // Everything that is logged in the window and in the extension host arrives here, the suite's lines among it.
    await page.exposeFunction('codeAutomationLog', (type, args) => {
      const text = format(...args).trimEnd();
      log.push(`${type} ${text}`);
      const line = stripVTControlCharacters(text);
      const start = line.indexOf(mark);
      if (start < 0) return;
      const said = line.slice(start + mark.length);
      if (said.startsWith('totals {')) totals = JSON.parse(said.slice('totals '.length));
      else console.log(said);
    });
    let exited;
    const ended = new Promise((resolve, reject) => {
      exited = resolve;
      page.on('crash', () => reject(new Error('ended because its browser page crashed')));
      setTimeout(() => reject(new Error(`gave no result within ${timeout / 1000} s`)), timeout).unref();
    });
    await page.exposeFunction('codeAutomationExit', exited);
    const payload = [
      ['extensionDevelopmentPath', server.uri(extension)],
      ['extensionTestsPath', server.uri(tests)],
      ['skipWelcome', 'true'],
    ];
    const loaded = page.goto(server.pageUrl({ payload: JSON.stringify(payload) }));
    const [code] = await Promise.all([ended, loaded]).catch(async (error) => {
      await page
        .screenshot({ path: path.join(outFolder('screenshots'), 'in-host-failure.png') })
        .catch(() => {});
      throw error;
    });
    if (!totals) throw new Error(`ended with exit code ${code} before Mocha had run`);
    return { code, totals };
  } catch (error) {
    const where = path.relative(root, path.join(outFolder(), 'in-host.log'));
    throw new Error(
      `The in-host suite ${error.message}. All that was logged is in ${where}; its end:\n${digest(log)}`,
    );
  } finally {
    writeFileSync(path.join(outFolder(), 'in-host.log'), `${log.join('\n')}\n--- server\n${server.log()}`);
    await browser.close();
    await server.stop();
  }
}

/** The last entries of the log, each cut to a few lines, without what a healthy run says as well. */
function digest(log) {
  // The server's native modules are not compiled (see install.mjs), which it mentions and does without.
  const usual = /spdlog|watchdog|builtin extensions|AccountPolicyGate|GitHub/;
  const told = log.filter((entry) => !usual.test(entry)).slice(-20);
  return told.map((entry) => entry.split('\n').slice(0, 5).join('\n')).join('\n');
}

function outFolder(name = '') {
  const folder = path.join(root, 'out', name);
  mkdirSync(folder, { recursive: true });
  return folder;
}
