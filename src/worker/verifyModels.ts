import { compareSpeed } from './latency/compareSpeed';
import { batchOf, type ModelInputs } from './modelInputs';
import { type OutputComparison, outputComparison } from './outputComparison';
import { engineName } from './parts/engineName';
import type { Runtime } from './runtime';

/** A model for the runtime. */
export interface RunnableModel {
  readonly path: string;
  readonly externalFiles: readonly string[];
  /** The model, where it is not (only) in a file. */
  readonly bytes?: Uint8Array;
}

/** Two models run on the same inputs. */
export interface Comparison {
  /** Of the outputs; where the inputs are but one of the samples to look at, nobody need ask for its result. */
  readonly outputs: OutputComparison;
  /** Median milliseconds of one inference, the two models taking turns. */
  readonly originalMs: number;
  readonly compressedMs: number;
  /** Whether the compressed model is slower beyond doubt (`compareSpeed`). */
  readonly isSlower: boolean;
  /** What ran them, and how (`engineName`). */
  readonly engine: string;
}

/** Runs both models on the same inputs, compares their outputs, and times them in turn. */
export async function verifyModels(
  runtime: Runtime,
  original: RunnableModel,
  compressed: RunnableModel,
  inputs: ModelInputs,
  signal?: AbortSignal,
  onProgress: (done: number) => void = () => {},
): Promise<Comparison> {
  const first = await runtime.open(original.path, original.externalFiles, original.bytes);
  try {
    const second = await runtime.open(compressed.path, compressed.externalFiles, compressed.bytes);
    try {
      signal?.throwIfAborted();
      onProgress(0.2);
      // The first run of each gives the outputs and warms it up.
      const expected = await first.run(inputs.tensors);
      onProgress(0.4);
      signal?.throwIfAborted();
      const outputs = outputComparison(compressed.path);
      outputs.add(expected, await second.run(inputs.tensors), batchOf(inputs));
      onProgress(0.6);
      const { firstMs, secondMs, isSlower } = await compareSpeed(
        [first, second],
        [
          () => runtime.open(original.path, original.externalFiles, original.bytes),
          () => runtime.open(compressed.path, compressed.externalFiles, compressed.bytes),
        ],
        inputs.tensors,
        signal,
        (done) => onProgress(0.6 + 0.4 * done),
      );
      const engine = engineName(runtime, [first, second]);
      return { outputs, originalMs: firstMs, compressedMs: secondMs, isSlower, engine };
    } finally {
      await second.release();
    }
  } finally {
    await first.release();
  }
}
