import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { ensureServer } from './install.mjs';
import { atExit, launch, run } from './processes.mjs';

/** Settings that keep a fresh VS Code quiet: nothing asked, nothing fetched, nothing in the way of a test. */
const quietSettings = {
  'chat.disableAIFeatures': true,
  'extensions.autoCheckUpdates': false,
  'extensions.autoUpdate': false,
  // As on a desktop: in a browser VS Code would save what is typed after a second.
  'files.autoSave': 'off',
  'git.enabled': false,
  'security.workspace.trust.enabled': false,
  'telemetry.telemetryLevel': 'off',
  'update.mode': 'none',
  'workbench.enableExperiments': false,
  'workbench.reduceMotion': 'on',
  'workbench.secondarySideBar.defaultVisibility': 'hidden',
  'workbench.startupEditor': 'none',
};

/**
 * Starts a VS Code server on loopback, with throw-away data.
 *
 * - `vsix`: a packaged extension to install first, or several.
 * - `workspace`: a folder to work on. It is copied, so that nothing done in the editor reaches the original.
 * - `settings`: user settings on top of `quietSettings`. `args`, `env`: for the server. `port`: 0 is any free one.
 *
 * Resolves with `{ url, pageUrl(query?), emptyUrl, uri(path), workspace, data, configure(settings), log(), ended, stop() }`;
 * `workspace` is the copy, `configure` changes user settings, `emptyUrl` a window without a folder, `data` the folder of the server's own files, `ended` resolves when the server is gone. Rejects with a sentence and the server's log if it ends early or does
 * not answer within a minute.
 */
export async function startServer({ vsix, workspace, settings = {}, args = [], env = {}, port = 0 } = {}) {
  const { folder, node } = await ensureServer();
  const data = mkdtempSync(path.join(tmpdir(), 'ranksmith-vscode-'));
  const removeData = () => rmSync(data, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  const forget = atExit(removeData);
  try {
    const configured = { ...quietSettings, ...settings };
    writeSettings(data, configured);
    const copy = path.join(data, 'workspace', workspace ? path.basename(workspace) : 'empty');
    mkdirSync(copy, { recursive: true });
    if (workspace) cpSync(workspace, copy, { recursive: true });

    const options = { cwd: folder, env: { ...cleanEnvironment(), ...ownTemporaryFolder(data), ...env } };
    const common = ['out/server-main.js', '--server-data-dir', data, '--accept-server-license-terms'];
    const packages = [vsix ?? []].flat().map((each) => path.resolve(each));
    if (packages.length > 0) {
      const install = [...common, ...packages.flatMap((each) => ['--install-extension', each]), '--force'];
      await run(node, install, { ...options, what: `Installing ${path.basename(packages[0])} into VS Code` });
    }
    const own = ['--host', '127.0.0.1', '--port', String(port), '--without-connection-token'];
    const quiet = ['--disable-telemetry', '--disable-workspace-trust'];
    const server = await serve(node, [...common, ...own, ...quiet, ...args], options);
    return {
      url: server.url,
      workspace: copy,
      data,
      pageUrl: (query = {}) =>
        `${server.url}/?${new URLSearchParams({ folder: serverPath(copy), ...query })}`,
      emptyUrl: `${server.url}/?ew=true`,
      uri: (file) => `vscode-remote://${new URL(server.url).host}${encodeURI(serverPath(file))}`,
      configure: (changed) => writeSettings(data, Object.assign(configured, changed)),
      log: server.log,
      ended: server.ended,
      stop: async () => {
        await server.end();
        removeData();
        forget();
      },
    };
  } catch (error) {
    removeData();
    forget();
    throw new Error(withoutNoise(error.message), { cause: error });
  }
}

/** Runs the server until it answers; ends it again if it does not. */
async function serve(node, args, options) {
  const { child, ended, end } = launch(node, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
  let log = '';
  try {
    const url = await listening(child, (text) => {
      log += text;
      if (process.env.VERBOSE) process.stderr.write(text);
      return log;
    });
    await answering(url);
    return { url, ended, end, log: () => log };
  } catch (error) {
    await end();
    throw new Error(`The VS Code server ${error.message}. Its log:\n${log || '(empty)'}`);
  }
}

function writeSettings(data, settings) {
  for (const scope of ['User', 'Machine']) {
    const folder = path.join(data, 'data', scope);
    mkdirSync(folder, { recursive: true });
    writeFileSync(path.join(folder, 'settings.json'), JSON.stringify(settings, undefined, 2));
  }
}

/** The environment without what would make the server believe that it runs inside another VS Code or a test. */
function cleanEnvironment() {
  const foreign = /^(VSCODE_|ELECTRON_|NODE_OPTIONS$|NODE_TEST_CONTEXT$)/;
  const entries = Object.entries(process.env).filter(([name]) => !foreign.test(name));
  // No gallery: a server that cannot look extensions up does not try to.
  return { ...Object.fromEntries(entries), EXTENSIONS_GALLERY: '{}' };
}

/**
 * The server leaves its sockets behind in the temporary folder: give it one of its own. Not where the path would
 * get too long for a socket (about 100 characters, of which VS Code needs 53), as it does on macOS.
 */
function ownTemporaryFolder(data) {
  const folder = path.join(data, 't');
  if (process.platform !== 'linux' || folder.length > 45) return {};
  mkdirSync(folder);
  return { TMPDIR: folder, XDG_RUNTIME_DIR: folder };
}

/** A path as it stands in the server's URIs: with forward slashes, and one in front of a drive letter. */
const serverPath = (file) => decodeURIComponent(pathToFileURL(file).pathname);

/**
 * A log without the stack traces about the server's native modules: they are not compiled (see install.mjs),
 * and it does without them, but says so at length.
 */
function withoutNoise(log) {
  const noise = /spdlog|watchdog|vsda|bindings file|^ +at |^ +tries: |^ *[\]}]?$/;
  return log
    .split('\n')
    .filter((line) => !noise.test(line))
    .slice(-30)
    .join('\n');
}

function listening(child, append) {
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Error('did not start to listen within 60 s')), 60_000);
    const onText = (text) => {
      const log = append(text);
      const port = /Extension host agent listening on (\d+)/.exec(log)?.[1];
      const refused = /Error: listen E\w+: .*/.exec(log)?.[0];
      if (port) resolve(`http://127.0.0.1:${port}`);
      if (refused) reject(new Error(`cannot listen (${refused})`));
      if (port || refused) clearTimeout(late);
    };
    for (const from of [child.stdout, child.stderr]) from.setEncoding('utf8').on('data', onText);
    child.once('error', (error) => reject(new Error(`could not be started (${error.message})`)));
    child.once('exit', (code, signal) => {
      clearTimeout(late);
      reject(new Error(`ended before it listened (${signal ?? `exit code ${code}`})`));
    });
  });
}

async function answering(url) {
  const response = await fetch(url, { signal: AbortSignal.timeout(60_000) }).catch((error) => {
    throw new Error(`does not answer at ${url} (${error.cause?.message ?? error.message})`);
  });
  await response.arrayBuffer();
  if (!response.ok) throw new Error(`answers ${response.status} at ${url}`);
}
