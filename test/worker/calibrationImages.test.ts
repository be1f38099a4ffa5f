import assert from 'node:assert/strict';
import { mkdirSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import { encode } from 'jpeg-js';
import { ModelError } from '../../src/core/onnx/modelError';
import { seededUniform } from '../../src/core/tensor/seeded';
import { decodeImage, imageHeader } from '../../src/worker/calibration/decodeImage';
import type { Image } from '../../src/worker/calibration/image';
import { imageColumn } from '../../src/worker/calibration/imageColumn';
import { findImages } from '../../src/worker/calibration/imageFiles';
import { imageLayout } from '../../src/worker/calibration/imageLayout';
import type { ImageFitting } from '../../src/worker/calibration/preprocessing';
import { resample, scalingFor } from '../../src/worker/calibration/resample';
import { concat, latin1 } from '../support/checkpointFiles';
import { pngFile } from '../support/pngFile';
import { scratchFolder, writeInto } from '../support/scratch';

const dir = scratchFolder();
const FITTING: ImageFitting = { fit: 'crop', channels: 'rgb', layout: 'auto' };

/** Whole numbers below `limit`. */
function noise(count: number, limit: number, seed = 1): number[] {
  const uniform = seededUniform(seed);
  return Array.from({ length: count }, () => Math.floor(uniform() * limit));
}

function refusal(sentence: RegExp): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof ModelError, String(error));
    assert.equal(error.code, 'bad-data');
    assert.match(error.message, sentence);
    assert.match(error.message, /can't be used as input: .*[^.]\.$/s);
    return true;
  };
}

/** A JPEG of these RGB pixels, with an EXIF orientation if one is given. */
function jpegFile(
  width: number,
  height: number,
  rgb: readonly number[],
  orientation?: number,
  little = true,
): Uint8Array {
  const rgba = Buffer.alloc(width * height * 4, 255);
  for (let p = 0; p < width * height; p++) rgba.set(rgb.slice(3 * p, 3 * p + 3), 4 * p);
  const { data } = encode({ width, height, data: rgba }, 95);
  if (orientation === undefined) return data;
  const tiff = new DataView(new ArrayBuffer(26));
  tiff.setUint16(0, little ? 0x4949 : 0x4d4d);
  tiff.setUint16(2, 42, little);
  tiff.setUint32(4, 8, little);
  tiff.setUint16(8, 1, little);
  tiff.setUint16(10, 0x0112, little);
  tiff.setUint16(12, 3, little);
  tiff.setUint32(14, 1, little);
  tiff.setUint16(18, orientation, little);
  const segment = concat(latin1('Exif\0\0'), new Uint8Array(tiff.buffer));
  const length = segment.length + 2;
  return concat(data.subarray(0, 2), [0xff, 0xe1, length >> 8, length & 255], segment, data.subarray(2));
}

describe('PNG files', () => {
  const [width, height] = [11, 7];
  const kinds = [
    [0, 1, 1],
    [0, 2, 1],
    [0, 4, 1],
    [0, 8, 1],
    [0, 16, 1],
    [2, 8, 3],
    [2, 16, 3],
    [4, 8, 2],
    [4, 16, 2],
    [6, 8, 4],
    [6, 16, 4],
  ] as const;
  for (const [colorType, depth, channels] of kinds) {
    for (const interlaced of depth < 8 ? [false] : [false, true]) {
      it(`of colour type ${colorType} with ${depth} bits${interlaced ? ', interlaced,' : ''} are decoded`, () => {
        const values = noise(width * height * channels, 2 ** depth, depth);
        const file = writeInto(
          dir,
          'a.png',
          pngFile({ width, height, colorType, depth, values, interlaced }),
        );
        const image = decodeImage(file);
        assert.deepEqual([image.width, image.height, image.channels], [width, height, channels]);
        assert.equal(image.white, depth === 16 ? 65535 : 255);
        const scale = depth < 8 ? 255 / (2 ** depth - 1) : 1;
        assert.deepEqual(
          Array.from(image.data),
          values.map((value) => value * scale),
        );
      });
    }
  }
  for (const depth of [1, 2, 4, 8] as const) {
    it(`with a palette of ${depth} bits become RGB`, () => {
      const palette = noise(3 * 2 ** depth, 256);
      const values = noise(width * height, 2 ** depth);
      const transparency = ['tRNS', Uint8Array.of(7)] as const;
      const file = writeInto(
        dir,
        'p.png',
        pngFile({ width, height, colorType: 3, depth, values, palette, extra: [transparency] }),
      );
      const image = decodeImage(file);
      assert.deepEqual(
        Array.from(image.data),
        values.flatMap((v) => palette.slice(3 * v, 3 * v + 3)),
      );
    });
  }

  const spec = { width, height, colorType: 0, values: noise(77, 256) } as const;
  const good = pngFile(spec);
  const big = pngFile(spec);
  new DataView(big.buffer).setUint32(16, 30_000);
  const refused: readonly [string, Uint8Array, RegExp][] = [
    ['cut off', good.subarray(0, good.length - 20), /cut off/],
    ['claiming more pixels than it holds', big, /84 bytes of pixels instead of 210,007/],
    ['too large to be true', Uint8Array.from(big).fill(0xff, 16, 19), /more than are read/],
    ['damaged', good.map((byte, i) => (i === 50 ? byte ^ 255 : byte)), /./],
    [
      'interlaced below 8 bits',
      pngFile({ ...spec, depth: 4, interlaced: true, values: noise(77, 16) }),
      /interlaced/,
    ],
    ['of another kind', latin1('GIF89a'), /neither PNG nor JPEG/],
    ['empty', new Uint8Array(0), /neither PNG nor JPEG/],
  ];
  for (const [what, bytes, sentence] of refused) {
    it(`are refused: ${what}`, () => {
      assert.throws(() => decodeImage(writeInto(dir, 'bad.png', bytes)), refusal(sentence));
    });
  }

  it('whose pixels unpack to more than they claim are not unpacked', () => {
    const huge = pngFile({ width: 4000, height: 3000, colorType: 0, values: new Uint8Array(12_000_000) });
    new DataView(huge.buffer).setUint32(20, 3);
    const before = process.memoryUsage().arrayBuffers;
    assert.throws(() => decodeImage(writeInto(dir, 'bomb.png', huge)), refusal(/./));
    assert.ok(process.memoryUsage().arrayBuffers - before < 4_000_000);
  });
});

describe('JPEG files', () => {
  // Smooth, so that compression keeps it: red grows to the right, green downwards.
  const [width, height] = [24, 16];
  const rgb = Array.from({ length: width * height }, (_, p) => [
    (p % width) * 10,
    Math.floor(p / width) * 15,
    40,
  ]).flat();

  it('are decoded', () => {
    const image = decodeImage(writeInto(dir, 'a.jpg', jpegFile(width, height, rgb)));
    assert.deepEqual([image.width, image.height, image.channels, image.white], [width, height, 3, 255]);
    const worst = Math.max(...rgb.map((value, i) => Math.abs(value - image.data[i]!)));
    assert.ok(worst < 16, `${worst}`);
  });

  it('are known by content, whatever they are called', () => {
    const file = writeInto(dir, 'jpeg.png', jpegFile(width, height, rgb));
    assert.deepEqual(imageHeader(file), { format: 'JPEG', width, height });
  });

  // The corner that holds the top left of the file's pixels, by EXIF 2.32: row 0 and column 0 of the file are at…
  const corners = [
    ['top', 'left'],
    ['top', 'right'],
    ['bottom', 'right'],
    ['bottom', 'left'],
    ['left', 'top'],
    ['right', 'top'],
    ['right', 'bottom'],
    ['left', 'bottom'],
  ] as const;
  for (const [i, [row0, column0]] of corners.entries()) {
    it(`of orientation ${i + 1} are turned upright`, () => {
      const image = decodeImage(writeInto(dir, 'e.jpg', jpegFile(width, height, rgb, i + 1, i % 2 === 0)));
      const swapped = row0 === 'left' || row0 === 'right';
      assert.deepEqual([image.width, image.height], swapped ? [height, width] : [width, height]);
      const header = imageHeader(path.join(dir, 'e.jpg'));
      assert.deepEqual([header.width, header.height], [image.width, image.height]);
      // Red tells the file's column, green its row.
      for (const [x, y] of [
        [1, 1],
        [image.width - 2, 2],
        [3, image.height - 3],
      ] as const) {
        const along = { left: x, right: image.width - 1 - x, top: y, bottom: image.height - 1 - y };
        const at = (y * image.width + x) * 3;
        assert.ok(Math.abs(image.data[at]! - 10 * along[column0]) < 16, 'column');
        assert.ok(Math.abs(image.data[at + 1]! - 15 * along[row0]) < 16, 'row');
      }
    });
  }

  const good = jpegFile(width, height, rgb);
  it('are refused when cut off anywhere', () => {
    for (let length = 0; length < good.length - 2; length += 13) {
      assert.throws(() => decodeImage(writeInto(dir, 'c.jpg', good.subarray(0, length))), refusal(/./));
    }
  });

  it('are refused when they claim more pixels than their bytes can hold', () => {
    const at = Buffer.from(good).indexOf(Buffer.from([0xff, 0xc0]));
    const lies = Uint8Array.from(good);
    new DataView(lies.buffer).setUint16(at + 5, 7000);
    new DataView(lies.buffer).setUint16(at + 7, 7000);
    assert.throws(() => decodeImage(writeInto(dir, 'l.jpg', lies)), refusal(/can't hold 7000 × 7000 pixels/));
  });

  it('are refused when they repeat a scan for ever', () => {
    const at = Buffer.from(good).indexOf(Buffer.from([0xff, 0xda]));
    const scan = good.subarray(at, good.length - 2);
    const many = concat(good.subarray(0, at), ...Array.from({ length: 300 }, () => scan), [0xff, 0xd9]);
    assert.throws(() => decodeImage(writeInto(dir, 's.jpg', many)), refusal(/300 scans/));
  });
});

describe('scaling', () => {
  const picture = (width: number, height: number, value: (x: number, y: number) => number): Image => ({
    width,
    height,
    channels: 1,
    white: 255,
    data: Array.from({ length: width * height }, (_, i) => value(i % width, Math.floor(i / width))),
  });
  const all = (width: number, height: number) => ({
    scaledWidth: width,
    scaledHeight: height,
    left: 0,
    top: 0,
    width,
    height,
  });

  it('to the same size changes nothing', () => {
    const image = picture(9, 5, (x, y) => (x * 31 + y * 57) % 256);
    assert.deepEqual([...resample(image, all(9, 5))], image.data);
  });

  it('keeps a constant', () => {
    for (const [w, h] of [
      [3, 17],
      [40, 2],
      [1, 1],
    ] as const) {
      for (const value of resample(
        picture(13, 8, () => 77),
        all(w, h),
      ))
        assert.ok(Math.abs(value - 77) < 1e-4);
    }
  });

  it('keeps a ramp, away from the edges', () => {
    const image = picture(32, 4, (x) => 3 * x);
    for (const width of [80, 16, 7]) {
      const out = resample(image, all(width, 4));
      const ratio = 32 / width;
      for (let x = 2; x < width - 2; x++) {
        // The centre of an output pixel, in input pixels.
        assert.ok(
          Math.abs(out[width + x]! - 3 * ((x + 0.5) * ratio - 0.5)) < 0.02 * 3 * ratio,
          `${width} ${x}`,
        );
      }
    }
  });

  it('to half the size weighs four neighbours 1 3 3 1', () => {
    const values = noise(16, 256);
    const out = resample(
      picture(16, 1, (x) => values[x]!),
      all(8, 1),
    );
    for (let x = 1; x < 7; x++) {
      const [a, b, c, d] = values.slice(2 * x - 1, 2 * x + 3) as [number, number, number, number];
      assert.ok(Math.abs(out[x]! - (a + 3 * b + 3 * c + d) / 8) < 1e-4);
    }
  });

  it('to a part gives that part of the whole', () => {
    const image = picture(23, 19, (x, y) => (x * 91 + y * 37) % 256);
    const whole = resample(image, all(14, 12));
    const part = resample(image, { scaledWidth: 14, scaledHeight: 12, left: 3, top: 2, width: 8, height: 7 });
    for (let y = 0; y < 7; y++) {
      for (let x = 0; x < 8; x++) assert.equal(part[y * 8 + x], whole[(y + 2) * 14 + x + 3]);
    }
  });

  it('crops the middle of the longer side, or stretches', () => {
    assert.deepEqual(scalingFor({ width: 640, height: 480 }, 224, 224, 'crop'), {
      scaledWidth: 299,
      scaledHeight: 224,
      left: 37,
      top: 0,
      width: 224,
      height: 224,
    });
    assert.deepEqual(scalingFor({ width: 100, height: 300 }, 50, 30, 'crop'), {
      scaledWidth: 50,
      scaledHeight: 150,
      left: 0,
      top: 60,
      width: 50,
      height: 30,
    });
    assert.deepEqual(scalingFor({ width: 640, height: 480 }, 224, 112, 'stretch'), all(224, 112));
  });
});

describe('the layout of pictures', () => {
  const cases: readonly [
    Parameters<typeof imageLayout>[0],
    Partial<ReturnType<typeof imageLayout>> | undefined,
  ][] = [
    [['N', 3, 224, 224], { batch: 0, channel: 1, height: 2, width: 3, channels: 3, assumed: false }],
    [['N', 224, 224, 3], { batch: 0, channel: 3, height: 1, width: 2, channels: 3 }],
    [[1, 'H', 'W', 1], { channel: 3, channels: 1 }],
    [[1, 1, 28, 1], { channel: 1, channels: 1 }],
    [['N', 'C', 'H', 'W'], { channel: 1, channels: 3, assumed: true }],
    [[3, 32, 40], { batch: null, channel: 0, height: 1, width: 2 }],
    [[32, 40, 4], { batch: null, channel: 2, height: 0, width: 1, channels: 4 }],
    [['N', 28, 28], { batch: 0, channel: null, height: 1, width: 2, channels: 1 }],
    [['N', 6, 32, 32], undefined],
    [['N', 784], undefined],
    [null, undefined],
  ];
  for (const [shape, expected] of cases) {
    it(`of ${JSON.stringify(shape)}`, () => {
      const found = imageLayout(shape);
      assert.deepEqual(found && { ...found, ...expected }, found);
      assert.equal(found === undefined, expected === undefined);
    });
  }
  it('is the one that is asked for', () => {
    assert.equal(imageLayout(['N', 'a', 'b', 'c'], 'nhwc')?.channel, 3);
    assert.equal(imageLayout([1, 3, 3, 3], 'nhwc')?.channel, 3);
  });
});

describe('pictures as samples', () => {
  const values = noise(4 * 4 * 3, 256);
  const colour = writeInto(dir, 'colour.png', pngFile({ width: 4, height: 4, colorType: 2, values }));
  const grey = writeInto(dir, 'grey.png', pngFile({ width: 4, height: 4, colorType: 0, values }));
  const deep = writeInto(
    dir,
    'deep.png',
    pngFile({ width: 4, height: 4, colorType: 0, depth: 16, values: values.map((v) => v * 257) }),
  );
  const clear = noise(4 * 4 * 4, 256, 3);
  const alpha = writeInto(dir, 'alpha.png', pngFile({ width: 4, height: 4, colorType: 6, values: clear }));
  const read = (
    file: string,
    channels: number,
    channelsFirst = true,
    fitting: Partial<ImageFitting> = {},
  ) => {
    const shape = { width: 4, height: 4, channels, channelsFirst };
    const out = new Float64Array(16 * channels);
    imageColumn('x', [file], shape, { ...FITTING, ...fitting }, []).read([0], out);
    return [...out];
  };
  const plane = (c: number, from = values, of = 3) => Array.from({ length: 16 }, (_, p) => from[p * of + c]!);

  it('have their channels in front, or behind', () => {
    assert.deepEqual(read(colour, 3), [...plane(0), ...plane(1), ...plane(2)]);
    assert.deepEqual(read(colour, 3, false), values);
  });
  it('have blue first where that is asked for', () => {
    assert.deepEqual(read(colour, 3, true, { channels: 'bgr' }), [...plane(2), ...plane(1), ...plane(0)]);
    const rgba = read(alpha, 4, true, { channels: 'bgr' });
    assert.deepEqual(
      rgba,
      [2, 1, 0, 3].flatMap((c) => plane(c, clear, 4)),
    );
  });
  it('repeat grey, weigh colours to grey, and drop or add transparency', () => {
    assert.deepEqual(read(grey, 3), [...values.slice(0, 16), ...values.slice(0, 16), ...values.slice(0, 16)]);
    for (const [p, value] of read(colour, 1).entries()) {
      const [r, g, b] = values.slice(3 * p, 3 * p + 3) as [number, number, number];
      assert.ok(Math.abs(value - (0.299 * r + 0.587 * g + 0.114 * b)) <= 0.501);
      assert.ok(Number.isInteger(value));
    }
    assert.deepEqual(
      read(alpha, 3),
      [0, 1, 2].flatMap((c) => plane(c, clear, 4)),
    );
    assert.deepEqual(read(colour, 4).slice(48), new Array(16).fill(255));
  });
  it('are decoded once', () => {
    const file = writeInto(dir, 'once.png', pngFile({ width: 4, height: 4, colorType: 0, values }));
    const column = imageColumn(
      'x',
      [file],
      { width: 4, height: 4, channels: 1, channelsFirst: true },
      FITTING,
      [],
    );
    const [first, second] = [new Float64Array(16), new Float64Array(16)];
    column.read([0], first);
    unlinkSync(file);
    column.read([0], second);
    assert.deepEqual(second, first);
  });
  it('of 16 bits run to 255 as well', () => {
    for (const [i, value] of read(deep, 1).entries()) assert.ok(Math.abs(value - values[i]!) < 1e-3);
  });
});

describe('a folder of pictures', () => {
  it('is searched through, in the order of paths, and tells what it leaves out', () => {
    const folder = path.join(dir, 'set');
    mkdirSync(path.join(folder, 'b', 'c'), { recursive: true });
    for (const name of ['z.JPG', 'b/2.png', 'b/10.jpeg', 'b/c/1.png', 'a.txt', 'b/labels.csv', '.DS_Store']) {
      writeFileSync(path.join(folder, name), 'x');
    }
    symlinkSync(folder, path.join(folder, 'b', 'loop'));
    symlinkSync(path.join(folder, 'nowhere'), path.join(folder, 'broken.png'));
    const { paths, skipped } = findImages(folder);
    const inside = (p: string) => path.relative(folder, p).split(path.sep).join('/');
    assert.deepEqual(paths.map(inside), ['b/10.jpeg', 'b/2.png', 'b/c/1.png', 'z.JPG']);
    const left = skipped.map((p) => p.split(path.sep).join('/'));
    assert.deepEqual(left, ['a.txt', 'b/labels.csv', 'b/loop', 'broken.png']);
  });
  it('without any is refused', () => {
    const folder = path.join(dir, 'none');
    mkdirSync(folder);
    writeFileSync(path.join(folder, 'notes.md'), 'x');
    assert.throws(() => findImages(folder), refusal(/only notes\.md/));
  });
});
