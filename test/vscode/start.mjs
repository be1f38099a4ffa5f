// npm start: builds the extension and opens the sample models in a VS Code that has it.
//   --server   use the VS Code server from npm even if there is a desktop VS Code
//   --port N   the server's port (default: a free one)
//   --check    start the server, load the page until it shows the sample, and end; what the tests run
//   --no-build take the VSIX in out/ as it is
import { cpSync, existsSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { chromium } from 'playwright-core';
import { chromiumOptions } from './chromium.mjs';
import { root } from './install.mjs';
import { build, packageVsix, vsixFile } from './package.mjs';
import { launch, onPath, run } from './processes.mjs';
import { startServer } from './server.mjs';

const sample = path.join(root, 'media', 'sample');

const { values: flags } = parseArgs({
  options: {
    server: { type: 'boolean', default: false },
    port: { type: 'string', default: '0' },
    check: { type: 'boolean', default: false },
    'no-build': { type: 'boolean', default: false },
  },
});

try {
  const desktop = flags.server || flags.check ? undefined : desktopVsCode();
  if (desktop) await openDesktop(desktop);
  else await openServer();
} catch (error) {
  console.error(error.message);
  process.exit(1);
}

/** The executable of a desktop VS Code that could show itself here, or undefined. */
function desktopVsCode() {
  const given = process.env.VSCODE_EXECUTABLE;
  if (given && !existsSync(given))
    throw new Error(`VSCODE_EXECUTABLE is set to ${given}, but there is no such file.`);
  return hasDisplay() ? (given ?? onPath('code')) : undefined;
}

function hasDisplay() {
  if (process.platform !== 'linux') return true;
  return Boolean(process.env.DISPLAY || process.env.WAYLAND_DISPLAY);
}

async function openDesktop(executable) {
  if (!flags['no-build']) await build();
  // `code` returns at once and its window stays, so the copy is left to the system's temporary folder.
  const folder = path.join(mkdtempSync(path.join(tmpdir(), 'ranksmith-')), 'sample');
  cpSync(sample, folder, { recursive: true });
  console.log(`Opening a copy of the sample models, ${folder}, in ${executable}.`);
  const shell = executable.endsWith('.cmd');
  await run(executable, [`--extensionDevelopmentPath=${root}`, folder], { what: 'VS Code', shell });
}

async function openServer() {
  if (!flags['no-build'] || !existsSync(vsixFile)) await packageVsix();
  const server = await startServer({ vsix: vsixFile, workspace: sample, port: Number(flags.port) });
  try {
    if (flags.check) {
      await check(server);
      console.log('ready');
      return;
    }
    const url = decodeURIComponent(server.pageUrl());
    console.log(`VS Code with Ranksmith, on a copy of the sample models: ${url}\nCtrl-C ends it.`);
    if (hasDisplay()) showInBrowser(url);
    await server.ended;
    throw new Error(`The VS Code server ended by itself. Its log:\n${server.log().slice(-4000)}`);
  } finally {
    await server.stop();
  }
}

function showInBrowser(url) {
  const [command, ...args] = {
    darwin: ['open', url],
    win32: ['explorer.exe', url],
  }[process.platform] ?? ['xdg-open', url];
  // Whoever has no browser has the printed address.
  launch(command, args, { stdio: 'ignore' }).child.once('error', () => {});
}

async function check(server) {
  const browser = await chromium.launch(await chromiumOptions());
  try {
    const page = await browser.newPage();
    await page.goto(server.pageUrl());
    const model = page
      .locator('.explorer-folders-view')
      .getByRole('treeitem', { name: /\.onnx/ })
      .first();
    await model.waitFor({ timeout: 60_000 });
  } finally {
    await browser.close();
  }
}
