import { counted } from '../../core/counted';
import { ModelError } from '../../core/onnx/modelError';

/**
 * What is done to data before a model sees it. For inputs of a floating-point type:
 *
 * 1. Data stored as uint8, images included, is multiplied by 1/255. All other data is taken as it is. Another
 *    {@link scale} may be given, for the same input as what follows.
 * 2. Then (x − mean) / std, for one input: {@link input}, else the first floating-point one of four
 *    dimensions that can be a picture, else the first floating-point one.
 *
 * Inputs of whole numbers get the values as they are stored.
 */
export interface Preprocessing {
  /** What values are multiplied by as they are stored, above 0; undefined: 1/255 for uint8, 1 for all other data. */
  readonly scale?: number;
  /** One number, or one per channel; empty is 0. */
  readonly mean: readonly number[];
  /** One number, or one per channel, none 0; empty is 1. */
  readonly std: readonly number[];
  /** The input that mean and std are for. */
  readonly input?: string;
  readonly image: ImageFitting;
}

/** How pictures are brought into the shape of an input. */
export interface ImageFitting {
  /** `crop`: the picture is scaled until it just covers the size, and its middle is cut out; `stretch`: both sides are scaled to fit. */
  readonly fit: 'crop' | 'stretch';
  readonly channels: 'rgb' | 'bgr';
  /** `auto`: by where the input has 1, 3 or 4 channels. */
  readonly layout: 'auto' | 'nchw' | 'nhwc';
}

/** Nothing but the 1/255 of uint8; pictures are cropped, RGB. */
export const NO_PREPROCESSING: Preprocessing = {
  mean: [],
  std: [],
  image: { fit: 'crop', channels: 'rgb', layout: 'auto' },
};

/** The same as options of the command line: all text, none required. */
export interface PreprocessingOptions {
  /** A number or a fraction: "1/255". */
  readonly scale?: string | undefined;
  readonly mean?: string | undefined;
  readonly std?: string | undefined;
  /** `--normalize INPUT` */
  readonly normalize?: string | undefined;
  readonly fit?: string | undefined;
  readonly channels?: string | undefined;
  readonly layout?: string | undefined;
}

/** Reads options: `{mean: '0.485,0.456,0.406', fit: 'stretch'}`. Throws {@link ModelError} ('bad-data') naming the option. */
export function parsePreprocessing(options: PreprocessingOptions): Preprocessing {
  const { image } = NO_PREPROCESSING;
  const mean = numbers('--mean', options.mean);
  const std = numbers('--std', options.std);
  if (std.some((value) => value <= 0)) throw refuse('--std', options.std!, 'positive numbers');
  if (mean.length > 1 && std.length > 1 && mean.length !== std.length) {
    throw new ModelError(
      'bad-data',
      `--mean has ${counted(mean.length, 'number')}, but --std ${std.length}: one number, or one per channel.`,
    );
  }
  return {
    ...(options.scale === undefined ? {} : { scale: scaleIn(options.scale) }),
    mean,
    std,
    ...(options.normalize === undefined ? {} : { input: options.normalize }),
    image: {
      fit: oneOf('--fit', ['crop', 'stretch'], options.fit, image.fit),
      channels: oneOf('--channels', ['rgb', 'bgr'], options.channels, image.channels),
      layout: oneOf('--layout', ['auto', 'nchw', 'nhwc'], options.layout, image.layout),
    },
  };
}

/** How a plan says that its data was read: mean, std, and all other options as words. Throws as {@link parsePreprocessing}. */
export function plannedPreprocessing({
  mean,
  std,
  options,
}: {
  readonly mean: readonly number[];
  readonly std: readonly number[];
  readonly options: readonly string[];
}): Preprocessing {
  const words = new Map<string, string>();
  for (let i = 0; i + 1 < options.length; i += 2) words.set(options[i]!.replace(/^--/, ''), options[i + 1]!);
  return { ...parsePreprocessing(Object.fromEntries(words)), mean, std };
}

/** The options that {@link parsePreprocessing} reads back to the same: what differs from doing nothing, as command-line words. */
export function printPreprocessing({ scale, mean, std, input, image }: Preprocessing): readonly string[] {
  const { image: usual } = NO_PREPROCESSING;
  const words: [string, string | undefined][] = [
    ['--scale', scale === undefined ? undefined : printScale(scale)],
    ['--mean', mean.length > 0 ? mean.join(',') : undefined],
    ['--std', std.length > 0 ? std.join(',') : undefined],
    ['--normalize', input],
    ['--fit', image.fit === usual.fit ? undefined : image.fit],
    ['--channels', image.channels === usual.channels ? undefined : image.channels],
    ['--layout', image.layout === usual.layout ? undefined : image.layout],
  ];
  // A mean may begin with a minus sign, which would look like the next option.
  return words.flatMap(([option, value]) =>
    value === undefined ? [] : value.startsWith('-') ? [`${option}=${value}`] : [option, value],
  );
}

/** A scale as one would write it: "1/255", or a number. */
export function printScale(scale: number): string {
  const divisor = Math.round(1 / scale);
  return divisor > 1 && 1 / divisor === scale ? `1/${divisor}` : String(scale);
}

function scaleIn(text: string): number {
  const [, above, below = '1'] = /^\s*([\d.e+-]+)\s*(?:\/\s*([\d.e+-]+)\s*)?$/i.exec(text) ?? [];
  const scale = Number(above) / Number(below);
  if (Number.isFinite(scale) && scale > 0) return scale;
  throw refuse('--scale', text, 'a number above 0, or a fraction like 1/255');
}

function numbers(option: string, text: string | undefined): readonly number[] {
  if (text === undefined) return [];
  const values = text.split(',').map((part) => (part.trim() === '' ? Number.NaN : Number(part)));
  if (!values.every(Number.isFinite)) throw refuse(option, text, 'numbers with commas between them');
  return values;
}

function oneOf<T extends string>(
  option: string,
  words: readonly T[],
  text: string | undefined,
  otherwise: T,
): T {
  if (text === undefined) return otherwise;
  const word = words.find((w) => w === text.toLowerCase());
  if (word === undefined) throw refuse(option, text, words.join(' or '));
  return word;
}

function refuse(option: string, text: string, wanted: string): ModelError {
  return new ModelError('bad-data', `${option} takes ${wanted}, not ${JSON.stringify(text)}.`);
}
