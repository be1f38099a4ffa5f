import assert from 'node:assert/strict';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { describe, it } from 'node:test';
import { zipEntries } from '../support/zipEntries';

const UNIVERSAL = 'out/ranksmith.vsix';
const MOST_BYTES = 8 * 2 ** 20;

/** All that a package may contain, and has to: for every pattern at least one file. */
const CONTENTS = [
  /^package\.json$/,
  /^package\.nls(\.zh-cn)?\.json$/,
  /^l10n\/bundle\.l10n\.zh-cn\.json$/,
  /^(readme|changelog)\.md$/,
  /^LICENSE\.txt$/,
  /^dist\/THIRD-PARTY-NOTICES\.txt$/,
  /^dist\/extension\.js$/,
  /^dist\/worker\.js$/,
  /^dist\/cli\.js$/,
  // Further bundles: the build empties dist/ first.
  /^dist\/[a-zA-Z]+\.(js|css)$/,
  /^dist\/lapack\.(simd|relaxed)\.wasm$/,
  /^dist\/ort\/ort\.node\.min\.js$/,
  /^dist\/ort\/ort-wasm-simd-threaded\.(mjs|wasm)$/,
  /^media\/icon\.png$/,
  /^media\/activity\.svg$/,
  /^media\/plan\.schema\.json$/,
  /^media\/walkthrough\/\w+\.svg$/,
  /^media\/walkthrough\/fashion-small\.onnx$/,
];
/** The extension for a web extension host. */
const WEB = /^dist\/web\/[\w.-]+\.(js|mjs|wasm)$/;

/** What each platform has besides: libraries for its processor, none for graphics cards but what they link to. */
const NATIVE: Readonly<Record<string, readonly string[]>> = {
  'linux-x64': ['libonnxruntime.so.1'],
  'linux-arm64': ['libonnxruntime.so.1'],
  'darwin-arm64': ['libonnxruntime.1.dylib'],
  'win32-x64': ['DirectML.dll', 'dxcompiler.dll', 'dxil.dll', 'onnxruntime.dll'],
  'win32-arm64': ['DirectML.dll', 'dxcompiler.dll', 'dxil.dll', 'onnxruntime.dll'],
};

/** The machine of an executable file, from its header: of ELF, Mach-O or PE. */
function machineOf(bytes: Buffer): string {
  if (bytes.toString('latin1', 1, 4) === 'ELF') {
    return { 62: 'linux-x64', 183: 'linux-arm64' }[bytes.readUInt16LE(18)] ?? 'ELF';
  }
  if (bytes.readUInt32LE(0) === 0xfeedfacf) {
    return { 16777223: 'darwin-x64', 16777228: 'darwin-arm64' }[bytes.readUInt32LE(4)] ?? 'Mach-O';
  }
  if (bytes.toString('latin1', 0, 2) === 'MZ') {
    const header = bytes.readUInt32LE(0x3c);
    return { 34404: 'win32-x64', 43620: 'win32-arm64' }[bytes.readUInt16LE(header + 4)] ?? 'PE';
  }
  return 'no executable';
}

/** The files of the extension in a package, without the folder that all are in. */
function extensionFiles(vsix: string): ReadonlyMap<string, () => Buffer> {
  const entries = [...zipEntries(vsix)].filter(([name]) => name.startsWith('extension/'));
  return new Map(entries.map(([name, read]) => [name.slice('extension/'.length), read]));
}

describe('the package for every platform', () => {
  const files = extensionFiles(UNIVERSAL);

  it('contains what it has to, and nothing else', () => {
    const names = [...files.keys()];
    for (const wanted of CONTENTS)
      assert.ok(
        names.some((name) => wanted.test(name)),
        `${wanted}`,
      );
    assert.deepEqual(
      names.filter((name) => !WEB.test(name) && !CONTENTS.some((wanted) => wanted.test(name))),
      [],
    );
  });

  it('is below 8 MB', () => {
    const { size } = statSync(UNIVERSAL);
    assert.ok(size < MOST_BYTES, `${size} bytes`);
  });

  it('contains every file that its manifest names', () => {
    const manifest = JSON.parse(files.get('package.json')!().toString('utf8'));
    const paths = (node: unknown): string[] => {
      if (typeof node === 'string') return /^(\.\/)?(media|dist)\/[\w./-]+$/.test(node) ? [node] : [];
      return typeof node === 'object' && node !== null ? Object.values(node).flatMap(paths) : [];
    };
    const named = paths(manifest).map((each) => each.replace(/^\.\//, ''));
    assert.ok(named.length > 8, `${named}`);
    for (const each of named) assert.ok(files.has(each) || files.has(`${each}.js`), each);
  });

  it('has no source maps, and pictures in its readme are there', () => {
    for (const [name, read] of files) {
      if (/\.m?js$/.test(name))
        assert.doesNotMatch(read().toString('utf8'), /^\/\/# sourceMappingURL=/m, name);
    }
    const readme = files.get('readme.md')!().toString('utf8');
    for (const [, address] of readme.matchAll(/!\[[^\]]*\]\(([^)]+)\)/g)) {
      // An address on the web, which vsce made of the path, or a file of the package.
      if (!/^https:/.test(address!)) assert.ok(files.has(address!), address);
    }
  });

  it('is what the marketplace wants', () => {
    const manifest = JSON.parse(files.get('package.json')!().toString('utf8'));
    assert.ok(manifest.keywords.length <= 5);
    assert.ok(manifest.categories.includes('Machine Learning'));
    assert.match(manifest.galleryBanner.color, /^#[0-9a-f]{6}$/);
    const icon = files.get(manifest.icon)!();
    assert.deepEqual([icon.readUInt32BE(16), icon.readUInt32BE(20)], [256, 256]);
    assert.doesNotMatch(readFileSync('README.md', 'utf8'), /\.svg\)/);
  });
});

for (const [target, libraries] of Object.entries(NATIVE)) {
  const vsix = `out/ranksmith-${target}.vsix`;
  const isHere = target === `${process.platform}-${process.arch}`;
  // The others are made where somebody makes them.
  if (!isHere && !existsSync(vsix)) continue;
  describe(`the package for ${target}`, () => {
    const files = extensionFiles(vsix);

    it('contains the native runtime of its platform, and of no other', () => {
      const own = [...libraries, 'onnxruntime_binding.node', 'ort.js'].map(
        (name) => `dist/ort-native/${name}`,
      );
      const universal = extensionFiles(UNIVERSAL);
      assert.deepEqual([...files.keys()].filter((name) => !universal.has(name)).sort(), own.sort());
      assert.deepEqual(
        [...universal.keys()].filter((name) => !files.has(name)),
        [],
      );
      for (const name of own) {
        if (!name.endsWith('.js')) assert.equal(machineOf(files.get(name)!()), target, name);
      }
      assert.match(files.get('dist/THIRD-PARTY-NOTICES.txt')!().toString('utf8'), /^onnxruntime-node /m);
    });

    it('says so to the marketplace', () => {
      const manifest = zipEntries(vsix).get('extension.vsixmanifest')!().toString('utf8');
      assert.ok(manifest.includes(`TargetPlatform="${target}"`));
    });
  });
}
