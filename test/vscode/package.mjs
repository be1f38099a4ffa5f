import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { root } from './install.mjs';
import { npm } from './processes.mjs';

/** Where the packaged extension is put. */
export const vsixFile = path.join(root, 'out', 'ranksmith.vsix');

/** Builds the extension as `npm run build` does. */
export const build = () =>
  npm(['run', 'build'], { cwd: root, what: 'The build (npm run build)', stream: true });

/** Packages the extension, which vsce builds for production first (the manifest's vscode:prepublish). */
export async function packageVsix() {
  mkdirSync(path.dirname(vsixFile), { recursive: true });
  const args = ['exec', '--', 'vsce', 'package', '--out', vsixFile];
  await npm(args, { cwd: root, what: 'Packaging the extension (vsce package)' });
}

if (process.argv[1] === import.meta.filename) {
  await packageVsix().catch((error) => {
    console.error(error.message);
    process.exitCode = 1;
  });
}
