import type { Model } from '../../core/onnx/model';
import { toActivation } from '../activations/activation';
import type { RuntimeTensor } from '../runtime';

/** What an output holds, as far as a distance of two of them depends on it. */
type OutputKind = 'probabilities' | 'logProbabilities' | 'scores' | 'values';

/** Sums up how far the outputs of two models are apart, run by run. */
export interface OutputDistance {
  /** Outputs of one run on the same input; of the first `samples` of `rows` along the first axis where it has as many. */
  add(
    expected: ReadonlyMap<string, RuntimeTensor>,
    actual: ReadonlyMap<string, RuntimeTensor>,
    batch: { readonly samples: number; readonly rows: number },
  ): void;
  /**
   * Σ over the outputs: the mean Kullback–Leibler divergence of rows that are probabilities (behind a Softmax) or scores
   * (a matrix), ‖y − ŷ‖² / ‖y‖² of all others. Large, but finite, where an output is not; what is expected to be no number
   * is left out.
   */
  total(): number;
}

const WORST = 1e6;

/**
 * A measure of what a change of weights does to what a model says; no labels are needed.
 *
 * @param isPlain all outputs are values, whatever they mean: the sum is the squared relative error
 */
export function outputDistance({ graph }: Model, isPlain = false): OutputDistance {
  const makers = new Map(graph.nodes.flatMap(({ opType, outputs }) => outputs.map((name) => [name, opType])));
  const sums = new Map<string, { difference: number; weight: number }>();

  const kindOf = (name: string, dims: readonly number[]): OutputKind => {
    const maker = makers.get(name);
    const last = dims.at(-1) ?? 1;
    if (isPlain || last < 2) return 'values';
    if (maker === 'Softmax') return 'probabilities';
    if (maker === 'LogSoftmax') return 'logProbabilities';
    return dims.length === 2 ? 'scores' : 'values';
  };

  return {
    add(expected, actual, { samples, rows }) {
      for (const [name, tensor] of expected) {
        const [one, other] = [tensor, actual.get(name)].map((each) => each && toActivation(each));
        if (!one || other?.data.length !== one.data.length) continue;
        const isPadded = one.dims[0] === rows && rows > samples;
        const length = isPadded ? (one.data.length / rows) * samples : one.data.length;
        const [a, b] = [one.data.subarray(0, length), other.data.subarray(0, length)];
        const sum = sums.get(name) ?? { difference: 0, weight: 0 };
        sums.set(name, sum);
        const kind = kindOf(name, one.dims);
        if (kind === 'values') {
          for (let i = 0; i < length; i++) {
            if (!Number.isFinite(a[i]!)) continue;
            sum.difference += (a[i]! - b[i]!) ** 2;
            sum.weight += a[i]! ** 2;
          }
        } else {
          const width = one.dims.at(-1)!;
          for (let at = 0; at + width <= length; at += width) {
            if (!a.subarray(at, at + width).every(Number.isFinite)) continue;
            const [p, q] = [a, b].map((data) => logProbabilities(data.subarray(at, at + width), kind));
            for (let i = 0; i < width; i++) sum.difference += Math.exp(p![i]!) * (p![i]! - q![i]!);
            sum.weight++;
          }
        }
      }
    },
    total() {
      let total = 0;
      for (const { difference, weight } of sums.values()) total += weight > 0 ? difference / weight : 0;
      return Number.isFinite(total) ? Math.min(WORST, Math.max(0, total)) : WORST;
    },
  };
}

/** Probabilities below it are as good as this one. */
const LEAST_PROBABILITY = 1e-12;

function logProbabilities(values: Float32Array, kind: OutputKind): Float64Array {
  const logs = Float64Array.from(values);
  if (kind === 'probabilities') return logs.map((value) => Math.log(Math.max(LEAST_PROBABILITY, value)));
  if (kind === 'logProbabilities') return logs;
  const most = logs.reduce((a, b) => Math.max(a, b), -Infinity);
  const rest = Math.log(logs.reduce((sum, value) => sum + Math.exp(value - most), 0));
  return logs.map((value) => value - most - rest);
}
