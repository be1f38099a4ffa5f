import assert from 'node:assert/strict';
import { test } from 'node:test';
import { candidatesOf } from '../../src/core/compress/candidates';
import type { ConvForm, FormedLayer, MatMulForm } from '../../src/core/compress/layer';
import { type LayerOptions, makePlan } from '../../src/core/compress/makePlan';
import type { Candidate, MethodId, Ranks } from '../../src/core/compress/method';
import { convForm as anyConvForm, matmulForm } from '../support/forms';

/** Costs that can be worked out on paper, as numbers. The derivations are in the comments. */

/** A convolution with a square kernel on square images, padded so that a stride of 1 keeps their size. */
function convForm(out: number, channels: number, kernel: number, size: number, stride = 1): ConvForm {
  return anyConvForm(out, channels, [kernel, kernel], { size, stride });
}

function only(form: ConvForm | MatMulForm, method: MethodId): Candidate {
  const { candidates } = candidatesOf({ form }, method);
  assert.deepEqual(
    candidates.map((candidate) => candidate.method),
    [method],
  );
  return candidates[0]!;
}

/** The factors as `AxBx…` and what they cost together. */
function at(candidate: Candidate, ranks: Ranks) {
  const { parameters, macs } = candidate.cost(ranks);
  return { shapes: candidate.shapes(ranks).map((dims) => dims.join('x')), parameters, macs };
}

test('1000 × 800 at rank 100: 800,000 → 180,000 parameters', () => {
  const form = matmulForm(1000, 800);
  const svd = only(form, 'svd');
  assert.deepEqual([svd.dense.parameters, svd.dense.macs], [800_000, 800_000]);
  // 1000 · 100 + 100 · 800, and each of them once per vector.
  assert.deepEqual(at(svd, [100]), { shapes: ['1000x100', '100x800'], parameters: 180_000, macs: 180_000 });
});

test('64 × 32 × 3 × 3 at rank 16: 18,432 → 5,632 parameters', () => {
  const channel = only(convForm(64, 32, 3, 8), 'channel');
  // 64 · 32 · 9, at 8 · 8 positions.
  assert.deepEqual([channel.dense.parameters, channel.dense.macs], [18_432, 1_179_648]);
  // 16 · 32 · 9 = 4608 and 64 · 16 = 1024; both at the 64 positions.
  assert.deepEqual(at(channel, [16]), {
    shapes: ['16x32x3x3', '64x16x1x1'],
    parameters: 5_632,
    macs: 360_448,
  });
});

/** VGG-16, configuration D of Simonyan & Zisserman 2014, table 1: input channels, output channels, size. */
const VGG16 = [
  [3, 64, 224],
  [64, 64, 224],
  [64, 128, 112],
  [128, 128, 112],
  [128, 256, 56],
  [256, 256, 56],
  [256, 256, 56],
  [256, 512, 28],
  [512, 512, 28],
  [512, 512, 28],
  [512, 512, 14],
  [512, 512, 14],
  [512, 512, 14],
] as const;

const vgg = VGG16.map(([channels, out, size], i): { layer: FormedLayer; form: ConvForm } => {
  const form = convForm(out, channels, 3, size);
  return { form, layer: { name: `conv${i + 1}`, parameters: 9 * channels * out, form } };
});

const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);

test('VGG-16: 14,710,464 weights in its convolutions, 15,346,630,656 MACs', () => {
  // In units of 9 · 64² = 36,864 the weights are 3/64 + 1 + 2 + 4 + 8 + 16 + 16 + 32 + 5 · 64 = 399 + 3/64:
  // 399 · 36,864 + 1728 = 14,710,464. In units of 36,864 · 224² = 36,864 · 50,176 the MACs are
  // 3/64 + 1 + 2/4 + 4/4 + (8 + 16 + 16)/16 + (32 + 64 + 64)/64 + 3 · 64/256 = 8.25 + 3/64:
  // 8.25 · 1,849,688,064 + 86,704,128 = 15,346,630,656.
  const dense = vgg.map(({ form }) => only(form, 'channel').dense);
  assert.equal(sum(dense.map((cost) => cost.parameters)), 14_710_464);
  assert.equal(sum(dense.map((cost) => cost.macs!)), 15_346_630_656);
});

test('VGG-16 at rank 32 by channel: r(9C + S) parameters per layer, as many MACs per position', () => {
  // r = 32, but 27 = 9 · 3 in the first layer. Parameters per layer, then the sizes squared to multiply them with:
  //   conv1   27 · (   27 +  64) =   2,457 · 50,176 =   123,282,432
  //   conv2   32 · (  576 +  64) =  20,480 · 50,176 = 1,027,604,480
  //   conv3   32 · (  576 + 128) =  22,528 · 12,544 =   282,591,232
  //   conv4   32 · ( 1152 + 128) =  40,960 · 12,544 =   513,802,240
  //   conv5   32 · ( 1152 + 256) =  45,056 ·  3,136 =   141,295,616
  //   conv6,7 32 · ( 2304 + 256) =  81,920 ·  3,136 =   256,901,120, twice
  //   conv8   32 · ( 2304 + 512) =  90,112 ·    784 =    70,647,808
  //   conv9,10      32 · ( 4608 + 512) = 163,840 · 784 = 128,450,560, twice
  //   conv11 to 13  32 · ( 4608 + 512) = 163,840 · 196 =  32,112,640, three times
  const literal = [
    [2_457, 123_282_432],
    [20_480, 1_027_604_480],
    [22_528, 282_591_232],
    [40_960, 513_802_240],
    [45_056, 141_295_616],
    [81_920, 256_901_120],
    [81_920, 256_901_120],
    [90_112, 70_647_808],
    [163_840, 128_450_560],
    [163_840, 128_450_560],
    [163_840, 32_112_640],
    [163_840, 32_112_640],
    [163_840, 32_112_640],
  ];
  const costs = vgg.map(({ form }, i) => {
    const channel = only(form, 'channel');
    const [channels, out, size] = VGG16[i]!;
    const rank = Math.min(32, 9 * channels);
    assert.deepEqual(channel.ofRank(32), [[rank]]);
    const cost = at(channel, [rank]);
    const parameters = rank * (9 * channels + out);
    assert.deepEqual(cost, {
      shapes: [`${rank}x${channels}x3x3`, `${out}x${rank}x1x1`],
      parameters,
      macs: parameters * size * size,
    });
    return [cost.parameters, cost.macs];
  });
  assert.deepEqual(costs, literal);
  assert.equal(sum(costs.map(([parameters]) => parameters!)), 1_204_633);
  assert.equal(sum(costs.map(([, macs]) => macs!)), 3_026_265_088);
});

test('VGG-16 planned at rank 32: the first layer, which would grow, stays; the totals follow', () => {
  const options = vgg.map(({ layer, form }): LayerOptions => {
    const candidate = only(form, 'channel');
    return { layer, choices: [{ candidate, known: [] }] };
  });
  const totals = { parameters: 14_710_464, macs: 15_346_630_656 };
  const target = { kind: 'rank', rank: 32 } as const;
  const result = makePlan(options, totals, target);
  assert.ok(!('refusal' in result));
  const [first, ...others] = result.plan.layers;
  assert.ok(first!.kind === 'dense' && /break-even/.test(first!.reason));
  assert.ok(others.every((layer) => layer.kind === 'factor' && layer.ranks.join() === '32'));
  // Two factors of conv1 would hold 2457 weights in the place of 1728 = 64 · 27: 1,204,633 − 729 = 1,203,904 remain,
  // and 3,026,265,088 − 729 · 50,176 = 2,989,686,784 MACs.
  assert.deepEqual(result.after, { parameters: 1_203_904, macs: 2_989_686_784 });
  // Where larger is allowed, conv1 goes with the others.
  const larger = makePlan(options, totals, target, { allowLarger: true });
  assert.ok(!('refusal' in larger));
  assert.deepEqual(larger.after, { parameters: 1_204_633, macs: 3_026_265_088 });
});

/** Method, layer, ranks, and what comes of it. */
const EXAMPLES: readonly (readonly [
  name: string,
  method: MethodId,
  form: ConvForm,
  ranks: Ranks,
  expected: ReturnType<typeof at>,
])[] = [
  [
    // 128 · 512 + 128 · 128 · 9 + 512 · 128 = 65,536 + 147,456 + 65,536 = 278,528 of 2,359,296, at 14² = 196 positions:
    // 54,591,488.
    'tucker2 of 512 × 512 × 3 × 3 at (128, 128)',
    'tucker2',
    convForm(512, 512, 3, 14),
    [128, 128],
    {
      shapes: ['128x512x1x1', '128x128x3x3', '512x128x1x1'],
      parameters: 278_528,
      macs: 54_591_488,
    },
  ],
  [
    // 64 · 64 + 32 · 64 · 9 + 128 · 32 = 4096 + 18,432 + 4096 = 26,624. With a stride of 2 the first of them works at
    // 56² = 3136 positions, the others at 28² = 784: 4096 · 3136 + 22,528 · 784 = 12,845,056 + 17,661,952 = 30,507,008.
    'tucker2 of 128 × 64 × 3 × 3 at (64, 32), stride 2',
    'tucker2',
    convForm(128, 64, 3, 56, 2),
    [64, 32],
    { shapes: ['64x64x1x1', '32x64x3x3', '128x32x1x1'], parameters: 26_624, macs: 30_507_008 },
  ],
  [
    // 3 × 1: 32 · 64 · 3 = 6144 at 28 · 56 = 1568 positions, as high as the output and as wide as the input; 1 × 3:
    // 128 · 32 · 3 = 12,288 at 28 · 28 = 784. Together 18,432, and 9,633,792 + 9,633,792 = 19,267,584.
    'spatial of 128 × 64 × 3 × 3 at 32, stride 2',
    'spatial',
    convForm(128, 64, 3, 56, 2),
    [32],
    { shapes: ['32x64x3x1', '128x32x1x3'], parameters: 18_432, macs: 19_267_584 },
  ],
  [
    // 1 × 1 at the 56² = 3136 positions in front: 16 · 64 = 1024; 3 × 3 at 784 behind: 128 · 16 · 9 = 18,432. Together
    // 19,456, and 3,211,264 + 14,450,688 = 17,661,952.
    'input-channel of 128 × 64 × 3 × 3 at 16, stride 2',
    'input-channel',
    convForm(128, 64, 3, 56, 2),
    [16],
    { shapes: ['16x64x1x1', '128x16x3x3'], parameters: 19_456, macs: 17_661_952 },
  ],
  [
    // 96 · (64 + 9 + 128) = 96 · 201 = 19,296, at 28² = 784 positions: 15,128,064.
    'cp3 of 128 × 64 × 3 × 3 at 96',
    'cp3',
    convForm(128, 64, 3, 28),
    [96],
    { shapes: ['96x64x1x1', '96x1x3x3', '128x96x1x1'], parameters: 19_296, macs: 15_128_064 },
  ],
  [
    // 96 · (64 + 3 + 3 + 128) = 96 · 198 = 19,008, at 784 positions: 14,902,272.
    'cp of 128 × 64 × 3 × 3 at 96',
    'cp',
    convForm(128, 64, 3, 28),
    [96],
    {
      shapes: ['96x64x1x1', '96x1x3x1', '96x1x1x3', '128x96x1x1'],
      parameters: 19_008,
      macs: 14_902_272,
    },
  ],
  [
    // 24 · 64 + 24 · 40 · 3 + 40 · 48 · 3 + 48 · 128 = 1536 + 2880 + 5760 + 6144 = 16,320, at 784 positions: 12,794,880.
    'tt of 128 × 64 × 3 × 3 at (24, 40, 48)',
    'tt',
    convForm(128, 64, 3, 28),
    [24, 40, 48],
    {
      shapes: ['24x64x1x1', '40x24x3x1', '48x40x1x3', '128x48x1x1'],
      parameters: 16_320,
      macs: 12_794_880,
    },
  ],
  [
    // Four groups of 64 / 4 = 16 channels, each to 10: 40 · 16 · 9 = 5760; mixed by 128 · 40 = 5120. Together 10,880,
    // at 784 positions: 8,529,920.
    'group of 128 × 64 × 3 × 3 in 4 groups at 10',
    'group',
    convForm(128, 64, 3, 28),
    [4, 10],
    { shapes: ['40x16x3x3', '128x40x1x1'], parameters: 10_880, macs: 8_529_920 },
  ],
  [
    // Three atoms of 9 numbers = 27, then 128 · 64 · 3 = 24,576: 24,603 parameters. Every one of the 64 channels meets
    // the atoms: (27 · 64 + 24,576) · 784 = 26,304 · 784 = 20,622,336 MACs.
    'dcf of 128 × 64 × 3 × 3 with 3 atoms',
    'dcf',
    convForm(128, 64, 3, 28),
    [3],
    { shapes: ['3x1x3x3', '128x192x1x1'], parameters: 24_603, macs: 20_622_336 },
  ],
];

for (const [name, method, form, ranks, expected] of EXAMPLES) {
  test(`${name}: ${expected.parameters.toLocaleString('en')} parameters`, () => {
    assert.deepEqual(at(only(form, method), ranks), expected);
  });
}
