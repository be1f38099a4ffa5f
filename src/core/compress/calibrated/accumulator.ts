import { inPrecision } from '../../tensor/dense';
import { type Linalg, LinalgError } from '../../tensor/linalg';
import type { Matrix, Numbers } from '../../tensor/matrix';
import { type Moments, type Unusable, unusable } from './moments';
import { batchSize, createSampleBuffer, type SampleBuffer, type SampleLayout } from './sampleBuffer';

/**
 * Samples that are multiplied at a time: products of as many are summed in the samples' own precision, everything
 * beyond in double. Fewer would spend their time on the d × d sums, more would round more; and of the longest, more
 * would take a second in which nobody is listened to.
 */
const widthFor = (d: number) => (d > 2048 ? 256 : 1024);

/** Collects the moments of one group of a layer, batch by batch. */
export interface MomentAccumulator {
  /** Samples so far. */
  readonly count: number;
  /**
   * Adds a batch, of any size: inputs of length d, and as many outputs of length S where the accumulator was made for
   * them. Throws a RangeError where sizes do not fit; values that are not finite, and memory that is not
   * there, show in {@link finish}.
   */
  add(inputs: Matrix, outputs?: Matrix): void;
  /** The moments, which take over its memory: it can't be added to afterwards. */
  finish(): Moments | Unusable;
}

/** Sizes of what is accumulated. */
export interface MomentSizes {
  /** Length d of an input. */
  readonly inputs: number;
  /** Length S of an output; without it, inputs alone are accumulated. */
  readonly outputs?: number;
}

/**
 * Moments in one pass. Samples are shifted by the first batch's mean, so that nothing cancels where the mean is large
 * against the deviations (Chan, Golub & LeVeque 1983, §3). Σ is summed in double throughout; of R the products of 1024
 * samples at a time are summed in the samples' precision, for twice the speed. It needs one gram and one product
 * per 1024 samples: n · d² / 2 + n · d · S multiply-adds for n samples.
 */
export function createAccumulator(
  linalg: Linalg,
  { inputs: d, outputs: s }: MomentSizes,
  layout: SampleLayout = 'columns',
): MomentAccumulator {
  const width = widthFor(d);
  let scatter: Matrix<Float64Array> | undefined;
  let cross: Matrix<Float64Array> | undefined;
  let buffers: { readonly p: SampleBuffer<Numbers>; readonly y?: SampleBuffer<Numbers> } | undefined;
  let [count, filled] = [0, 0];
  let trouble: string | undefined;

  const flush = () => {
    if (!buffers || filled === 0 || trouble !== undefined) return;
    const p = buffers.p.samples();
    const transposeFirst = layout === 'rows';
    try {
      if (scatter) linalg.gram(p, undefined, { transposeFirst, into: scatter });
      else scatter = linalg.gram(p, undefined, { transposeFirst });
      if (buffers.y) {
        const options = transposeFirst ? { transposeA: true } : { transposeB: true };
        cross = added(cross, linalg.multiply(buffers.y.samples(), p, options));
      }
    } catch (error) {
      if (!(error instanceof LinalgError)) throw error;
      trouble = error.code === 'not-finite' ? NOT_FINITE : error.message;
    }
    buffers.p.clear();
    buffers.y?.clear();
    filled = 0;
  };

  return {
    get count() {
      return count;
    },
    add(inputs, outputs) {
      const batch = batchSize(inputs, layout);
      requireSize('inputs', batch.size, d);
      if ((s === undefined) !== (outputs === undefined))
        throw new RangeError('Outputs come with every batch or with none.');
      if (outputs) {
        const { count: same, size } = batchSize(outputs, layout);
        requireSize('outputs', size, s!);
        if (same !== batch.count) throw new RangeError(`${batch.count} inputs have ${same} outputs.`);
      }
      if (batch.count === 0) return;
      buffers ??= {
        p: createSampleBuffer(inputs, layout, width, false),
        ...(outputs ? { y: createSampleBuffer(outputs, layout, width, true) } : {}),
      };
      count += batch.count;
      for (let from = 0; from < batch.count && trouble === undefined; ) {
        const some = Math.min(batch.count - from, width - filled);
        buffers.p.put(inputs, from, some);
        if (outputs) buffers.y!.put(outputs, from, some);
        from += some;
        filled += some;
        if (filled === width) flush();
      }
    },
    finish() {
      flush();
      if (trouble !== undefined) return unusable(trouble);
      if (!buffers || !scatter) return unusable('No calibration data reaches it.');
      const { p, y } = buffers;
      buffers = undefined;
      const meanShifted = p.sums.map((sum) => sum / count);
      centre(scatter, meanShifted, meanShifted, count);
      const moments = {
        count,
        mean: meanShifted.map((value, i) => value + p.shift[i]!),
        covariance: scatter,
      };
      if (!y || !cross) return checked({ kind: 'inputs', ...moments });
      const outputShifted = y.sums.map((sum) => sum / count);
      centre(cross, outputShifted, meanShifted, count);
      return checked({
        kind: 'pairs',
        ...moments,
        outputMean: outputShifted.map((value, i) => value + y.shift[i]!),
        outputVariance: y.squares!.map((sum, i) => Math.max(0, sum / count - outputShifted[i]! ** 2)),
        cross,
      });
    },
  };
}

const NOT_FINITE = 'On the calibration data it has inputs or outputs that are not finite.';

/** Bytes that an accumulator holds at the most, the engine's own copy of a sum included. */
export function accumulatorBytes({ inputs: d, outputs: s = 0 }: MomentSizes, elementBytes = 4): number {
  // The sums, and while a batch is added its products, that of the inputs in the engine's heap only.
  return 8 * (2 * d * d + s * d) + elementBytes * (widthFor(d) * (d + s) + 2 * s * d);
}

function requireSize(what: string, actual: number, expected: number): void {
  if (actual !== expected) throw new RangeError(`The ${what} have length ${actual}, not ${expected}.`);
}

/** The sum, in the memory of the first where there is one. */
function added(sum: Matrix<Float64Array> | undefined, more: Matrix): Matrix<Float64Array> {
  if (!sum) return inPrecision(new Float64Array(0), more);
  const { data } = sum;
  for (let i = 0; i < data.length; i++) data[i] = data[i]! + more.data[i]!;
  return sum;
}

/** Of Σ a · bᵀ, with the means of what was summed: the covariance, in place. */
function centre(
  { rows, cols, data }: Matrix<Float64Array>,
  meanA: Float64Array,
  meanB: Float64Array,
  count: number,
): void {
  for (let i = 0, at = 0; i < rows; i++) {
    for (let j = 0; j < cols; j++, at++) data[at] = data[at]! / count - meanA[i]! * meanB[j]!;
  }
}

/** An overflow in the samples' precision shows in the sums only. */
function checked(moments: Moments): Moments | Unusable {
  const parts =
    moments.kind === 'pairs'
      ? [moments.mean, moments.outputMean, moments.outputVariance, moments.cross.data]
      : [moments.mean];
  return parts.every((part) => part.every(Number.isFinite)) ? moments : unusable(NOT_FINITE);
}
