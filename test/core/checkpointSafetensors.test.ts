import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readCheckpoint } from '../../src/core/checkpoint/checkpoint';
import { parseJson } from '../../src/core/checkpoint/json';
import { readSafetensors } from '../../src/core/checkpoint/safetensors';
import { ModelError } from '../../src/core/onnx/modelError';
import { concat, fileOf, latin1, little, safetensorsFile, sparseSource } from '../support/checkpointFiles';

const four = new Uint8Array(4);
const tensor = (dtype: string, shape: string, offsets: string, name = 'w') =>
  `"${name}":{"dtype":"${dtype}","shape":${shape},"data_offsets":${offsets}}`;
const one = tensor('F32', '[1]', '[0,4]');

function refused(bytes: Uint8Array, code: string, sentence: RegExp): void {
  assert.throws(
    () => readSafetensors(fileOf(bytes, 'x.safetensors')),
    (error: unknown) => {
      assert.ok(error instanceof ModelError, String(error));
      assert.equal(error.code, code, error.message);
      assert.match(error.message, sentence);
      assert.match(error.message, /^x\.safetensors is not a readable safetensors file: .*\.$/s);
      return true;
    },
  );
}

const accepted: readonly [string, string, number, readonly string[]][] = [
  ['no tensors', '{}', 0, []],
  ['padding behind the header', `{${one}}    `, 4, ['w']],
  ['a scalar', `{${tensor('I32', '[]', '[0,4]')}}`, 4, ['w']],
  [
    'a tensor without elements',
    `{${tensor('F32', '[0,3]', '[0,0]')},${tensor('U8', '[4]', '[0,4]', 'b')}}`,
    4,
    ['w', 'b'],
  ],
  [
    'file order, not header order',
    `{${tensor('U8', '[2]', '[2,4]', 'b')},${tensor('U8', '[2]', '[0,2]', 'a')}}`,
    4,
    ['a', 'b'],
  ],
  [
    'packed types',
    `{${tensor('F4', '[4]', '[0,2]', 'a')},${tensor('F6_E2M3', '[4]', '[2,5]', 'b')}}`,
    5,
    ['a', 'b'],
  ],
  [
    'unknown properties of a tensor',
    '{"w":{"dtype":"U8","shape":[1],"data_offsets":[0,1],"note":{"a":[1]}}}',
    1,
    ['w'],
  ],
  ['escapes in names', `{${tensor('U8', '[1]', '[0,1]', 'a\\u0062\\"\\n')}}`, 1, ['ab"\n']],
  [
    'names of prototypes',
    `{${tensor('U8', '[1]', '[0,1]', '__proto__')},${tensor('U8', '[1]', '[1,2]', 'constructor')}}`,
    2,
    ['__proto__', 'constructor'],
  ],
];
for (const [what, header, size, names] of accepted) {
  test(`${what} is read`, () => {
    const { tensors } = readSafetensors(fileOf(safetensorsFile(header, new Uint8Array(size))));
    assert.deepEqual(
      tensors.map((t) => t.name),
      names,
    );
    assert.equal(({} as Record<string, unknown>).dtype, undefined);
  });
}

const rejected: readonly [string, Uint8Array, string, RegExp][] = [
  ['seven bytes', new Uint8Array(7), 'truncated', /only 7 bytes/],
  [
    'a header of 2^63 bytes',
    safetensorsFile('{}', four, 2n ** 63n),
    'malformed',
    /claims 9,223,372,036,854,775,808 bytes/,
  ],
  ['a header of 2^64 - 1 bytes', safetensorsFile('{}', four, 2n ** 64n - 1n), 'malformed', /more than/],
  ['a header beyond the limit', safetensorsFile('{}', four, 100_000_001n), 'malformed', /more than/],
  ['a header beyond the file', safetensorsFile('{}', four, 7n), 'truncated', /ends at byte 14/],
  ['no header at all', safetensorsFile(''), 'not-a-checkpoint', /"\{"/],
  ['a header that is a list', safetensorsFile('[]'), 'not-a-checkpoint', /"\{"/],
  ['a header that is no UTF-8', concat(little(3, 8), latin1('{\xff}')), 'malformed', /UTF-8/],
  ['a byte-order mark', concat(little(5, 8), [0xef, 0xbb, 0xbf], latin1('{}')), 'not-a-checkpoint', /"\{"/],
  [
    'NaN',
    safetensorsFile(`{${tensor('F32', '[NaN]', '[0,4]')}}`, four),
    'malformed',
    /at character \d+ .* a value was expected/,
  ],
  ['a comma too many', safetensorsFile(`{${one},}`, four), 'malformed', /a string was expected/],
  ['text behind the header', safetensorsFile(`{${one}}x`, four), 'malformed', /behind the end/],
  ['zeros behind the header', safetensorsFile(`{${one}}\0`, four), 'malformed', /behind the end/],
  ['a name twice', safetensorsFile(`{${one},${one}}`, four), 'malformed', /"w" stands there a second time/],
  [
    'a name twice by an escape',
    safetensorsFile(`{${one},${one.replace('w', '\\u0077')}}`, four),
    'malformed',
    /second time/,
  ],
  ['two __metadata__', safetensorsFile('{"__metadata__":{},"__metadata__":{}}'), 'malformed', /second time/],
  [
    'metadata that is a number',
    safetensorsFile('{"__metadata__":{"a":1}}'),
    'malformed',
    /something else than text under "a"/,
  ],
  ['metadata that is a list', safetensorsFile('{"__metadata__":[]}'), 'malformed', /not an object/],
  ['a tensor that is a number', safetensorsFile('{"w":1}'), 'malformed', /"w" is not described/],
  ['no dtype', safetensorsFile('{"w":{"shape":[],"data_offsets":[0,0]}}'), 'malformed', /no dtype/],
  [
    'an unknown dtype',
    safetensorsFile(`{${tensor('F7', '[1]', '[0,4]')}}`, four),
    'unsupported-type',
    /"F7"/,
  ],
  ['no shape', safetensorsFile('{"w":{"dtype":"U8","data_offsets":[0,0]}}'), 'malformed', /no shape/],
  [
    'a negative dimension',
    safetensorsFile(`{${tensor('F32', '[-1]', '[0,4]')}}`, four),
    'malformed',
    /no shape/,
  ],
  [
    'half a dimension',
    safetensorsFile(`{${tensor('F32', '[0.5]', '[0,4]')}}`, four),
    'malformed',
    /no shape/,
  ],
  [
    'a dimension of 2^60',
    safetensorsFile(`{${tensor('F32', '[1152921504606846976]', '[0,4]')}}`, four),
    'malformed',
    /no shape/,
  ],
  [
    'dimensions that overflow',
    safetensorsFile(`{${tensor('F32', '[4294967296,4294967296]', '[0,4]')}}`, four),
    'malformed',
    /more elements than can be counted/,
  ],
  [
    '65 dimensions',
    safetensorsFile(`{${tensor('F32', `[${Array(65).fill(1)}]`, '[0,4]')}}`, four),
    'malformed',
    /no shape/,
  ],
  [
    'three offsets',
    safetensorsFile(`{${tensor('F32', '[1]', '[0,4,8]')}}`, four),
    'malformed',
    /data_offsets of two/,
  ],
  [
    'offsets that are texts',
    safetensorsFile(`{${tensor('F32', '[1]', '["0","4"]')}}`, four),
    'malformed',
    /data_offsets of two/,
  ],
  [
    'an end before the start',
    safetensorsFile(`{${tensor('F32', '[1]', '[4,0]')}}`, four),
    'malformed',
    /bytes 4 to 0/,
  ],
  [
    'an end beyond the file',
    safetensorsFile(`{${tensor('F32', '[2]', '[0,8]')}}`, four),
    'truncated',
    /looks cut off/,
  ],
  [
    'a range that does not fit the shape',
    safetensorsFile(`{${tensor('F32', '[2]', '[0,4]')}}`, four),
    'data-length',
    /needs 8 bytes, but its data_offsets span 4/,
  ],
  [
    'half a byte',
    safetensorsFile(`{${tensor('F4', '[3]', '[0,2]')}}`, new Uint8Array(2)),
    'data-length',
    /needs 1\.5 bytes/,
  ],
  [
    'an overlap',
    safetensorsFile(`{${tensor('U8', '[3]', '[0,3]', 'a')},${tensor('U8', '[3]', '[1,4]', 'b')}}`, four),
    'malformed',
    /"b" overlaps/,
  ],
  [
    'the same range twice',
    safetensorsFile(`{${tensor('U8', '[4]', '[0,4]', 'a')},${tensor('U8', '[4]', '[0,4]', 'b')}}`, four),
    'malformed',
    /overlaps/,
  ],
  [
    'a hole',
    safetensorsFile(`{${tensor('U8', '[1]', '[0,1]', 'a')},${tensor('U8', '[1]', '[3,4]', 'b')}}`, four),
    'malformed',
    /leaves 2 bytes/,
  ],
  [
    'a hole in front',
    safetensorsFile(`{${tensor('U8', '[3]', '[1,4]')}}`, four),
    'malformed',
    /leaves 1 byte before/,
  ],
  [
    'bytes behind',
    safetensorsFile(`{${tensor('U8', '[3]', '[0,3]')}}`, four),
    'malformed',
    /has 1 byte behind its last tensor/,
  ],
  [
    'lists in lists in lists',
    safetensorsFile(`{"w":${'['.repeat(100_000)}`),
    'malformed',
    /nest deeper than 8/,
  ],
  ['a string without end', safetensorsFile('{"abc'), 'malformed', /a string has no end/],
  ['a bad escape', safetensorsFile('{"a\\x":1}'), 'malformed', /escape/],
  ['a line break in a name', safetensorsFile('{"a\n":1}'), 'malformed', /character/],
];
for (const [what, bytes, code, sentence] of rejected) {
  test(`${what} is refused`, () => refused(bytes, code, sentence));
}

test('a cut anywhere is refused', () => {
  const whole = safetensorsFile(`{"__metadata__":{"a":"b"},${one}}`, four);
  for (let length = 0; length < whole.length; length++) {
    assert.throws(() => readCheckpoint(fileOf(whole.subarray(0, length), 'x.safetensors')), ModelError);
  }
});

test('a tensor of 6 GB is found without reading it', () => {
  const header = safetensorsFile(`{${tensor('F32', '[1500000000]', '[0,6000000000]')}}`);
  const source = sparseSource('big.safetensors', header.length + 6e9, [
    [0, concat(header, new Uint8Array(512))],
  ]);
  const [found] = readCheckpoint(source).tensors;
  assert.deepEqual(found!.where, { offset: header.length, length: 6e9 });
});

test('JSON as JSON.parse reads it, where both accept', () => {
  const texts = [
    'null',
    ' [1, -2.5e3, "a\\u00e9\\n", true, false, {}, []] ',
    '{"a":{"b":[{}]}}',
    '""',
    '0',
    '-0.0',
  ];
  const plain = (value: unknown): unknown =>
    value instanceof Map
      ? Object.fromEntries([...value].map(([k, v]) => [k, plain(v)]))
      : Array.isArray(value)
        ? value.map(plain)
        : value;
  for (const text of texts) assert.deepEqual(plain(parseJson(text, 10)), JSON.parse(text), text);
  for (const text of [
    '',
    '01',
    '1.',
    '.5',
    '+1',
    "'a'",
    '[1,]',
    'nul',
    '{"a"}',
    '{a:1}',
    '1 2',
    '\u00a01',
    '"\\u12"',
  ]) {
    assert.throws(() => parseJson(text, 10), text);
    assert.throws(() => JSON.parse(text), text);
  }
});
