import {
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { strToU8, zipSync } from 'fflate';

/**
 * A folder as a virtual file system for VS Code: a server on loopback that serves a copy of it, and the extension
 * (`vsix`) that makes it known as `uri`. Nothing of it is on a disk that the editor sees.
 *
 * Resolves with `{ folder, uri, vsix, requests, refuse(pattern), close() }`: `folder` is the copy, `requests` what was
 * asked ("read /sample/x.onnx"), and of what a pattern fits writing is refused.
 */
export async function serveVirtualFiles(source) {
  const root = mkdtempSync(path.join(tmpdir(), 'ranksmith-web-'));
  const folder = path.join(root, path.basename(source));
  cpSync(source, folder, { recursive: true });
  const requests = [];
  let refused;
  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url, 'http://loopback');
    const [, call, inside] = /^\/(\w+)(\/.*)$/.exec(decodeURIComponent(pathname)) ?? [];
    const parts = [];
    request
      .on('data', (part) => parts.push(part))
      .on('end', () => {
        response.setHeader('Access-Control-Allow-Origin', '*');
        response.setHeader('Access-Control-Allow-Methods', 'GET, PUT');
        if (request.method === 'OPTIONS') return response.end();
        requests.push(`${call} ${inside}`);
        if (
          call !== 'read' &&
          call !== 'stat' &&
          call !== 'list' &&
          refused?.test(searchParams.get('to') ?? inside)
        ) {
          response.statusCode = 403;
          return response.end('Unavailable');
        }
        try {
          response.end(
            CALLS[call](path.join(root, inside), { body: Buffer.concat(parts), root, query: searchParams }),
          );
        } catch (error) {
          response.statusCode = 404;
          response.end({ ENOENT: 'FileNotFound', EEXIST: 'FileExists' }[error.code] ?? String(error));
        }
      });
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const vsix = path.join(root, 'virtualfiles.vsix');
  writeFileSync(vsix, extension());
  return {
    folder,
    uri: `ranksmithtest://127.0.0.1:${server.address().port}/${path.basename(source)}`,
    vsix,
    requests,
    refuse(pattern) {
      refused = pattern;
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      rmSync(root, { recursive: true, force: true });
    },
  };
}

const CALLS = {
  stat(file) {
    const { size, mtimeMs, ctimeMs } = statSync(file);
    return JSON.stringify({
      type: statSync(file).isDirectory() ? 2 : 1,
      size,
      mtime: mtimeMs,
      ctime: ctimeMs,
    });
  },
  list: (file) =>
    JSON.stringify(
      readdirSync(file, { withFileTypes: true }).map((entry) => [entry.name, entry.isDirectory() ? 2 : 1]),
    ),
  read: (file) => readFileSync(file),
  write: (file, { body }) => void writeFileSync(file, body),
  rename(file, { root, query }) {
    const target = path.join(root, query.get('to'));
    if (existsSync(target) && query.get('overwrite') !== 'true')
      throw Object.assign(new Error(), { code: 'EEXIST' });
    renameSync(file, target);
  },
  delete: (file) => void rmSync(file, { recursive: true }),
};

/** A VSIX with the extension below, for the web extension host. */
function extension() {
  const manifest = {
    name: 'virtualfiles',
    publisher: 'ranksmith-test',
    version: '1.0.0',
    engines: { vscode: '^1.106.0' },
    browser: './extension.js',
    activationEvents: ['onFileSystem:ranksmithtest'],
    capabilities: { virtualWorkspaces: true, untrustedWorkspaces: { supported: true } },
  };
  const vsix = `<?xml version="1.0" encoding="utf-8"?>
<PackageManifest Version="2.0.0" xmlns="http://schemas.microsoft.com/developer/vsx-schema/2011">
<Metadata><Identity Language="en-US" Id="virtualfiles" Version="1.0.0" Publisher="ranksmith-test"/><DisplayName>Virtual files</DisplayName></Metadata>
<Installation><InstallationTarget Id="Microsoft.VisualStudio.Code"/></Installation>
<Dependencies/><Assets><Asset Type="Microsoft.VisualStudio.Code.Manifest" Path="extension/package.json" Addressable="true"/></Assets>
</PackageManifest>`;
  const types = `<?xml version="1.0" encoding="utf-8"?>
<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="json" ContentType="application/json"/><Default Extension="js" ContentType="application/javascript"/><Default Extension="vsixmanifest" ContentType="text/xml"/></Types>`;
  return zipSync({
    'extension.vsixmanifest': strToU8(vsix),
    '[Content_Types].xml': strToU8(types),
    'extension/package.json': strToU8(JSON.stringify(manifest)),
    'extension/extension.js': strToU8(`exports.activate = ${activate};`),
  });
}

/** Runs in the web extension host: a file system provider that asks the server above. */
function activate(context) {
  const vscode = require('vscode');
  const changed = new vscode.EventEmitter();
  const ask = async (call, uri, query = {}, init = {}) => {
    const address = `http://${uri.authority}/${call}${uri.path.split('/').map(encodeURIComponent).join('/')}`;
    const response = await fetch(`${address}?${new URLSearchParams(query)}`, init);
    if (response.ok) return response;
    const reason = await response.text();
    throw (vscode.FileSystemError[reason] ?? vscode.FileSystemError.Unavailable)(uri);
  };
  const tell = (type, ...uris) => changed.fire(uris.map((uri) => ({ type, uri })));
  const { Changed, Created, Deleted } = vscode.FileChangeType;
  const provider = {
    onDidChangeFile: changed.event,
    watch: () => new vscode.Disposable(() => {}),
    stat: async (uri) => (await ask('stat', uri)).json(),
    readDirectory: async (uri) => (await ask('list', uri)).json(),
    readFile: async (uri) => new Uint8Array(await (await ask('read', uri)).arrayBuffer()),
    createDirectory: () => {
      throw vscode.FileSystemError.NoPermissions();
    },
    async writeFile(uri, body) {
      const before = await ask('stat', uri).then(
        () => true,
        () => false,
      );
      await ask('write', uri, {}, { method: 'PUT', body });
      tell(before ? Changed : Created, uri);
    },
    async rename(from, to, { overwrite }) {
      await ask('rename', from, { to: to.path, overwrite: String(overwrite) }, { method: 'PUT' });
      tell(Deleted, from);
      tell(Created, to);
    },
    async delete(uri) {
      await ask('delete', uri, {}, { method: 'PUT' });
      tell(Deleted, uri);
    },
  };
  context.subscriptions.push(
    vscode.workspace.registerFileSystemProvider('ranksmithtest', provider, { isCaseSensitive: true }),
  );
}
