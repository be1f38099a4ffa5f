import { askChild } from './child';
import { median } from './layers';
import type { TuckerLayer, TuckerRequest, TuckerRun } from './ourTucker';
import { askPeer, whyNoPeers } from './pythonPeers';
import { disturbance, quietly, undisturbed } from './quiet';

/** Ours: the default, and one that stops as early as TensorLy does. */
const OUR_TOLERANCES = [1e-5, 3e-4];

/**
 * TensorLy's own settings (its tolerance is a difference of two errors), a longer iteration, and its faster, inexact
 * SVD. Its `symeig_svd` is left out: of a wide unfolding it takes the larger Gram matrix, and is slower than an SVD.
 */
const SETTINGS = [
  { svd: 'truncated_svd', tol: 1e-4, n_iter_max: 100 },
  { svd: 'truncated_svd', tol: 1e-5, n_iter_max: 100 },
  { svd: 'randomized_svd', tol: 1e-4, n_iter_max: 100, random_state: 1 },
] as const;

/** Seconds a run; all layers are needed for the errors. */
const BUDGET = 600;

interface Row {
  readonly seconds: number;
  readonly processor: number;
  readonly errors: readonly number[];
  readonly sweeps: readonly number[];
  readonly rssMb: number;
  readonly others: number;
}

/** Measures these layers in turn and prints the table. */
export async function compareTucker(
  weights: string,
  layers: readonly TuckerLayer[],
  options: { readonly threads: readonly number[]; readonly runs: number; readonly patience: number },
): Promise<void> {
  const { threads, runs, patience } = options;
  const why = whyNoPeers();
  if (why) console.log(`  TensorLy is skipped: ${why}.`);
  const contestants = new Map<string, () => Promise<Row | string>>();
  for (const tolerance of OUR_TOLERANCES) {
    contestants.set(`ours, tolerance ${tolerance}`, async () =>
      rowOf(
        await quietly(patience, () => askChild<TuckerRequest, TuckerRun>({ weights, layers, tolerance })),
      ),
    );
  }
  for (const count of why ? [] : threads) {
    for (const tucker of SETTINGS) {
      const name = `TensorLy, ${tucker.svd}, tol ${tucker.tol}, ${count} ${count === 1 ? 'thread' : 'threads'}`;
      contestants.set(name, () => askTensorly({ weights, layers, tucker }, count, patience));
    }
  }
  const rows = new Map<string, Row[]>();
  const skipped = new Map<string, string>();
  for (let run = 0; run < runs; run++) {
    for (const [name, measure] of contestants) {
      if (skipped.has(name)) continue;
      const row = await measure();
      if (typeof row === 'string') skipped.set(name, row);
      else rows.set(name, [...(rows.get(name) ?? []), row]);
    }
  }
  console.log(
    '  ours / theirs for each of ours: wall time, processor time, and in brackets by how much our error is larger than theirs where that is worst (−: smaller everywhere)',
  );
  const merged = [...rows].map(([name, measured]) => ({ name, ...merge(measured) }));
  const ours = merged.slice(0, OUR_TOLERANCES.length);
  for (const row of merged) {
    const ratios = ours.includes(row) ? [] : ours.map((own) => ratioOf(own, row));
    printRow(row, ratios);
  }
  for (const [name, reason] of skipped) console.log(`  ${name}: skipped, ${reason}`);
}

async function askTensorly(
  spec: Parameters<typeof askPeer>[1],
  threads: number,
  patience: number,
): Promise<Row | string> {
  const answer = await quietly(patience, () =>
    askPeer('tensorly', spec, { threads, runs: 1, budget: BUDGET }),
  );
  if (answer.kind === 'skipped') return answer.why;
  if (answer.layers.length < spec.layers.length) return `not all layers in ${BUDGET} s`;
  const layers = [...answer.layers]
    .sort((a, b) => a.index - b.index)
    .map(({ seconds, processor, error = Number.NaN, sweeps = 0 }) => ({
      seconds: median(seconds),
      processor: median(processor),
      error,
      sweeps,
    }));
  return rowOf({ ...answer, layers });
}

function rowOf({
  layers,
  rssMb,
  others,
}: TuckerRun & { readonly rssMb: number; readonly others: number }): Row {
  return {
    seconds: layers.reduce((sum, { seconds }) => sum + seconds, 0),
    processor: layers.reduce((sum, { processor }) => sum + processor, 0),
    errors: layers.map(({ error }) => error),
    sweeps: layers.map(({ sweeps }) => sweeps),
    rssMb,
    others,
  };
}

/** The runs differ in their times alone. */
function merge(all: readonly Row[]): Row {
  const rows = undisturbed(all);
  return {
    ...rows[0]!,
    seconds: median(rows.map(({ seconds }) => seconds)),
    processor: median(rows.map(({ processor }) => processor)),
    rssMb: Math.max(...rows.map(({ rssMb }) => rssMb)),
    others: Math.max(...rows.map(({ others }) => others)),
  };
}

/** Ours / theirs, and how much larger our error is on the layer where it is the largest by comparison. */
function ratioOf(ours: Row, theirs: Row): string {
  const excess = Math.max(...ours.errors.map((error, i) => error / theirs.errors[i]! - 1));
  const ratios = [ours.seconds / theirs.seconds, ours.processor / theirs.processor];
  return `${ratios.map((ratio) => ratio.toFixed(3)).join(' ')} (${excess.toExponential(0)})`;
}

function printRow(
  { name, seconds, errors, sweeps, rssMb, others }: Row & { name: string },
  ratios: readonly string[],
) {
  const error = Math.sqrt(errors.reduce((sum, each) => sum + each * each, 0) / errors.length);
  const columns = [
    `${seconds.toFixed(2)} s`.padStart(9),
    `error ${error.toFixed(6)}`,
    `${Math.min(...sweeps)}–${Math.max(...sweeps)} sweeps`.padEnd(13),
    `${rssMb.toFixed(0)} MB`.padStart(7),
    ...ratios.map((ratio) => ratio.padStart(20)),
    disturbance({ others }),
  ];
  console.log(`  ${name.padEnd(46)} ${columns.join('  ')}`.trimEnd());
}
