// npm run package: the extension as a VSIX in out/.
//   --target linux-x64   one for a single platform, with ONNX Runtime's native half (out/ranksmith-linux-x64.vsix)
//   --out FILE           another place
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { root } from './install.mjs';
import { npm, run } from './processes.mjs';

/** Where the packaged extension is put. */
export const vsixFile = path.join(root, 'out', 'ranksmith.vsix');

/** Builds the extension as `npm run build` does. */
export const build = () =>
  npm(['run', 'build'], { cwd: root, what: 'The build (npm run build)', stream: true });

/** The platforms that onnxruntime-node has libraries for. All others get the package for every platform. */
export const targets = ['linux-x64', 'linux-arm64', 'win32-x64', 'win32-arm64', 'darwin-arm64'];

/** The VSIX for one platform, or for all. */
export const vsixFor = (target) => (target ? path.join(root, 'out', `ranksmith-${target}.vsix`) : vsixFile);

/**
 * Packages the extension, built for production. Resolves with the file.
 *
 * vsce works on a copy with what .vscodeignore names, so that the readme can be what its readers need: pictures in it are
 * not in the package, but on the web, below the repository that package.json names or RANKSMITH_IMAGES_URL. While there is
 * neither, the packaged readme does without them.
 */
export async function packageVsix({ target, out = vsixFor(target) } = {}) {
  if (target && !targets.includes(target)) {
    throw new Error(`There is no package for ${target}. The platforms are ${targets.join(', ')}.`);
  }
  const { RANKSMITH_TARGET: _, ...others } = process.env;
  const env = target ? { ...others, RANKSMITH_TARGET: target } : others;
  await npm(['run', 'vscode:prepublish'], { cwd: root, env, what: 'The build for production' });
  const images = process.env.RANKSMITH_IMAGES_URL;
  const folder = stage(images);
  mkdirSync(path.dirname(out), { recursive: true });
  const args = ['package', '--out', out];
  if (target) args.push('--target', target);
  if (images) args.push('--baseImagesUrl', images, '--baseContentUrl', images);
  const vsce = path.join(root, 'node_modules/@vscode/vsce/vsce');
  await run(process.execPath, [vsce, ...args], {
    cwd: folder,
    env,
    what: 'Packaging the extension (vsce package)',
  });
  return out;
}

/** Makes the copy, in out/package. */
function stage(images) {
  const folder = path.join(root, 'out', 'package');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const nls = readdirSync(root).filter((file) => /^package\.nls(\..+)?\.json$/.test(file));
  for (const each of ['.vscodeignore', 'CHANGELOG.md', 'LICENSE', 'dist', 'l10n', 'media', ...nls]) {
    cpSync(path.join(root, each), path.join(folder, each), { recursive: true });
  }
  // What is built already is not built again, and what it was built of is nobody's dependency.
  const {
    scripts: _,
    devDependencies: __,
    optionalDependencies: ___,
    ...manifest
  } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));
  writeFileSync(path.join(folder, 'package.json'), JSON.stringify(manifest, undefined, 2));
  const readme = readFileSync(path.join(root, 'README.md'), 'utf8');
  const hasPictures = images || manifest.repository;
  writeFileSync(
    path.join(folder, 'README.md'),
    hasPictures ? readme : readme.replace(/^!\[[^\]]*\]\(media\/[^)]*\)\n\n?/gm, ''),
  );
  return folder;
}

if (process.argv[1] === import.meta.filename) {
  try {
    const { values } = parseArgs({ options: { target: { type: 'string' }, out: { type: 'string' } } });
    const file = await packageVsix({ ...values, ...(values.out && { out: path.resolve(values.out) }) });
    console.log(path.relative(process.cwd(), file));
  } catch (error) {
    console.error(error.message);
    process.exitCode = 1;
  }
}
