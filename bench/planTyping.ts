/**
 * `node out/bench/planTyping.js`: how long it takes from a keystroke in a plan of 1,000 layers to its squiggles, but for
 * VS Code itself: the text is parsed, reviewed by the engine in its worker thread, and the remarks become ranges. Layers
 * are small convolutions and matrices with random weights. Milliseconds, after everything is measured once.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Worker } from 'node:worker_threads';
import { parsePlanFile } from '../src/core/compress/parsePlanFile';
import type { PlanEdit } from '../src/core/compress/planEdits';
import { printPlanFile } from '../src/core/compress/planFile';
import { problemMarks, remarkMarks } from '../src/core/compress/planMarks';
import type { PlanReview } from '../src/core/compress/planReview';
import { ENGINE_METHODS, type Engine } from '../src/worker/engine';
import { connect } from '../src/worker/rpc';
import { encodeModel, floatTensor, type NodeSpec, seededArray } from '../test/support/onnxModel';
import { median } from './layers';

const LAYERS = 1000;
const EDITS = 40;
const CHANNELS = 32;

/** Convolutions 3 × 3 and 1 × 1 in turn, one behind the other. */
function chain(): Uint8Array {
  const nodes: NodeSpec[] = [];
  const initializers = [];
  for (let i = 0; i < LAYERS; i++) {
    const extent = i % 2 === 0 ? 3 : 1;
    const dims = [CHANNELS, CHANNELS, extent, extent];
    const size = dims.reduce((a, b) => a * b, 1);
    initializers.push(floatTensor(`w${i}`, dims, seededArray(size, i + 1)));
    nodes.push({
      op: 'Conv',
      name: `/blocks/blocks.${i}/Conv`,
      inputs: [i === 0 ? 'x' : `y${i - 1}`, `w${i}`],
      outputs: [`y${i}`],
      attributes: extent === 3 ? { pads: [1, 1, 1, 1] } : {},
    });
  }
  const shape = [1, CHANNELS, 8, 8];
  return encodeModel({
    nodes,
    initializers,
    inputs: { x: shape },
    outputs: { [`y${LAYERS - 1}`]: shape },
  });
}

/** What a keystroke does to the text; undefined where there is nothing to be typed. */
type Typing = (text: string, turn: number) => PlanEdit | undefined;

const TYPINGS: Readonly<Record<string, Typing>> = {
  'a digit of a rank': (text, turn) => {
    const places = [...parsePlanFile(text).places.values()].filter(({ ranks }) => ranks);
    const { ranks } = places[(turn * 97) % places.length]!;
    // [16] becomes [1] and back again.
    const [first = 1] = JSON.parse(text.slice(ranks!.offset, ranks!.offset + ranks!.length)) as number[];
    return { ...ranks!, text: first < 10 ? `[${first}6]` : '[1]' };
  },
  'another method': (text, turn) => {
    const { plan, places } = parsePlanFile(text);
    const entries = plan!.layers.filter(({ kind }) => kind === 'factor');
    const entry = entries[(turn * 89) % entries.length]!;
    if (entry.kind !== 'factor' || entry.method === 'svd') return undefined;
    const { method } = places.get(entry.layer)!;
    return { ...method!, text: entry.method === 'channel' ? '"input-channel"' : '"channel"' };
  },
  'a digit of the goal': (text, turn) => {
    const { members } = parsePlanFile(text);
    return { ...members.get('goal')!, text: `"macs=0.${50 + turn}"` };
  },
  'a brace that closes nothing': (text, turn) => ({
    offset: text.length - 1,
    length: 0,
    text: turn % 2 === 0 ? '}' : ' ',
  }),
};

/** The starts of the lines of a text: as VS Code turns an offset into a position. */
function positions(text: string): (offset: number) => { readonly line: number; readonly character: number } {
  const starts = [0];
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
  return (offset) => {
    let low = 0;
    let high = starts.length - 1;
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if (starts[middle]! <= offset) low = middle;
      else high = middle - 1;
    }
    return { line: low, character: offset - starts[low]! };
  };
}

async function main(): Promise<void> {
  const folder = mkdtempSync(path.join(tmpdir(), 'ranksmith-bench-'));
  const model = path.join(folder, 'thousand.onnx');
  const worker = new Worker(path.resolve('dist/worker.js'));
  try {
    writeFileSync(model, chain());
    const { remote } = connect<Engine>(ENGINE_METHODS, {
      post: (message) => worker.postMessage(message),
      onMessage: (receive) => worker.on('message', receive),
    });
    const began = performance.now();
    const { plan } = await remote.plan({
      path: model,
      target: { kind: 'macs', share: 0.5 },
      method: 'auto',
    });
    console.log(
      `${LAYERS} layers measured and planned in ${((performance.now() - began) / 1000).toFixed(1)} s`,
    );
    const original = printPlanFile(plan);
    await remote.review({ path: model, plan, measure: true });

    console.log(
      'typed                        parse  review  ranges   whole (median)  worst  remarks, in characters',
    );
    for (const [name, typing] of Object.entries(TYPINGS)) {
      let text = original;
      const times = { parse: [] as number[], review: [] as number[], ranges: [] as number[] };
      let marks = 0;
      for (let turn = 0; times.parse.length < EDITS; turn++) {
        const edit = typing(text, turn);
        if (!edit) continue;
        // Each of these keystrokes is made in the text that the one before left; broken texts are mended at once.
        const typed = text.slice(0, edit.offset) + edit.text + text.slice(edit.offset + edit.length);
        const start = performance.now();
        const parsed = parsePlanFile(typed);
        const parsedAt = performance.now();
        let review: PlanReview | undefined;
        if (parsed.plan) review = await remote.review({ path: model, plan: parsed.plan, measure: false });
        const reviewedAt = performance.now();
        const found = review ? remarkMarks(parsed, review.remarks) : problemMarks(parsed);
        const at = positions(typed);
        const ranges = found.map(({ offset, length }) => [at(offset), at(offset + length)]);
        times.ranges.push(performance.now() - reviewedAt);
        times.parse.push(parsedAt - start);
        times.review.push(reviewedAt - parsedAt);
        marks = ranges.length;
        if (review && !review.isMeasured) throw new Error('Something is not measured.');
        if (parsed.plan) text = typed;
      }
      const whole = times.parse.map((ms, i) => ms + times.review[i]! + times.ranges[i]!);
      const figure = (ms: number, width: number) => ms.toFixed(1).padStart(width);
      console.log(
        `${name.padEnd(27)}  ${figure(median(times.parse), 5)}  ${figure(median(times.review), 6)}  ${figure(median(times.ranges), 6)}  ${figure(median(whole), 15)}  ${figure(Math.max(...whole), 5)}  ${marks} in ${text.length}`,
      );
    }
  } finally {
    await worker.terminate();
    rmSync(folder, { recursive: true, force: true });
  }
}

void main();
