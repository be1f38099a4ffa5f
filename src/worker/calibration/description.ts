import { counted } from '../../core/counted';
import { formatShape } from '../../core/format';
import type { Range } from './range';

/** What was loaded: for a preview, a report and the terminal. */
export interface CalibrationDescription {
  /** The file or folder, or "random numbers, seed 1". */
  readonly source: string;
  readonly kind: 'npy' | 'npz' | 'test data' | 'images' | 'random';
  /** Samples there are. */
  readonly count: number;
  /** Samples that are used: for fitting, and held back to check results on. */
  readonly fit: number;
  readonly heldBack: number;
  readonly inputs: readonly InputDescription[];
  /** How the values suit the model, where it tells. */
  readonly fitToNorm?: NormFit;
  /** Sizes of open dimensions that the data gave, and those that had to be guessed. */
  readonly sizes: Readonly<Record<string, number>>;
  readonly assumed: Readonly<Record<string, number>>;
  /** Whole sentences: what looks wrong, and what was left out. */
  readonly warnings: readonly string[];
}

/**
 * What the first BatchNormalization of a model gets from the data, against the statistics of its training that it holds:
 * those of data that is read as in training agree.
 */
export interface NormFit {
  /** The node. */
  readonly node: string;
  /** How many times as spread its channels are as in training, geometric mean. */
  readonly spread: number;
  /** How far their means lie from those of training, in its standard deviations, root mean square. */
  readonly shift: number;
  /** Samples it was judged on. */
  readonly samples: number;
}

/** What one input gets, after preprocessing, measured on some of the samples. */
export interface InputDescription {
  readonly name: string;
  readonly from: string;
  /** Of one sample. */
  readonly shape: readonly number[];
  /** Of the values in the file, and of the input, as ONNX names them. */
  readonly storedType: string;
  readonly type: string;
  readonly range: Range;
  /** By channel, where there are a few. */
  readonly channels: readonly Range[];
  /** Samples that were measured. */
  readonly measured: number;
}

/** What labels beside data say, and whether the model agrees with them; or why they can't be used, as a sentence. */
export type LabelsDescription =
  | {
      readonly kind: 'fit';
      /** Samples that have one: all of the data. */
      readonly count: number;
      /** Different ones among them. */
      readonly classes: number;
      /** Answers of the model as it is that are right; missing where it can't be run. */
      readonly right?: { readonly share: number; readonly samples: number };
    }
  | { readonly kind: 'unfit'; readonly reason: string };

/** A description as lines of text. */
export function printDescription(d: CalibrationDescription): string {
  const used = d.fit + d.heldBack;
  const lines = [
    `${d.source} (${d.kind}): ${counted(d.count, 'sample')}, ${used === d.count ? 'all' : used} used, ${d.heldBack} of them held back`,
    ...d.inputs.flatMap((input) => [
      `  ${input.name}: ${formatShape(input.shape)} ${input.type}${input.storedType === input.type ? '' : ` from ${input.storedType}`}, ${printRange(input.range)}`,
      ...input.channels.map((range, c) => `    channel ${c}: ${printRange(range)}`),
    ]),
  ];
  const sizes = Object.entries(d.sizes).map(([name, size]) => `${name} = ${size}`);
  const assumed = Object.entries(d.assumed).map(([name, size]) => `${name} = ${size} (assumed)`);
  if (sizes.length + assumed.length > 0) lines.push(`  ${[...sizes, ...assumed].join(', ')}`);
  return [...lines, ...d.warnings.map((warning) => `  Warning: ${warning}`)].join('\n');
}

function printRange({ min, max, mean, std }: Range): string {
  const short = (value: number) => String(Number(value.toPrecision(4)));
  return `${short(min)} to ${short(max)}, mean ${short(mean)}, std ${short(std)}`;
}
