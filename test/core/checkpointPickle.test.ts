import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readPickle } from '../../src/core/checkpoint/pickle';
import type { PickleValue } from '../../src/core/checkpoint/pickleValue';
import { ModelError } from '../../src/core/onnx/modelError';
import { concat, latin1, little, type Pickled, pickleOf } from '../support/checkpointFiles';

/** A value as plain JavaScript: lists as arrays, tuples and sets tagged, objects by the name of their class. */
function plain(value: PickleValue): unknown {
  if (value === null || typeof value !== 'object') return value;
  if (value instanceof Uint8Array) return { bytes: [...value] };
  switch (value.kind) {
    case 'list':
      return value.items.map(plain);
    case 'tuple':
    case 'set':
      return { [value.kind]: value.items.map(plain) };
    case 'dict':
      return { dict: [...value.entries].map(([k, v]) => [plain(k), plain(v)]) };
    case 'global':
      return { global: value.name };
    case 'object':
      return {
        object: value.className,
        ...(value.state !== undefined && { state: plain(value.state) }),
        ...(value.entries && { entries: [...value.entries].map(([k, v]) => [plain(k), plain(v)]) }),
      };
    case 'storage':
      return { storage: value.key, type: value.type?.name ?? null, device: value.device, count: value.count };
    case 'tensor':
      return {
        tensor: plain(value.storage),
        type: value.type.name,
        dims: plain(value.dims),
        strides: plain(value.strides),
      };
  }
}

const run = (bytes: Uint8Array) => readPickle(bytes, 'x.pt: data.pkl');
const code = (text: string) => concat(latin1(text), latin1('.'));
const utf8 = (text: string) => new TextEncoder().encode(text);
const storage = {
  persistent: { tuple: ['storage', { global: 'torch.FloatStorage' }, '7', 'cpu', 6] },
} as const;
const rebuild = [storage, 0, { tuple: [2, 3] }, { tuple: [3, 1] }, false, null] as const;
const tensor = {
  tensor: { storage: '7', type: 'float', device: 'cpu', count: 6 },
  type: 'float',
  dims: { tuple: [2, 3] },
  strides: { tuple: [3, 1] },
};

const opcodes: readonly [string, Uint8Array, unknown][] = [
  ['None', code('N'), null],
  ['True', code('\x88'), true],
  ['False', code('\x89'), false],
  ['BININT', code('J\xfe\xff\xff\xff'), -2],
  ['BININT1', code('K\xff'), 255],
  ['BININT2', code('M\xff\xff'), 65535],
  ['LONG1 without bytes', code('\x8a\0'), 0],
  ['LONG1', code('\x8a\x01\xff'), -1],
  ['LONG1 of nine bytes', code('\x8a\x09\0\0\0\0\0\0\0\0\x01'), 2n ** 64n],
  ['LONG1 at the edge of exact numbers', code('\x8a\x07\xff\xff\xff\xff\xff\xff\x1f'), 2 ** 53 - 1],
  ['LONG4', code('\x8b\x02\0\0\0\0\x80'), -32768],
  ['LONG4 of absurd length', concat([0x8b], little(2000, 4), new Uint8Array(2000), latin1('.')), null],
  ['BINFLOAT', code('G\x3f\xf8\0\0\0\0\0\0'), 1.5],
  ['INT', code('I-12\n'), -12],
  ['INT as a truth', code('I01\n'), true],
  ['LONG', code('L99999999999999999999L\n'), 99999999999999999999n],
  ['FLOAT', code('F1e-3\n'), 0.001],
  ['UNICODE', code('Vab c\n'), 'ab c'],
  ['SHORT_BINUNICODE', concat([0x8c, 3], utf8('aé'), latin1('.')), 'aé'],
  ['BINUNICODE8', concat([0x8d], little(2, 8), latin1('ab.')), 'ab'],
  ['SHORT_BINSTRING that is no UTF-8', code('U\x02\xff\xfe'), 'ÿþ'],
  ['BINSTRING', code('T\x01\0\0\0a'), 'a'],
  ['SHORT_BINBYTES', code('C\x02\0\xff'), { bytes: [0, 255] }],
  ['BINBYTES', code('B\x01\0\0\0a'), { bytes: [97] }],
  ['BINBYTES8', concat([0x8e], little(1, 8), latin1('a.')), { bytes: [97] }],
  ['BYTEARRAY8', concat([0x96], little(1, 8), latin1('a.')), { bytes: [97] }],
  ['EMPTY_LIST and APPEND', code(']K\x01a'), [1]],
  ['APPENDS', code('](K\x01K\x02e'), [1, 2]],
  ['LIST', code('(K\x01K\x02l'), [1, 2]],
  ['TUPLE', code('(K\x01K\x02t'), { tuple: [1, 2] }],
  ['TUPLE1', code('K\x01\x85'), { tuple: [1] }],
  ['TUPLE2', code('K\x01K\x02\x86'), { tuple: [1, 2] }],
  ['TUPLE3', code('K\x01K\x02K\x03\x87'), { tuple: [1, 2, 3] }],
  ['EMPTY_TUPLE', code(')'), { tuple: [] }],
  ['EMPTY_SET and ADDITEMS', code('\x8f(K\x01\x90'), { set: [1] }],
  ['FROZENSET', code('(K\x01\x91'), { set: [1] }],
  ['DICT', code('(K\x01K\x02d'), { dict: [[1, 2]] }],
  ['SETITEM', code('}K\x01K\x02s'), { dict: [[1, 2]] }],
  ['SETITEMS, the last of a key wins', code('}(K\x01K\x02K\x01K\x03u'), { dict: [[1, 3]] }],
  ['POP', code('K\x01K\x020'), 1],
  ['POP of a mark', code('K\x01(0'), 1],
  ['POP_MARK', code('K\x01(K\x02K\x031'), 1],
  ['DUP', code('K\x012\x86'), { tuple: [1, 1] }],
  ['BINPUT and BINGET', code('K\x01q\x05h\x05\x86'), { tuple: [1, 1] }],
  ['LONG_BINPUT and LONG_BINGET', code('K\x01r\xff\xff\xff\xffj\xff\xff\xff\xff\x86'), { tuple: [1, 1] }],
  ['PUT and GET', code('K\x01p12\ng12\n\x86'), { tuple: [1, 1] }],
  ['MEMOIZE', code('K\x01\x94K\x02\x94h\x00\x87'), { tuple: [1, 2, 1] }],
  ['GLOBAL', code('cos\nsystem\n'), { global: 'os.system' }],
  ['STACK_GLOBAL', code('\x8c\x02os\x8c\x06system\x93'), { global: 'os.system' }],
  ['EXT1', code('\x82\x07'), { global: 'copyreg.extension 7' }],
  ['INST', code('(K\x01ios\nsystem\n'), { object: 'os.system' }],
  ['OBJ', code('(cos\nsystem\nK\x01o'), { object: 'os.system' }],
  ['NEWOBJ_EX', code('cm\nC\n)}\x92'), { object: 'm.C' }],
  ['BUILD', code('cm\nC\n)\x81}K\x01K\x02sb'), { object: 'm.C', state: { dict: [[1, 2]] } }],
  ['BUILD on a dict: its attributes do not matter', code('}NbK\x01K\x02s'), { dict: [[1, 2]] }],
  [
    'values put into a subclass of dict',
    code('cm\nC\n)\x81K\x01K\x02s'),
    { object: 'm.C', entries: [[1, 2]] },
  ],
  ['items added to a subclass of list', code('cm\nC\n)\x81K\x01a'), { object: 'm.C' }],
  ['a call of what is no class', code('K\x01)R'), { object: 'something that is no class' }],
  ['a call with what are no arguments', code('cos\nsystem\nNR'), { object: 'os.system' }],
  ['PERSID', code('Pabc\n'), { object: 'a persistent id' }],
  ['PROTO and FRAME', concat([0x80, 5, 0x95], little(2, 8), latin1('N.')), null],
  ['bytes behind STOP', code('N.garbage'), null],
];
for (const [what, bytes, expected] of opcodes) {
  test(`opcode: ${what}`, () => assert.deepEqual(plain(run(bytes)), expected));
}

const calls: readonly [string, Pickled, unknown][] = [
  ['os.system', { call: 'os.system', args: ['touch /tmp/x'] }, { object: 'os.system' }],
  ['builtins.eval', { call: 'builtins.eval', args: ['1'] }, { object: 'builtins.eval' }],
  [
    'a name of JavaScript',
    { call: 'constructor.constructor', args: ['return 1'] },
    { object: 'constructor.constructor' },
  ],
  ['OrderedDict', { call: 'collections.OrderedDict', args: [] }, { dict: [] }],
  [
    'OrderedDict of pairs',
    { call: 'collections.OrderedDict', args: [[{ tuple: ['a', 1] }]] },
    { dict: [['a', 1]] },
  ],
  [
    'OrderedDict of nonsense',
    { call: 'collections.OrderedDict', args: [[1]] },
    { object: 'collections.OrderedDict' },
  ],
  ['defaultdict', { call: 'collections.defaultdict', args: [{ global: 'builtins.list' }] }, { dict: [] }],
  ['Counter', { call: 'collections.Counter', args: [{ dict: [['a', 2]] }] }, { dict: [['a', 2]] }],
  ['set', { call: 'builtins.set', args: [[1, 2]] }, { set: [1, 2] }],
  ['set of Python 2', { call: '__builtin__.set', args: [[1]] }, { set: [1] }],
  ['bytes of protocol 2', { call: '_codecs.encode', args: ['aÿ', 'latin1'] }, { bytes: [97, 255] }],
  ['another encoding', { call: '_codecs.encode', args: ['a', 'rot13'] }, { object: '_codecs.encode' }],
  ['torch.Size', { call: 'torch.Size', args: [{ tuple: [2, 3] }] }, { tuple: [2, 3] }],
  ['_rebuild_tensor', { call: 'torch._utils._rebuild_tensor', args: rebuild.slice(0, 4) }, tensor],
  ['_rebuild_tensor_v2', { call: 'torch._utils._rebuild_tensor_v2', args: rebuild }, tensor],
  [
    '_rebuild_tensor_v2 without strides',
    { call: 'torch._utils._rebuild_tensor_v2', args: rebuild.slice(0, 3) },
    { object: 'torch._utils._rebuild_tensor_v2' },
  ],
  [
    '_rebuild_tensor_v2 with metadata',
    {
      call: 'torch._utils._rebuild_tensor_v2',
      args: [
        ...rebuild,
        {
          dict: [
            ['neg', false],
            ['_note', 1],
          ],
        },
      ],
    },
    tensor,
  ],
  [
    '_rebuild_tensor_v2 of negated values',
    { call: 'torch._utils._rebuild_tensor_v2', args: [...rebuild, { dict: [['neg', true]] }] },
    { object: 'torch._utils._rebuild_tensor_v2' },
  ],
  [
    '_rebuild_qtensor',
    {
      call: 'torch._utils._rebuild_qtensor',
      args: [
        ...rebuild.slice(0, 4),
        { tuple: [{ global: 'torch.per_tensor_affine' }, 0.1, 2] },
        false,
        { dict: [] },
      ],
    },
    tensor,
  ],
  [
    '_rebuild_tensor_v2 of no storage',
    { call: 'torch._utils._rebuild_tensor_v2', args: [1, 2, 3, 4] },
    { object: 'torch._utils._rebuild_tensor_v2' },
  ],
  [
    '_rebuild_tensor_v3',
    { call: 'torch._utils._rebuild_tensor_v3', args: [...rebuild, { global: 'torch.uint16' }] },
    { ...tensor, type: 'uint16' },
  ],
  [
    '_rebuild_tensor_v3 of an unknown type',
    { call: 'torch._utils._rebuild_tensor_v3', args: [...rebuild, { global: 'torch.float3' }] },
    { object: 'torch._utils._rebuild_tensor_v3' },
  ],
  [
    '_rebuild_parameter',
    {
      call: 'torch._utils._rebuild_parameter',
      args: [{ call: 'torch._utils._rebuild_tensor_v2', args: rebuild }, true, null],
    },
    tensor,
  ],
  [
    '_rebuild_parameter of no tensor',
    { call: 'torch._utils._rebuild_parameter', args: [1] },
    { object: 'torch._utils._rebuild_parameter' },
  ],
  [
    '_rebuild_from_type_v2',
    {
      call: 'torch._tensor._rebuild_from_type_v2',
      args: [{ global: 'torch._utils._rebuild_tensor_v2' }, { global: 'm.T' }, { tuple: rebuild }, null],
    },
    tensor,
  ],
  [
    '_rebuild_from_type_v2 of itself',
    {
      call: 'torch._tensor._rebuild_from_type_v2',
      args: [{ global: 'torch._tensor._rebuild_from_type_v2' }, null, { tuple: [] }, null],
    },
    { object: 'torch._tensor._rebuild_from_type_v2' },
  ],
  [
    'copyreg._reconstructor',
    { call: 'copy_reg._reconstructor', args: [{ global: 'm.C' }, null, null] },
    { object: 'm.C' },
  ],
  ['a storage', storage, tensor.tensor],
  [
    'an untyped storage',
    { persistent: { tuple: ['storage', { global: 'torch.storage.UntypedStorage' }, '1', 'cpu', 9] } },
    { storage: '1', type: null, device: 'cpu', count: 9 },
  ],
  [
    'a storage of an unknown class',
    { persistent: { tuple: ['storage', { global: 'm.FloatStorage' }, '1', 'cpu', 9] } },
    { object: 'a persistent id' },
  ],
  [
    'a storage whose class is a text',
    { persistent: { tuple: ['storage', 'torch.FloatStorage', '1', 'cpu', 9] } },
    { object: 'a persistent id' },
  ],
  ['a persistent id of another program', { persistent: 'abc' }, { object: 'a persistent id' }],
];
for (const [what, value, expected] of calls) {
  test(`call: ${what}`, () => assert.deepEqual(plain(run(pickleOf(value))), expected));
}

const rejected: readonly [string, Uint8Array, string, RegExp][] = [
  ['nothing', new Uint8Array(0), 'truncated', /at byte 0/],
  ['an unknown opcode', code('N\xff'), 'malformed', /at byte 1, 0xff is no opcode/],
  ['an out-of-band buffer', code('\x97'), 'malformed', /0x97 is no opcode/],
  ['protocol 6', code('\x80\x06N'), 'malformed', /protocol after 5/],
  ['STOP without a value', code(''), 'malformed', /at byte 0, .*empty stack/],
  ['a text of 4 GB', code('X\xff\xff\xff\xffabc'), 'truncated', /go on for 4,294,967,295 bytes/],
  [
    'a text of 2^64 bytes',
    concat([0x8d], new Uint8Array(8).fill(255)),
    'truncated',
    /go on for [\d,]+ bytes/,
  ],
  ['bytes of 2^63', concat([0x8e], little(2n ** 63n, 8), latin1('.')), 'truncated', /go on for [\d,]+ bytes/],
  ['a number of 2 GB', code('\x8b\xff\xff\xff\x7f'), 'truncated', /go on for [\d,]+ bytes/],
  [
    'a frame beyond the end',
    concat([0x80, 4, 0x95], little(100, 8), latin1('N.')),
    'truncated',
    /at byte 2, a frame/,
  ],
  ['a line without end', code('cos'), 'truncated', /a line has no end/],
  ['a missing mark', code('K\x01t'), 'malformed', /mark/],
  ['a tuple of too few', code('K\x01\x86'), 'malformed', /empty stack/],
  ['a pop below a mark', code('K\x01(\x85'), 'malformed', /empty stack/],
  ['a key without value', code('}(K\x01u'), 'malformed', /a key has no value/],
  ['items for a number', code('K\x01K\x02a'), 'malformed', /no list/],
  ['items for a tuple', code(')K\x02a'), 'malformed', /no list/],
  ['values for a list', code(']K\x01K\x02s'), 'malformed', /no dict/],
  ['an unknown memo', code('h\x01'), 'malformed', /value 1 is asked for/],
  ['an index that is none', code('gabc\n'), 'malformed', /index/],
  ['a number that is none', code('Iabc\n'), 'malformed', /number/],
  ['a class named by a number', code('K\x01K\x02\x93'), 'malformed', /no text/],
  ['an object of no class', code('(o'), 'malformed', /no class/],
];
for (const [what, bytes, expected, sentence] of rejected) {
  test(`refused: ${what}`, () => {
    assert.throws(
      () => run(bytes),
      (error: unknown) => {
        assert.ok(error instanceof ModelError, String(error));
        assert.equal(error.code, expected, error.message);
        assert.match(error.message, sentence);
        assert.match(error.message, /^x\.pt: data\.pkl is not a readable pickle: at byte \d+, .*\.$/s);
        return true;
      },
    );
  });
}

const N = 100_000;
const repeat = (text: string, times: number) => latin1(text.repeat(times));
const large: readonly [string, () => Uint8Array, string | undefined][] = [
  ['lists 100,000 deep', () => concat(repeat(']', N), repeat('a', N - 1), latin1('.')), undefined],
  ['tuples 100,000 deep', () => concat(latin1('N'), repeat('\x85', N), latin1('.')), undefined],
  ['calls 100,000 deep', () => concat(latin1('N'), repeat('\x85cm\nf\n0', N), latin1('.')), undefined],
  ['100,000 marks', () => concat(repeat('(', N), latin1('N.')), undefined],
  ['a list that holds itself', () => code(']q\0h\0a'), undefined],
  ['three million marks', () => repeat('(', 3e6), 'too-large'],
  ['three million values on the stack', () => repeat('N', 3e6), 'too-large'],
  ['two million lists', () => repeat(']0', 2e6), 'too-large'],
  ['three million memo entries', () => concat(latin1('N'), repeat('\x94', 3e6)), 'too-large'],
  ['ten million steps', () => repeat('N0', 5e6 + 1), 'too-large'],
  [
    'a large list copied over and over',
    // memo 0: a list of 100,000; then sets of it for ever
    () =>
      concat(latin1(']('), repeat('N', N), latin1('eq\x000'), repeat('cbuiltins\nset\nh\x00\x85R0', 1000)),
    'too-large',
  ],
  [
    'a billion laughs',
    // each list holds the one before ten times: 10^40 items for whoever walks them
    () =>
      concat(
        latin1(']q\x00'),
        ...Array.from({ length: 40 }, (_, i) =>
          latin1(`](${`h${String.fromCharCode(i)}`.repeat(10)}eq${String.fromCharCode(i + 1)}`),
        ),
        latin1('.'),
      ),
    undefined,
  ],
];
for (const [what, bytes, expected] of large) {
  test(`bounded: ${what}`, () => {
    if (expected === undefined) run(bytes());
    else assert.throws(() => run(bytes()), { name: 'ModelError', code: expected });
  });
}
