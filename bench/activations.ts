/**
 * `node out/bench/activations.js [columns | resnet50 [IMAGES]]…`: what collecting activations takes, in processor
 * seconds, as other work on the machine does not count then.
 * - columns: the columns of a 3 × 3 convolution, 512 channels on 28 × 28, 32 images, beside copying as many numbers;
 * - resnet50: every layer of a network of ResNet-50's shape on IMAGES pictures (64), two at a time, with d × (d + S)
 *   doubles kept for each layer of a pass as moments need them: seconds, passes and peak memory.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { analyzeModel } from '../src/core/compress/analyzeModel';
import type { ConvForm, Layer } from '../src/core/compress/layer';
import { product } from '../src/core/compress/method';
import type { Node } from '../src/core/onnx/model';
import { collectActivations } from '../src/worker/activations/collect';
import { gather, rowsOf } from '../src/worker/activations/columns';
import { convColumns } from '../src/worker/activations/convColumns';
import { calibrationBatches } from '../src/worker/activations/inputBatches';
import { openCalibration } from '../src/worker/calibration/calibrationData';
import { openModel } from '../src/worker/openModel';
import { loadRuntime } from '../src/worker/runtime';
import { seededArray } from '../test/support/onnxModel';
import { writeResnet50 } from './resnet50';

const MIB = 2 ** 20;

/** Processor seconds that an action takes. */
async function seconds(action: () => void | Promise<void>): Promise<number> {
  const before = process.cpuUsage();
  await action();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
}

async function columns(): Promise<void> {
  const [images, channels, size, block] = [32, 512, 28, 800];
  const ints = (value: readonly number[]) => ({ kind: 'ints', value }) as const;
  const node: Node = {
    name: '',
    opType: 'Conv',
    domain: '',
    inputs: [],
    outputs: [],
    attributes: new Map([['pads', ints([1, 1, 1, 1])]]),
    span: { start: 0, end: 0 },
  };
  const form: ConvForm = {
    kind: 'conv',
    isTransposed: false,
    outChannels: channels,
    groupChannels: channels,
    groups: 1,
    kernel: [3, 3],
    calls: [],
  };
  const dims = [images, channels, size, size];
  const x = seededArray(product(dims), 1);
  const { p, count } = convColumns(form, node, dims, dims);
  const out = new Float32Array(rowsOf(p) * block);
  const from = seededArray(out.length, 2);
  const make = () => {
    for (let start = 0; start < count; start += block) {
      const width = Math.min(block, count - start);
      gather(
        p,
        x,
        0,
        Int32Array.from({ length: width }, (_, i) => start + i),
        out,
      );
    }
  };
  const copy = () => {
    for (let start = 0; start < count; start += block) for (let i = 0; i < out.length; i++) out[i] = from[i]!;
  };
  const best = async (action: () => void) => {
    let least = Infinity;
    for (let run = 0; run < 5; run++) least = Math.min(least, await seconds(action));
    return least;
  };
  const [made, copied] = [await best(make), await best(copy)];
  const millions = Math.round((rowsOf(p) * count) / 1e6);
  console.log(
    `columns: ${millions} million numbers in ${made.toFixed(2)} s, ${(made / copied).toFixed(1)} times what copying them takes`,
  );
}

async function resnet(images: number): Promise<void> {
  const folder = mkdtempSync(path.join(tmpdir(), 'ranksmith-bench-'));
  try {
    const file = path.join(folder, 'resnet50.onnx');
    writeResnet50(file);
    const open = openModel(file);
    const { layers } = analyzeModel(open.model, { dims: {}, openExternal: open.openExternal });
    const data = await openCalibration(open.model, new Map(), { limit: images, holdEvery: 0 });
    const runtime = loadRuntime(path.resolve('dist'));
    const kept = new Map<Layer, Float64Array>();
    const sizeOf = ({ form }: Layer) => {
      if (form.kind === 'conv') return [form.groupChannels * product(form.kernel), form.outChannels] as const;
      return form.kind === 'matmul' ? ([form.inner, form.outer] as const) : ([0, 0] as const);
    };
    let passes: readonly (readonly Layer[])[] = [];
    const taken = await seconds(async () => {
      const collected = await collectActivations(runtime, {
        original: open,
        layers,
        batches: calibrationBatches(data, data.fit, 2),
        sink: {
          keptBytes: (layer) => 8 * sizeOf(layer)[0] * (sizeOf(layer)[0] + sizeOf(layer)[1]),
          add(layer, _, p, y) {
            // Filled, or the system would not give the memory.
            if (!kept.has(layer))
              kept.set(layer, new Float64Array(p.rows * (p.rows + y.rows)).fill(p.data[0]!));
          },
          finish: (layer) => {
            kept.delete(layer);
          },
        },
      });
      passes = collected.passes;
    });
    const peak = Math.round((process.resourceUsage().maxRSS * 1024) / MIB);
    const shared = passes.map((own) => own.length).join(' + ');
    console.log(
      `resnet50: ${images} images, ${layers.length} layers in passes of ${shared}: ${taken.toFixed(1)} s, ${peak} MiB at most`,
    );
    open.close();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function main(): Promise<void> {
  const args = process.argv.slice(2);
  const wanted = args.filter((arg) => !/^\d+$/.test(arg));
  const images = Number(args.find((arg) => /^\d+$/.test(arg)) ?? 64);
  // The peak is that of the process, so what needs little comes first.
  if (wanted.length === 0 || wanted.includes('columns')) await columns();
  if (wanted.length === 0 || wanted.includes('resnet50')) await resnet(images);
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
