import { type ParseArgsConfig, parseArgs } from 'node:util';
import type { DimBindings } from '../core/compress/analysis';
import type { MethodChoice } from '../core/compress/method';
import { METHOD_IDS } from '../core/compress/method';
import { parseTarget, type Target } from '../core/compress/plan';
import { CALIBRATION_OPTIONS, type CalibrationValues, parseCalibration } from './calibrationOptions';
import { UsageError } from './usageError';

export const HELP = `Usage:
  ranksmith analyze MODEL… [--dim NAME=N]… [--energy 0.9] [--method M] [--no-suggestions] [--shapes] [--json]
      Layers with parameters, multiply-adds (MACs) and the rank worth taking.
  ranksmith compress MODEL [-o OUT] [--target T] [--method M] [--rank N] [--dim NAME=N]…
                     [--overwrite] [--allow-larger] [--allow-slower] [--allow-inaccurate] [--keep-norms] [--multiple N] [--seed N]
                     [--report FILE]… [--json]
      Writes a smaller model (default: MODEL.compressed.onnx), checked against the original.
      For shares and errors ranks are multiples of 16, or of less where that would cost much (--multiple 8, 1 for any).
      --report FILE writes it down, as .md, .csv, .json, or .netron.json, which Netron shows beside the new model.
      A result that is measured slower than the original is refused, unless --allow-slower; one that misses a goal of error
      or accuracy, or whose outputs change by more than a fifth for each halving of parameters or MACs (or 1 %, where an answer
      is read from many steps, as a line of text is), unless --allow-inaccurate.
      --keep-norms leaves BatchNormalization as it is instead of folding it into factored convolutions.
  ranksmith plan MODEL [-o PLAN] [--target T] [--method M] [--rank N] [--dim NAME=N]… [--overwrite] [--keep-norms]
                 [--multiple N] [--seed N] [--json]
      Writes what compress would do (default: MODEL.ranks.json), layer by layer, to be looked at and edited.
  ranksmith compress MODEL --plan PLAN [-o OUT] …
      Carries it out.
  ranksmith compress | plan MODEL --calibration DATA [--mean M[,M]…] [--std S[,S]…] [--samples N] …
      Measures errors on samples, without labels, and fits the factors to them: much more accurate than by the weights
      alone. DATA is an .npy, .npz or .pb file, or a folder of pictures or ONNX test data. uint8 is scaled by 1/255
      (--scale: all data by this), then (x - mean) / std, one number or one per channel. --normalize INPUT says which input that is for;
      --fit crop | stretch, --channels rgb | bgr and --layout nchw | nhwc how pictures are brought into shape.
      --labels FILE.npy, the class of each sample: right answers are counted on samples held back, before and after.
  ranksmith spectrum MODEL LAYER [--mode AXIS[,AXIS]…] [--json]
      All singular values of a layer's weight; --mode names the axes of the weight that become rows.
  ranksmith verify ORIGINAL COMPRESSED [--inputs FILE.npy | --seed N] [--dim NAME=N]… [--json]
      Runs both on the same input: output error, sizes, MACs, times.
  ranksmith verify ORIGINAL COMPRESSED --calibration DATA [--mean M] [--std S] [--samples N] [--seed N] …
      The output error on the samples that compress holds back.
  ranksmith compare A B [--run] [--inputs FILE.npy | --calibration DATA …] [--all] [--json]
      Which layers of two models differ: factored (by which method, to which rank), other values, other shapes, gone.
      --run runs both on the same input for output error and times; --all lists layers that are the same too.

  T  parameters=0.5 | macs=0.5 | bytes=0.5 (at most this share is left; default: parameters=0.5)
     time=0.5 | ms=1.5 (at most this share of the time, so many milliseconds, on this machine: layers are timed alone in
     ONNX Runtime first, and what they took is kept for next time, unless --no-timing-cache)
     error=0.05 (the fewest parameters at this output error, as estimated from the weights; with --calibration as
     measured on samples held back) | accuracy=0.5 (at most so many points of right answers lost; with --labels)
     energy=0.95 | ratio=0.5 (what each layer keeps of its energy; of its parameters)
     evbmf=0 (the ranks that stand out from noise; towards 1: higher ones) | rank=32 (--rank N: the same)
  M  auto (default: the best of svd, channel, input-channel, spatial and tucker2 for each layer)
     ${METHOD_IDS.join(' | ')}

Exit status: 0 done, 1 refused or failed, 2 wrong usage.`;

/** Parses arguments strictly; what does not fit is a {@link UsageError}. */
export function parse<T extends NonNullable<ParseArgsConfig['options']>>(
  args: readonly string[],
  options: T,
) {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true, strict: true });
  } catch (error) {
    // Node goes on with advice that is about nothing here.
    const [sentence] = (error as Error).message.split(/\.(?:\s|$)/);
    throw new UsageError(`${sentence}.`);
  }
}

/** `--dim N=1 --dim x[2]=640` as bindings. */
export function parseDims(entries: readonly string[] | undefined): DimBindings {
  const dims: Record<string, number> = {};
  for (const entry of entries ?? []) {
    const at = entry.lastIndexOf('=');
    const size = Number(entry.slice(at + 1));
    if (at <= 0 || !Number.isInteger(size) || size < 1) {
      throw new UsageError(`--dim takes NAME=N with a whole number N of at least 1, not "${entry}".`);
    }
    dims[entry.slice(0, at)] = size;
  }
  return dims;
}

export function parseMethod(text: string | undefined): MethodChoice {
  if (text === undefined || text === 'auto') return 'auto';
  const method = METHOD_IDS.find((id) => id === text);
  if (!method) throw new UsageError(`--method takes auto, ${METHOD_IDS.join(', ')}, not "${text}".`);
  return method;
}

/** Options of the commands that plan. */
export const PLANNING_OPTIONS = {
  ...CALIBRATION_OPTIONS,
  output: { type: 'string', short: 'o' },
  target: { type: 'string' },
  method: { type: 'string' },
  rank: { type: 'string' },
  dim: { type: 'string', multiple: true },
  overwrite: { type: 'boolean' },
  'keep-norms': { type: 'boolean' },
  multiple: { type: 'string' },
  'no-timing-cache': { type: 'boolean' },
  seed: { type: 'string' },
  json: { type: 'boolean' },
} as const satisfies ParseArgsConfig['options'];

/** What these options decide, as the engine takes it. */
export function parseChoices(
  values: CalibrationValues & {
    readonly target?: string | undefined;
    readonly rank?: string | undefined;
    readonly method?: string | undefined;
    readonly dim?: readonly string[] | undefined;
    readonly 'keep-norms'?: boolean | undefined;
    readonly multiple?: string | undefined;
    readonly seed?: string | undefined;
  },
) {
  return {
    target: parseGoal(values.target, values.rank),
    method: parseMethod(values.method),
    dims: parseDims(values.dim),
    foldNorms: values['keep-norms'] !== true,
    ...(values.multiple === undefined ? {} : { multiple: parseMultiple(values.multiple) }),
    ...(values.seed === undefined ? {} : { seed: parseSeed(values.seed) }),
    ...parseCalibration(values),
  };
}

/** The target of `--target` or `--rank`; half the parameters without either. */
function parseGoal(text: string | undefined, rank: string | undefined): Target {
  if (text !== undefined && rank !== undefined)
    throw new UsageError('--target and --rank exclude each other.');
  const target = parseTarget(rank !== undefined ? `rank=${rank}` : (text ?? 'parameters=0.5'));
  if (target) return target;
  throw new UsageError(
    rank !== undefined
      ? `--rank takes a whole number of at least 1, not "${rank}".`
      : `--target takes parameters=S, macs=S, bytes=S, time=S, error=S or ratio=S with 0 < S < 1, ms=N above 0, accuracy=P with 0 ≤ P < 100, energy=E with 0 < E ≤ 1, evbmf=W with 0 ≤ W < 1 or rank=N, not "${text}".`,
  );
}

/** `--seed N`. */
export function parseSeed(text: string): number {
  const value = text.trim() === '' ? Number.NaN : Number(text);
  if (Number.isInteger(value) && value >= 0 && value < 2 ** 32) return value;
  throw new UsageError(`--seed takes a whole number from 0 to ${2 ** 32 - 1}, not "${text}".`);
}

function parseMultiple(text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1 && value <= 1024) return value;
  throw new UsageError(`--multiple takes a whole number from 1 to 1024, not "${text}".`);
}
