import assert from 'node:assert/strict';
import { test } from 'node:test';
import { locateEntry, readZip } from '../../src/core/checkpoint/zip';
import { ModelError } from '../../src/core/onnx/modelError';
import {
  concat,
  fileOf,
  latin1,
  little,
  sparseSource,
  type ZipOptions,
  zipFile,
} from '../support/checkpointFiles';

const files = [
  ['d/a', latin1('first')],
  ['d/empty', new Uint8Array(0)],
  ['d/b', latin1('second!')],
] as const;

/** The contents of all entries. */
function unpack(bytes: Uint8Array): Record<string, string> {
  const source = fileOf(bytes, 'x.zip');
  const archive = readZip(source);
  return Object.fromEntries(
    [...archive.entries].map(([name, entry]) => {
      const { offset, length } = locateEntry(archive, entry);
      return [name, new TextDecoder().decode(source.read(offset, length))];
    }),
  );
}

function refused(bytes: Uint8Array, code: string, sentence: RegExp): void {
  assert.throws(
    () => unpack(bytes),
    (error: unknown) => {
      assert.ok(error instanceof ModelError, String(error));
      assert.equal(error.code, code, error.message);
      assert.match(error.message, sentence);
      assert.match(error.message, /^x\.zip is not a readable zip archive: .*\.$/s);
      return true;
    },
  );
}

const whole = { 'd/a': 'first', 'd/empty': '', 'd/b': 'second!' };
const layouts: readonly [string, ZipOptions][] = [
  ['plain', {}],
  ['64-bit records', { zip64: true }],
  ['a comment', { comment: 'PK\x05\x06 is not the end' }],
  ['64-bit records and a comment', { zip64: true, comment: 'x'.repeat(65535) }],
  [
    'sizes behind the content',
    { edit: (_, where) => (where === 'local' ? { flags: 8, size: 0, stored: 0 } : { flags: 8 }) },
  ],
  ['UTF-8 names', { edit: () => ({ flags: 0x800 }) }],
];
for (const [what, options] of layouts) {
  test(`an archive with ${what} is read`, () => assert.deepEqual(unpack(zipFile(files, options)), whole));
}

test('an entry beyond 2^32 is found by its 64-bit offset', () => {
  const far = 5 * 2 ** 32;
  const bytes = zipFile([['d/a', latin1('first')]], { zip64: true });
  const directory = latin1('PK\x01\x02');
  const at = bytes.findIndex((_, i) => directory.every((byte, j) => bytes[i + j] === byte));
  const local = bytes.slice(0, at);
  const tail = bytes.slice(at);
  const view = new DataView(tail.buffer);
  // The offset is the last field of the directory's only entry; the records behind it name the directory.
  const end = 46 + 3 + 28;
  view.setBigUint64(end - 8, BigInt(far), true);
  view.setBigUint64(end + 48, BigInt(far + local.length), true);
  view.setBigUint64(end + 56 + 8, BigInt(far + local.length + end), true);
  const source = sparseSource('big.zip', far + bytes.length, [
    [far, local],
    [far + local.length, tail],
  ]);
  const archive = readZip(source);
  const { offset, length } = locateEntry(archive, archive.entries.get('d/a')!);
  assert.equal(offset, far + local.length - 5);
  assert.equal(new TextDecoder().decode(source.read(offset, length)), 'first');
});

/** Changes one entry's headers. */
const editing = (name: string, wanted: 'local' | 'central' | 'both', change: object): ZipOptions => ({
  edit: (fields, where) => (fields.name === name && (wanted === 'both' || wanted === where) ? change : {}),
});
const changed = (name: string, wanted: 'local' | 'central' | 'both', change: object) =>
  zipFile(files, editing(name, wanted, change));
/** The end record with one 16- or 32-bit field changed. */
function withEnd(at: number, value: number, bytes: 2 | 4): Uint8Array {
  const file = zipFile(files);
  file.set(little(value, bytes), file.length - 22 + at);
  return file;
}

const rejected: readonly [string, Uint8Array, string, RegExp][] = [
  [
    'a compressed entry',
    changed('d/a', 'both', { method: 8 }),
    'unsupported-format',
    /"d\/a" is compressed \(method 8\)/,
  ],
  ['an encrypted entry', changed('d/a', 'both', { flags: 1 }), 'unsupported-format', /"d\/a" is encrypted/],
  [
    'an entry that only its own header calls encrypted',
    changed('d/a', 'local', { flags: 1 }),
    'unsupported-format',
    /encrypted/,
  ],
  ['another name in the local header', changed('d/a', 'local', { name: 'd/x' }), 'malformed', /another name/],
  [
    'another method in the local header',
    changed('d/a', 'local', { method: 8 }),
    'malformed',
    /another name or method/,
  ],
  [
    'another size in the local header',
    changed('d/a', 'local', { size: 4, stored: 4 }),
    'malformed',
    /another size/,
  ],
  ['two sizes of a stored entry', changed('d/a', 'central', { size: 1000 }), 'malformed', /two sizes differ/],
  ['a name twice', zipFile([...files, files[0]]), 'malformed', /holds "d\/a" twice/],
  [
    'an offset to no header',
    changed('d/b', 'central', { offset: 90 }),
    'malformed',
    /does not begin with a header/,
  ],
  ['two entries at one place', changed('d/b', 'central', { name: 'd/z', offset: 0 }), 'malformed', /overlap/],
  [
    'an entry that reaches into its neighbour',
    changed('d/a', 'both', { size: 30, stored: 30 }),
    'malformed',
    /overlap/,
  ],
  [
    'an entry whose padding reaches into its neighbour',
    changed('d/a', 'local', { name: 'd/a-long-name' }),
    'malformed',
    /overlaps|another name/,
  ],
  [
    'an entry beyond the file',
    changed('d/b', 'central', { offset: 5000 }),
    'malformed',
    /reaches into the directory/,
  ],
  [
    'an entry of 4 GB',
    changed('d/b', 'both', { size: 4e9, stored: 4e9 }),
    'malformed',
    /reaches into the directory/,
  ],
  [
    '64-bit sizes that are missing',
    changed('d/b', 'both', { size: 0xffffffff, stored: 0xffffffff }),
    'malformed',
    /no usable 64-bit sizes/,
  ],
  ['bytes in front of it', concat(latin1('#!/bin/sh'), zipFile(files)), 'malformed', /does not end at byte/],
  ['bytes behind it', concat(zipFile(files), latin1('x')), 'truncated', /its directory/],
  [
    'more entries than there are',
    concat(withEnd(8, 4, 2).subarray(0, -12), little(4, 2), zipFile(files).subarray(-10)),
    'malformed',
    /entry 4 of 4/,
  ],
  [
    'fewer entries than there are',
    concat(zipFile(files).subarray(0, -14), little(2, 2), little(2, 2), zipFile(files).subarray(-10)),
    'malformed',
    /behind its last entry/,
  ],
  ['several volumes', withEnd(4, 1, 2), 'unsupported-format', /one volume of several/],
  ['several volumes by their counts', withEnd(8, 1, 2), 'unsupported-format', /one volume of several/],
  ['a directory elsewhere', withEnd(16, 0, 4), 'malformed', /does not end at byte/],
  [
    '64-bit records that are missing',
    withEnd(16, 0xffffffff, 4),
    'malformed',
    /64-bit directory record is missing/,
  ],
];
for (const [what, bytes, code, sentence] of rejected) {
  test(`${what} is refused`, () => refused(bytes, code, sentence));
}

test('other entries may be compressed', () => {
  const archive = readZip(fileOf(changed('d/b', 'both', { method: 8 })));
  assert.equal(locateEntry(archive, archive.entries.get('d/a')!).length, 5);
});

for (const zip64 of [false, true]) {
  test(`a cut anywhere is refused${zip64 ? ' (64-bit)' : ''}`, () => {
    const bytes = zipFile(files, { zip64 });
    for (let length = 0; length < bytes.length; length++) {
      assert.throws(() => unpack(bytes.subarray(0, length)), ModelError);
    }
  });

  test(`any byte changed: read or refused${zip64 ? ' (64-bit)' : ''}`, () => {
    const bytes = zipFile(files, { zip64, comment: 'c' });
    for (let i = 0; i < bytes.length; i++) {
      for (const value of [0, 1, 0x7f, 0xff, bytes[i]! ^ 1, bytes[i]! ^ 0x80]) {
        const other = bytes.slice();
        other[i] = value;
        try {
          unpack(other);
        } catch (error) {
          assert.ok(error instanceof ModelError, `${i}: ${error}`);
        }
      }
    }
  });
}
