import { readFileSync, writeFileSync } from 'node:fs';
import { strFromU8, strToU8, unzipSync, zipSync } from 'fflate';

/**
 * Copies a packaged extension for a server's web extension host, which runs only extensions without `main`: where there
 * is a remote host it would be taken, as there is none at vscode.dev.
 */
export function writeWebVariant(vsix, target = vsix.replace(/\.vsix$/, '.web.vsix')) {
  const files = unzipSync(readFileSync(vsix));
  const manifest = JSON.parse(strFromU8(files['extension/package.json']));
  const { main: _main, extensionKind: _kind, ...rest } = manifest;
  // What a browser must not need is not there.
  const kept = Object.entries(files).filter(
    ([name]) => !/^extension\/dist\/[^/]+\.js$/.test(name) || /webview/.test(name),
  );
  const all = { ...Object.fromEntries(kept), 'extension/package.json': strToU8(JSON.stringify(rest)) };
  writeFileSync(target, zipSync(all, { level: 1 }));
  return target;
}
