import { median } from './layers';
import type { OurRun } from './ours';
import type { PeerAnswer, PeerLayer } from './pythonPeers';
import { undisturbed, type Watched } from './quiet';

/** The undisturbed runs of one side on the same layers, or where there are none, all of them. */
export interface Summary {
  readonly median: number;
  readonly best: number;
  /** Median of the processor time of all threads: where others compute it says more than wall time. */
  readonly processor: number;
  /** Undefined where it did not have a process of its own. */
  readonly rssMb?: number;
  readonly runs: number;
  /** Cores that other processes took during the most disturbed of them. */
  readonly others: number;
}

export interface PeerSummary extends Summary {
  /** Positions in the set of the layers it finished in every run, ascending. */
  readonly finished: readonly number[];
  readonly versions: Readonly<Record<string, string>>;
}

export function summaryOf(all: readonly Watched<OurRun>[]): Summary {
  const runs = undisturbed(all);
  return summarize(
    runs.map(({ seconds }) => seconds),
    runs.map(({ processor }) => processor),
    runs,
  );
}

/** What a peer's answers come to, or why it did not run. */
export function peerSummaryOf(answers: readonly Watched<PeerAnswer>[]): PeerSummary | string {
  const skipped = answers.find((answer) => answer.kind === 'skipped');
  if (skipped) return skipped.why;
  const runs = undisturbed(answers.filter((answer) => answer.kind === 'measured'));
  const everywhere = (index: number) =>
    runs.every(({ layers }) => layers.some((layer) => layer.index === index));
  const finished = (runs[0]?.layers ?? []).map(({ index }) => index).filter(everywhere);
  const sums = (key: 'seconds' | 'processor') =>
    runs.map(({ layers }) =>
      sumOf(
        layers.filter(({ index }) => finished.includes(index)),
        key,
      ),
    );
  return {
    ...summarize(sums('seconds'), sums('processor'), runs),
    finished: finished.sort((a, b) => a - b),
    versions: runs[0]?.versions ?? {},
  };
}

function summarize(
  seconds: readonly number[],
  processor: readonly number[],
  runs: readonly { readonly rssMb: number; readonly others: number }[],
): Summary {
  return {
    median: median(seconds),
    best: Math.min(...seconds),
    processor: median(processor),
    rssMb: Math.max(...runs.map(({ rssMb }) => rssMb)),
    runs: runs.length,
    others: Math.max(...runs.map(({ others }) => others)),
  };
}

function sumOf(layers: readonly PeerLayer[], key: 'seconds' | 'processor'): number {
  return layers.reduce((sum, layer) => sum + median(layer[key]), 0);
}
