/**
 * The build: `node esbuild.mjs [--production] [--watch] [--tests] [--bench]`.
 * Makes dist/ (extension, worker, factoring thread, webview, CLI, LAPACK and ONNX Runtime in WebAssembly) and,
 * on demand, out/test and out/bench. RANKSMITH_TARGET=linux-x64 adds ONNX Runtime's native half for that platform. The layers of ARCHITECTURE.md are enforced here for free: only the
 * extension's bundle knows `vscode`, and core is bundled once for no platform at all.
 */
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import * as esbuild from 'esbuild';
import { buildLapack } from './wasm/build.mjs';

const flags = new Set(process.argv.slice(2));
for (const flag of flags) {
  if (!['--production', '--watch', '--tests', '--bench'].includes(flag)) {
    console.error(`esbuild.mjs does not know ${flag}.`);
    process.exit(2);
  }
}
const production = flags.has('--production');
const target = process.env.RANKSMITH_TARGET;

/** Every bundle: readable in development, small in production. */
const common = {
  bundle: true,
  minify: production,
  sourcemap: production ? false : 'linked',
  legalComments: 'none',
  // Its main entry looks for its own files at run time, where there are none.
  alias: { 'jsonc-parser': 'jsonc-parser/lib/esm/main.js' },
  logLevel: 'warning',
  absWorkingDir: import.meta.dirname,
};

/** Bundles for Node ≥ 20 and the extension host. ONNX Runtime's native half is looked up when it is needed. */
const node = {
  ...common,
  platform: 'node',
  format: 'cjs',
  target: 'node20',
  external: ['onnxruntime-node', 'onnxruntime-web'],
};

/**
 * One `vscode` for the whole bundle. Left to itself esbuild copies its hundreds of members once for every file that imports
 * it, which takes as long as all the rest of an activation. The banner has it; a file without a line for it has an error.
 */
const oneVscode = {
  name: 'one-vscode',
  setup(build) {
    build.onLoad({ filter: /[\\/]src[\\/](host[\\/].*|extension)\.ts$/ }, ({ path: file }) => ({
      loader: 'ts',
      contents: readFileSync(file, 'utf8')
        .replace(/^import \* as vscode from 'vscode';/m, '')
        .replace(/^import (\{[^}]*\}) from 'vscode';/m, 'const $1 = vscode;'),
    }));
  },
};

const ofHost = {
  external: ['vscode'],
  plugins: [oneVscode],
  banner: { js: "const vscode = require('vscode');" },
};

/**
 * Bundles for browsers: where there is a file `x.web.ts` it stands in the place of `x.ts`. A Node module that gets into
 * one of them fails the build.
 */
const web = {
  ...common,
  platform: 'browser',
  target: 'es2022',
  resolveExtensions: ['.web.ts', '.ts', '.mjs', '.js', '.json'],
};

/** Where a script is has no meaning in one that was made from a string; ONNX Runtime is told where its module is. */
const ofWorkers = { define: { 'import.meta.url': '""' } };

const bundles = [
  {
    ...node,
    entryPoints: ['src/extension.ts'],
    outfile: 'dist/extension.js',
    ...ofHost,
  },
  {
    ...node,
    entryPoints: ['src/worker/worker.ts', 'src/worker/factorThread.ts', 'src/worker/runtimeProcess.ts'],
    outdir: 'dist',
  },
  { ...node, entryPoints: ['src/cli/cli.ts'], outdir: 'dist', banner: { js: '#!/usr/bin/env node' } },
  {
    ...web,
    entryPoints: ['src/extension.ts'],
    outfile: 'dist/web/extension.js',
    format: 'cjs',
    ...ofHost,
  },
  {
    ...web,
    entryPoints: ['worker', 'factorThread', 'runtimeProcess'].map((name) => `src/worker/web/${name}.ts`),
    outdir: 'dist/web',
    format: 'iife',
    ...ofWorkers,
  },
  {
    ...common,
    entryPoints: {
      webview: 'webview/main.ts',
      modelPage: 'webview/modelPage/main.ts',
      comparePage: 'webview/comparePage/main.ts',
    },
    outdir: 'dist',
    platform: 'browser',
    format: 'iife',
    target: 'es2022',
  },
];

/** Nothing is kept of this bundle: it shows that core runs anywhere. A Node module or vscode in it fails the build. */
const coreAlone = {
  ...common,
  entryPoints: sources('src/core', '.ts'),
  outdir: 'out/core',
  write: false,
  sourcemap: false,
  platform: 'neutral',
  format: 'esm',
  mainFields: ['module', 'main'],
  // protobufjs asks for these by a computed name at run time, and does without them.
  external: ['long'],
};

function sources(folder, ending) {
  return readdirSync(path.join(import.meta.dirname, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith(ending) && !file.endsWith('.d.ts'))
    .map((file) => path.join(folder, file));
}

/** ONNX Runtime for WebAssembly: a loader, and the two files it finds beside itself. */
function copyRuntime() {
  const folder = path.dirname(createRequire(import.meta.url).resolve('onnxruntime-web'));
  mkdirSync('dist/ort', { recursive: true });
  for (const file of ['ort-wasm-simd-threaded.mjs', 'ort-wasm-simd-threaded.wasm']) {
    cpSync(path.join(folder, file), path.join('dist/ort', file));
  }
  // The loader needs onnxruntime-common, which is not there once the extension is installed.
  return esbuild.build({
    ...node,
    entryPoints: [path.join(folder, 'ort.node.min.js')],
    outfile: 'dist/ort/ort.node.min.js',
    sourcemap: false,
    external: [],
  });
}

/**
 * ONNX Runtime's native half for one platform, in dist/ort-native: its JavaScript, and the libraries that are in the npm
 * package. Those are for processors: what its install script would download for CUDA is never taken.
 */
async function copyNativeRuntime(target) {
  const [platform, arch] = target.split('-');
  const folder = path.join('node_modules/onnxruntime-node/bin/napi-v6', platform, arch);
  if (!existsSync(folder))
    throw new Error(`onnxruntime-node has nothing for ${target}: there is no ${folder}.`);
  mkdirSync('dist/ort-native');
  const isWanted = (file) =>
    file === 'onnxruntime_binding.node' ||
    file === 'libonnxruntime.so.1' ||
    // Twice in the package; this is the name that the binding asks for.
    file === 'libonnxruntime.1.dylib' ||
    /^(onnxruntime|DirectML|dxcompiler|dxil)\.dll$/.test(file);
  for (const file of readdirSync(folder).filter(isWanted)) {
    cpSync(path.join(folder, file), path.join('dist/ort-native', file));
  }
  const binding = /onnxruntime-node[\\/]dist[\\/]binding\.js$/;
  const besideIt = {
    name: 'binding',
    setup: (build) =>
      build.onLoad({ filter: binding }, ({ path: file }) => {
        const text = readFileSync(file, 'utf8');
        const contents = text.replace(
          /require\(`[^`]*onnxruntime_binding\.node`\)/,
          "require('./onnxruntime_binding.node')",
        );
        if (contents === text) throw new Error(`${file} no longer names its binding as it did.`);
        return { contents };
      }),
  };
  await esbuild.build({
    ...node,
    entryPoints: ['node_modules/onnxruntime-node/dist/index.js'],
    outfile: 'dist/ort-native/ort.js',
    sourcemap: false,
    external: ['./onnxruntime_binding.node'],
    plugins: [besideIt],
  });
}

/**
 * Tests, one bundle a file, so that a runner can name them. Those inside VS Code get their modules from there; the
 * UI tests are ES modules, because they load the harness in test/vscode from its place.
 */
function testBundles() {
  const files = sources('test', '.test.ts');
  const inFolder = (folder) => (file) => file.startsWith(path.join('test', folder) + path.sep);
  const inWindow = (file) => inFolder('ui')(file) || inFolder('web')(file);
  const ofWeb = (file) => file.endsWith('.web.test.ts');
  const plain = files.filter((file) => !inFolder('host')(file) && !inWindow(file) && !ofWeb(file));
  return [
    { ...node, entryPoints: plain, outbase: 'test', outdir: 'out/test' },
    // The engine as browsers have it, run by Node: without workers it does everything in one thread.
    {
      ...node,
      ...ofWorkers,
      resolveExtensions: web.resolveExtensions,
      entryPoints: files.filter(ofWeb),
      outbase: 'test',
      outdir: 'out/test',
      external: ['onnxruntime-node'],
    },
    {
      ...node,
      entryPoints: sources('test/host', '.ts'),
      outbase: 'test',
      outdir: 'out/test',
      external: ['vscode', 'mocha'],
    },
    ...['ui', 'web'].map((folder) => ({
      ...node,
      entryPoints: files.filter(inFolder(folder)),
      outbase: `test/${folder}`,
      outdir: `out/test/${folder}`,
      format: 'esm',
      outExtension: { '.js': '.mjs' },
      external: [...node.external, 'playwright-core', './test/vscode/*'],
    })),
  ];
}

/**
 * dist/THIRD-PARTY-NOTICES.txt: every package of which something is in a bundle, as esbuild reports it, with its
 * licence text; then what is in the WebAssembly files.
 */
function writeNotices(results) {
  const inputs = results.flatMap(({ metafile }) => Object.keys(metafile?.inputs ?? {}));
  const folders = new Set(
    inputs.flatMap((input) => /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(input) ?? []),
  );
  folders.add('node_modules/onnxruntime-web');
  if (target) folders.add('node_modules/onnxruntime-node').add('node_modules/onnxruntime-common');
  const parts = [...folders].sort().map((folder) => {
    const { name, version, license } = JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8'));
    const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
    const text = file ? readFileSync(path.join(folder, file), 'utf8').trim() : licenceOf(name, license);
    return `${name} ${version} (${license})\n\n${text}\n`;
  });
  const rule = `\n${'-'.repeat(80)}\n\n`;
  const head = 'Ranksmith contains the software below, under the licences given with it.\n';
  const wasm = readFileSync('wasm/NOTICE.md', 'utf8');
  writeFileSync('dist/THIRD-PARTY-NOTICES.txt', [head, ...parts, wasm].join(rule));
}

/** Some packages name their licence without shipping its text: then it is that of our own LICENSE, with their holder. */
function licenceOf(name, license) {
  const holder = /^(@microsoft|onnxruntime)/.test(name) ? 'Microsoft Corporation' : undefined;
  if (license !== 'MIT' || !holder) throw new Error(`${name} ships no licence text: add it to esbuild.mjs.`);
  return readFileSync('LICENSE', 'utf8')
    .trim()
    .replace(/^Copyright.*$/m, `Copyright (c) ${holder}. All rights reserved.`);
}

process.chdir(import.meta.dirname);
// Stale files would be packed along with the new ones.
if (existsSync('dist'))
  for (const file of readdirSync('dist')) rmSync(path.join('dist', file), { recursive: true });

mkdirSync('out', { recursive: true });

const wanted = [...bundles, coreAlone];
if (flags.has('--tests')) {
  rmSync('out/test', { recursive: true, force: true });
  wanted.push(...testBundles());
}
if (flags.has('--bench')) {
  // One of them runs inside VS Code.
  const external = [...node.external, 'vscode'];
  wanted.push({ ...node, entryPoints: sources('bench', '.ts'), outdir: 'out/bench', external });
}

await buildLapack({ outDir: 'dist', log: (line) => console.log(line) });
await copyRuntime();
if (target) await copyNativeRuntime(target);
if (flags.has('--watch')) {
  for (const options of wanted) await (await esbuild.context({ ...options, logLevel: 'info' })).watch();
} else {
  const results = await Promise.all(
    wanted.map((options) => esbuild.build({ ...options, metafile: bundles.includes(options) })),
  );
  // npx runs the bin of package.json as a program.
  chmodSync('dist/cli.js', 0o755);
  writeNotices(results);
}
