import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import { deflateSync, inflateSync } from 'node:zlib';
import { encode } from 'jpeg-js';
import { onnx } from 'onnx-proto';
import { ModelError } from '../../src/core/onnx/modelError';
import { openCalibration } from '../../src/worker/calibration/calibrationData';
import { createDice, type Dice, mutateBytes, mutateStructure } from '../support/fuzz';
import { npyFile, npzFile } from '../support/npyFile';
import { buildModel, floatTensor } from '../support/onnxModel';
import { pngChunk, pngFile } from '../support/pngFile';
import { scratchFolder, writeInto } from '../support/scratch';

const dir = scratchFolder();
const values = Array.from({ length: 6 * 3 * 8 * 8 }, (_, i) => (i * 37) % 256);
const model = buildModel({
  nodes: [{ op: 'Conv', inputs: ['x'], outputs: ['y'] }],
  inputs: { x: ['N', 3, 8, 8] },
  outputs: { y: null },
});

/** Opens a file as data and does everything with it. True where it was taken. Anything but a ModelError is a bug. */
async function use(file: string): Promise<boolean> {
  try {
    const data = await openCalibration(model, new Map(), { path: file });
    try {
      for (const batch of data.batches(data.fit, 4)) assert.equal(batch.tensors.get('x')!.type, 'float32');
      await data.describe();
      await data.hash();
      return true;
    } finally {
      data.close();
    }
  } catch (error) {
    if (!(error instanceof ModelError)) throw error;
    assert.match(error.message, /^\S.*\.$/s);
    return false;
  }
}

/** No file here has more than a few thousand numbers: nothing in it is worth more time or memory than this. */
const LONGEST_MS = 3000;
const MOST_BYTES = 150_000_000;

async function survives(
  name: string,
  bytes: Uint8Array,
  rounds: number,
  mutate: (bytes: Uint8Array, dice: Dice) => Uint8Array = mutateBytes,
): Promise<void> {
  const folder = path.join(dir, name.replace(/\W/g, '-'));
  mkdirSync(folder);
  const target = /\.(png|jpg|pb)$/.test(name) ? folder : path.join(folder, name);
  writeInto(folder, name, bytes);
  assert.ok(await use(target), `${name} is taken as it is.`);
  const dice = createDice(bytes.length);
  let taken = 0;
  for (let round = 0; round < rounds; round++) {
    const changed =
      round < 40 ? bytes.subarray(0, Math.floor((round * bytes.length) / 40)) : mutate(bytes, dice);
    writeInto(folder, name, changed);
    const [start, before] = [performance.now(), process.memoryUsage()];
    if (await use(target)) taken++;
    const after = process.memoryUsage();
    assert.ok(performance.now() - start < LONGEST_MS, `${name} took too long in round ${round}.`);
    const grown = after.arrayBuffers - before.arrayBuffers;
    assert.ok(grown < MOST_BYTES, `${name} took ${grown} bytes in round ${round}.`);
  }
  // Were all refused at the door, nothing behind it would be tested.
  assert.ok(taken > 0 && taken < rounds, `${taken} of ${rounds}`);
}

/** A PNG file with up to three changes to its header, its palette or its unpacked rows, with checksums that fit. */
function mutatePng(bytes: Uint8Array, dice: Dice): Uint8Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const parts: Uint8Array[] = [bytes.subarray(0, 8)];
  for (let at = 8; at < bytes.length; ) {
    const length = view.getUint32(at);
    const type = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
    const packed = bytes.subarray(at + 8, at + 8 + length);
    const content = Uint8Array.from(type === 'IDAT' ? inflateSync(packed) : packed);
    if (content.length > 0 && dice(2) === 0) {
      for (let change = dice(3); change >= 0; change--) {
        // Sizes stay small more often than not, so that something is left to decode.
        content[dice(content.length)] = dice(2) === 0 ? dice(9) : dice(256);
      }
    }
    const kept = dice(8) === 0 ? content.subarray(0, dice(content.length + 1)) : content;
    if (dice(12) > 0) parts.push(pngChunk(type, type === 'IDAT' ? deflateSync(kept) : kept));
    at += 12 + length;
  }
  return Buffer.concat(parts);
}

describe('damaged files are taken or refused in a sentence, soon and in little memory', () => {
  const npy = npyFile('<f4', [6, 3, 8, 8], values);
  it('.npy', () => survives('a.npy', npy, 300));
  it('.npy, its header only', () =>
    survives('h.npy', npy, 300, (bytes, dice) => {
      const out = Uint8Array.from(bytes);
      for (let change = dice(3); change >= 0; change--) out[6 + dice(80)] = 32 + dice(96);
      return out;
    }));
  it('.npy in Fortran order', () =>
    survives('f.npy', npyFile('|u1', [6, 3, 8, 8], values, { fortran: true }), 150));
  it('.npz, stored', () => survives('s.npz', npzFile({ x: npy }), 200));
  it('.npz, compressed', () => survives('c.npz', npzFile({ x: npy }, { compressed: true }), 400));
  it('.npz, its directory only', () =>
    survives('d.npz', npzFile({ x: npy }, { compressed: true, zip64: true }), 400, (bytes, dice) => {
      const out = Uint8Array.from(bytes);
      for (let change = dice(3); change >= 0; change--)
        out[out.length - 1 - dice(220)] = dice(2) ? 255 : dice(256);
      return out;
    }));
  const tensor = onnx.TensorProto.encode(floatTensor('x', [6, 3, 8, 8], values)).finish();
  const typed = onnx.TensorProto.encode({
    name: 'x',
    dims: [1, 3, 8, 8],
    dataType: 1,
    floatData: values.slice(0, 192),
  });
  it('.pb', () => survives('input_0.pb', tensor, 300));
  it('.pb, its structure', () => survives('input_00.pb', typed.finish(), 400, mutateStructure));
  const rgb = values.slice(0, 192);
  const png = (interlaced: boolean) =>
    pngFile({ width: 8, height: 8, colorType: 2, values: rgb, interlaced });
  const pngWithText = pngFile({
    width: 8,
    height: 8,
    colorType: 2,
    values: rgb,
    extra: [['tEXt', new Uint8Array(400)]],
  });
  it('.png', () => survives('a.png', png(false), 400, mutatePng));
  it('.png, any byte', () => survives('b.png', pngWithText, 150));
  it('.png, interlaced', () => survives('i.png', png(true), 400, mutatePng));
  it('.png with a palette', () =>
    survives(
      'p.png',
      pngFile({
        width: 8,
        height: 8,
        colorType: 3,
        depth: 4,
        values: rgb.map((v) => v % 16).slice(0, 64),
        palette: rgb.slice(0, 48),
      }),
      400,
      mutatePng,
    ));
  const picture = Buffer.from(Array.from({ length: 32 * 32 * 4 }, (_, i) => (i * i) % 251));
  it('.jpg', () => survives('a.jpg', encode({ width: 32, height: 32, data: picture }, 80).data, 500));
});
