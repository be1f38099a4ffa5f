import type { Decisions } from '../core/compress/report';

/** Counts how often two models choose the same, run by run. */
export interface DecisionCount {
  /** An output of both models on the same samples. */
  add(
    name: string,
    expected: { readonly dims: readonly number[]; readonly data: ArrayLike<number> },
    actual: ArrayLike<number>,
    samples: number,
  ): void;
  /** undefined where nothing is chosen. */
  result(): Decisions | undefined;
}

/** How the rows of an output may be read: along which axis, and as what. */
interface Reading {
  readonly axis: number;
  readonly kind: 'probabilities' | 'logProbabilities' | 'scores';
}

/** What is known of an output read in one way. */
interface Tally extends Reading {
  readonly shape: Decisions['shape'];
  count: number;
  kept: number;
  samples: number;
  /** Sum over the rows of the largest probability. */
  top: number;
  /** Sums of squares of the scores behind probabilities, and of how far those of the two models are apart. */
  norm: number;
  difference: number;
}

/** Sums of probabilities may be off by this much, in halves. */
const TOLERANCE = 0.01;
/** Probabilities below it are as good as this one. */
const LEAST = 1e-12;
/** Scores that choose give their first choice more than this on the average. */
const CHOOSES = 0.5;

/**
 * Counts decisions by what the original's outputs look like, whatever node makes them. Rows of values that are not negative and
 * add up to one, along the last axis or the second, are probabilities; their logarithms count alike. A matrix of one row for
 * each sample holds scores where it chooses: a softmax of it gives the largest more than half on the average. All else, such as
 * embeddings, maps and states, decides nothing. Of equal values the first counts; rows that are not finite are left out.
 */
export function countDecisions(): DecisionCount {
  const outputs = new Map<string, Tally[]>();
  return {
    add(name, { dims, data }, actual, samples) {
      let tallies = outputs.get(name);
      if (!tallies) {
        tallies = readingsOf(dims, samples).map((reading) => ({
          ...reading,
          shape: shapeOf(dims, reading.axis, samples),
          count: 0,
          kept: 0,
          samples: 0,
          top: 0,
          norm: 0,
          difference: 0,
        }));
        outputs.set(name, tallies);
      }
      outputs.set(
        name,
        tallies.filter((tally) => tallied(tally, dims, data, actual, samples)),
      );
    },
    result() {
      const chosen = [...outputs.values()].flatMap((tallies) =>
        tallies
          .filter(({ kind, top, count }) => count > 0 && (kind !== 'scores' || top > CHOOSES * count))
          .slice(0, 1),
      );
      const [first] = chosen;
      if (!first) return undefined;
      const sum = (of: (tally: Tally) => number) => chosen.reduce((total, each) => total + of(each), 0);
      const norm = sum((tally) => tally.norm);
      return {
        kept: sum(({ kept }) => kept),
        count: sum(({ count }) => count),
        samples: first.samples,
        shape: (['steps', 'one', 'map'] as const).find((kind) => chosen.some(({ shape }) => shape === kind))!,
        ...(norm > 0 ? { scoreError: Math.sqrt(sum(({ difference }) => difference) / norm) } : {}),
      };
    },
  };
}

function readingsOf(dims: readonly number[], samples: number): readonly Reading[] {
  const axes = [...new Set([dims.length - 1, 1])].filter((axis) => (dims[axis] ?? 1) > 1 && axis > 0);
  const isMatrix = dims[0] === samples && dims.slice(1).filter((length) => length > 1).length === 1;
  return [
    ...axes.flatMap((axis): Reading[] => [
      { axis, kind: 'probabilities' },
      { axis, kind: 'logProbabilities' },
    ]),
    ...(isMatrix
      ? [{ axis: dims.findIndex((length, i) => i > 0 && length > 1), kind: 'scores' } as const]
      : []),
  ];
}

/** What is left of the axes without those of samples and classes. */
function shapeOf(dims: readonly number[], axis: number, samples: number): Decisions['shape'] {
  const rest = dims.filter((_, i) => i !== axis);
  const own = rest.indexOf(samples);
  const places = rest.filter((length, i) => i !== own && length > 1).length;
  return places === 0 ? 'one' : places === 1 ? 'steps' : 'map';
}

/** Counts the rows of one run. False: they are no such thing. */
function tallied(
  tally: Tally,
  dims: readonly number[],
  data: ArrayLike<number>,
  actual: ArrayLike<number>,
  samples: number,
): boolean {
  const { axis, kind } = tally;
  const width = dims[axis] ?? 1;
  const stride = dims.slice(axis + 1).reduce((a, b) => a * b, 1);
  for (let block = 0; block + width * stride <= data.length; block += width * stride) {
    for (let start = block; start < block + stride; start++) {
      let [best, other] = [start, start];
      let isRow = true;
      const end = start + width * stride;
      for (let i = start; i < end; i += stride) {
        const value = data[i]!;
        // A class that is ruled out has the logarithm −∞.
        if (!Number.isFinite(value) && !(kind === 'logProbabilities' && value === -Infinity)) isRow = false;
        if (value > data[best]!) best = i;
        if (actual[i]! > actual[other]!) other = i;
      }
      if (!isRow) continue;
      let sum = 0;
      for (let i = start; i < end; i += stride) {
        const value = data[i]!;
        if (kind === 'probabilities' ? value < -TOLERANCE : kind === 'logProbabilities' && value > TOLERANCE)
          return false;
        sum += kind === 'probabilities' ? value : Math.exp(kind === 'scores' ? value - data[best]! : value);
      }
      if (kind !== 'scores' && Math.abs(sum - 1) > TOLERANCE) return false;
      tally.top += 1 / sum;
      tally.count++;
      if (best === other) tally.kept++;
      if (kind === 'scores') continue;
      const score = (value: number) =>
        kind === 'probabilities' ? Math.log(Math.max(value, LEAST)) : Math.max(value, Math.log(LEAST));
      let [mean, shift] = [0, 0];
      for (let i = start; i < end; i += stride) {
        mean += score(data[i]!) / width;
        shift += (score(data[i]!) - score(actual[i]!)) / width;
      }
      for (let i = start; i < end; i += stride) {
        const own = score(data[i]!);
        tally.norm += (own - mean) ** 2;
        tally.difference += (own - score(actual[i]!) - shift) ** 2;
      }
    }
  }
  tally.samples += samples;
  return true;
}
