import type { DimBindings } from '../../core/compress/analysis';
import type { Model } from '../../core/onnx/model';
import { ModelError } from '../../core/onnx/modelError';
import { DEFAULT_SEED } from '../modelInputs';
import { type Batch, batchesOf, runSizeOf } from './batches';
import { bindArrays } from './bindArrays';
import { bindImages } from './bindImages';
import { bindRandom } from './bindRandom';
import type { BoundInput } from './boundInput';
import { contentHash } from './contentHash';
import { countWarnings, inputWarnings } from './dataWarnings';
import type { CalibrationDescription } from './description';
import { measureInput, spread } from './measureInput';
import { type ModelInput, requiredInputs } from './modelInput';
import { normalisedInput, prepareInput } from './normalise';
import { folderOf, type OpenData, openData } from './openData';
import { NO_PREPROCESSING, type Preprocessing } from './preprocessing';
import { type Selection, selectSamples } from './selectSamples';
import { symbolSizes } from './symbolSizes';

/** Which data to calibrate on, as plain data. */
export interface CalibrationOptions {
  /** An .npy, .npz or .pb file, a folder of ONNX test data, a folder of pictures or one picture. Without one: random numbers. */
  readonly path?: string;
  readonly preprocessing?: Preprocessing;
  /** At most this many samples are used (1024; of random numbers 32). */
  readonly limit?: number;
  /** Chooses samples, those held back, and random numbers (1). */
  readonly seed?: number;
  /** One of every so many samples is held back (8); 0: none. See {@link selectSamples}. */
  readonly holdEvery?: number;
}

/** Samples for the inputs of a model, read batch by batch. Close it. */
export interface CalibrationData extends Selection {
  readonly kind: CalibrationDescription['kind'];
  /** The file or folder, or "random numbers, seed 1". */
  readonly source: string;
  /** Samples there are, used or not. */
  readonly count: number;
  /** Sizes of open dimensions that the data gave, but for that of the samples. */
  readonly sizes: DimBindings;
  /** Sizes that had to be guessed, for inputs without data. */
  readonly assumed: DimBindings;
  /** Samples of one run, where the model says how many it takes (the last run is padded); null: any number. */
  readonly fixedRows: number | null;
  /** Samples (`fit`, `heldBack`, or some of them: rising) put together in this size, or in the model's. */
  batches(samples: readonly number[], size: number): Generator<Batch, void, undefined>;
  /** Reads up to 64 samples and tells what they are like. */
  describe(signal?: AbortSignal): Promise<CalibrationDescription>;
  /** A key for caches of what is computed from the data, by content: the model is not in it. */
  hash(signal?: AbortSignal): Promise<string>;
  close(): void;
}

const MOST_SAMPLES = 1024;
const RANDOM_SAMPLES = 32;
const MEASURED_SAMPLES = 64;

/**
 * Opens data for a model. `given` holds sizes of open dimensions that the user gave. Only headers are read; samples
 * are when they are asked for, so that trouble with a single picture comes then. Throws {@link ModelError}s, 'bad-data'
 * where the data is not what the model takes.
 */
export async function openCalibration(
  model: Model,
  given: ReadonlyMap<string, number> = new Map(),
  options: CalibrationOptions = {},
  signal?: AbortSignal,
): Promise<CalibrationData> {
  const { path, preprocessing = NO_PREPROCESSING, seed = DEFAULT_SEED, holdEvery = 8 } = options;
  const limit = options.limit ?? (path === undefined ? RANDOM_SAMPLES : MOST_SAMPLES);
  const inputs = requiredInputs(model);
  if (inputs.length === 0) {
    throw new ModelError(
      'bad-data',
      `${model.source.name} takes no input, so there is nothing to calibrate on.`,
    );
  }
  const source = path ?? `random numbers, seed ${seed}`;
  const files = path === undefined ? undefined : openData(path);
  try {
    const symbols = symbolSizes(given);
    const found = await bindData(inputs, files, source, preprocessing, symbols, given, limit, signal);
    const assumed = new Map<string, number>();
    const random = {
      count: found.count,
      seed,
      given,
      sizeOf: (symbol: string) => symbols.sizes.get(symbol) ?? assumed.get(symbol),
      assume: (symbol: string, size: number) => void assumed.set(symbol, size),
    };
    const bound = inputs.map(
      (input): BoundInput => found.bound.find((b) => b.input === input) ?? bindRandom(inputs, input, random),
    );
    // What is known to hold pictures is what a mean is for; random numbers have none.
    const candidates = files?.kind === 'images' ? found.bound.map(({ input }) => input) : inputs;
    const normalised = files && normalisedInput(candidates, preprocessing);
    const runSize = runSizeOf(bound, model.source.name);
    const prepared = bound.map((b) => prepareInput(b, preprocessing, b.input === normalised));
    const selection = selectSamples(found.count, limit, seed, holdEvery);
    const used = [...selection.fit, ...selection.heldBack].sort((a, b) => a - b);
    const made = prepared.filter(({ isMadeUp }) => isMadeUp).map(({ input }) => `"${input.name}"`);
    const notes =
      path === undefined
        ? ['There is no data: random numbers stand in, and the result is uncalibrated.']
        : made.map((name) => `There is no data for the input ${name}: random numbers stand in.`);
    const sizes = Object.fromEntries(symbols.sizes);
    const guesses = Object.fromEntries(assumed);
    return {
      ...selection,
      kind: files?.kind ?? 'random',
      source,
      count: found.count,
      sizes,
      assumed: guesses,
      fixedRows: runSize.single ? 1 : runSize.rows,
      batches: (samples, size) => batchesOf(prepared, samples, size, runSize),
      async describe(signal) {
        const measured = [];
        for (const input of prepared) {
          measured.push(await measureInput(input, spread(used, MEASURED_SAMPLES), signal));
        }
        const warnings = [
          ...notes,
          ...found.warnings,
          ...measured.flatMap((m) => inputWarnings(m, preprocessing, model.graph)),
          ...(path === undefined ? [] : countWarnings(selection.fit.length, selection.heldBack.length)),
        ];
        return {
          source,
          kind: files?.kind ?? 'random',
          count: found.count,
          fit: selection.fit.length,
          heldBack: selection.heldBack.length,
          inputs: measured.map(({ description }) => description),
          sizes,
          assumed: guesses,
          warnings,
        };
      },
      hash(signal) {
        const paths = files?.kind === 'images' ? used.map((i) => files.paths[i]!) : (files?.paths ?? []);
        const settings = [files?.kind ?? 'random', preprocessing, selection, seed, [...given]];
        return contentHash(path === undefined ? '.' : folderOf(path), paths, settings, signal);
      },
      close: () => files?.close(),
    };
  } catch (error) {
    files?.close();
    throw error;
  }
}

interface FoundData {
  readonly bound: readonly BoundInput[];
  readonly count: number;
  readonly warnings: readonly string[];
}

async function bindData(
  inputs: readonly ModelInput[],
  files: OpenData | undefined,
  source: string,
  preprocessing: Preprocessing,
  symbols: ReturnType<typeof symbolSizes>,
  given: ReadonlyMap<string, number>,
  limit: number,
  signal: AbortSignal | undefined,
): Promise<FoundData> {
  if (!files) return { bound: [], count: limit, warnings: [] };
  if (files.kind !== 'images') return bindArrays(inputs, files, source, symbols, signal);
  const { bound, warnings } = bindImages(inputs, files, source, preprocessing.image, symbols, given);
  return { bound: [bound], count: files.paths.length, warnings };
}
