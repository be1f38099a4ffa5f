import { askChild } from './child';
import type { LayerSet } from './layerSets';
import { type BenchLayer, layersOf, operations } from './layers';
import { timeMlMatrix } from './mlPeer';
import type { OurRequest, OurRun } from './ours';
import { askPeer, type PeerAnswer, SVD_PEERS } from './pythonPeers';
import { disturbance, quietly, type Watched } from './quiet';
import { peerSummaryOf, type Summary, summaryOf } from './tally';
import type { WeightKind } from './weights';

const ML_MATRIX_SECONDS = 20;

export interface CompareOptions {
  readonly threads: readonly number[];
  /** Of {@link SVD_PEERS}. */
  readonly peers: readonly string[];
  readonly runs: number;
  /** Seconds of a peer's run after which it begins no further layer. */
  readonly budget: number;
  /** Seconds that a run waits for a quiet machine. */
  readonly patience: number;
}

/** What the runs of one set with one number of threads have in common. */
interface Context {
  readonly weights: string;
  readonly layers: readonly BenchLayer[];
  readonly threads: number;
  readonly options: CompareOptions;
}

/** Measures a set whose weights are in this file and prints the table. */
export async function compareSet(
  set: LayerSet,
  kind: WeightKind,
  weights: string,
  options: CompareOptions,
): Promise<void> {
  const layers = layersOf(set.shapes);
  const elements = layers.reduce((sum, { rows, cols }) => sum + rows * cols, 0);
  console.log(`\n${set.name}, ${kind} weights (${set.source})`);
  console.log(
    `  ${layers.length} matrices, ${(elements / 1e6).toFixed(1)} M weights, ${(work(layers) / 1e9).toFixed(1)} GFLOP; ` +
      `${options.runs === 1 ? 'one run' : `medians of ${options.runs} runs, of the undisturbed ones where there are any`}; ratios of medians, best runs, processor time`,
  );
  for (const threads of options.threads) {
    console.log(`  ${threads} ${threads === 1 ? 'worker, 1 thread' : `workers, ${threads} threads`}`);
    await compareThreads({ weights, layers, threads, options });
  }
}

async function compareThreads(context: Context): Promise<void> {
  const { weights, layers, threads, options } = context;
  const { runs, peers, patience } = options;
  const ourRuns: Watched<OurRun>[] = [];
  const answers = new Map<string, Watched<PeerAnswer>[]>();
  for (let run = 0; run < runs; run++) {
    ourRuns.push(await runOnce(context, layers));
    for (const peer of peers) {
      const before = answers.get(peer) ?? [];
      if (before.some((answer) => answer.kind === 'skipped')) continue;
      const ask = () => askPeer(peer, { weights, layers }, { ...options, threads, runs: 1 });
      answers.set(peer, [...before, await quietly(patience, ask)]);
    }
  }
  const ours = summaryOf(ourRuns);
  printRow('ours', ours, ['', '', ''], `${(work(layers) / ours.median / 1e9).toFixed(1)} GFLOP/s`);
  const versions = new Set<string>();
  for (const [peer, given] of answers) {
    const theirs = peerSummaryOf(given);
    const name = SVD_PEERS[peer] ?? peer;
    if (typeof theirs === 'string') {
      console.log(`    ${name.padEnd(30)} skipped: ${theirs}`);
      continue;
    }
    for (const [library, version] of Object.entries(theirs.versions)) versions.add(`${library} ${version}`);
    await printPeer(context, name, ours, theirs);
  }
  if (threads === 1) {
    const { seconds, finished } = timeMlMatrix(weights, layers, ML_MATRIX_SECONDS);
    await printPeer(context, 'ml-matrix', ours, {
      median: seconds,
      best: seconds,
      processor: seconds,
      runs: 1,
      others: 0,
      finished,
    });
  }
  if (versions.size > 0) console.log(`    with ${[...versions].join(', ')}`);
}

function runOnce({ weights, threads, options }: Context, layers: readonly BenchLayer[]) {
  return quietly(options.patience, () => askChild<OurRequest, OurRun>({ weights, layers, threads }));
}

/** A peer's row; where it finished only some layers, we are measured on those alone. */
async function printPeer(
  context: Context,
  name: string,
  all: Summary,
  theirs: Summary & { readonly finished: readonly number[] },
): Promise<void> {
  const { finished } = theirs;
  if (finished.length === 0) {
    console.log(`    ${name.padEnd(30)} would not finish a layer in its time`);
    return;
  }
  let ours = all;
  let word = '';
  if (finished.length < context.layers.length) {
    const layers = finished.map((index) => context.layers[index]!);
    const again: Watched<OurRun>[] = [];
    for (let run = 0; run < context.options.runs; run++) again.push(await runOnce(context, layers));
    ours = summaryOf(again);
    word = `on ${finished.length} of ${context.layers.length} (${shapesOf(layers)}), ours ${ours.median.toFixed(2)} s`;
  }
  const ratios = [
    ours.median / theirs.median,
    ours.best / theirs.best,
    ours.processor / theirs.processor,
  ].map((ratio) => ratio.toFixed(2));
  printRow(name, theirs, ratios, word);
}

function printRow(name: string, row: Summary, ratios: readonly string[], word: string): void {
  const columns = [
    `${row.median.toFixed(2)} s`.padStart(9),
    ...ratios.map((ratio) => ratio.padStart(5)),
    (row.rssMb === undefined ? '' : `${row.rssMb.toFixed(0)} MB`).padStart(8),
    ` ${word}`,
    disturbance(row),
  ];
  console.log(`    ${name.padEnd(30)}${columns.join(' ')}`.trimEnd());
}

/** '3 × 64×64, 1024×256'. */
function shapesOf(layers: readonly BenchLayer[]): string {
  const counts = new Map<string, number>();
  for (const { rows, cols } of layers)
    counts.set(`${rows}×${cols}`, (counts.get(`${rows}×${cols}`) ?? 0) + 1);
  const shapes = [...counts].map(([shape, count]) => (count === 1 ? shape : `${count} × ${shape}`));
  return shapes.length > 4 ? 'the smallest' : shapes.join(', ');
}

function work(layers: readonly BenchLayer[]): number {
  return layers.reduce((sum, layer) => sum + operations(layer), 0);
}
