import type { PlanSensitivity } from './budget/measuredSensitivity';
import type { Certainty } from './method';
import { type LayerPlan, printTarget, type Target } from './plan';
import type { Verification } from './report';

/** A plan as it stands in a file beside the model, to be read, edited and kept in version control. */
export interface PlanFile {
  /** The model it was made for. */
  readonly model: { readonly file: string; readonly sha256: string };
  readonly goal: Target;
  /** Ranks are multiples of it where a layer is wide enough. */
  readonly multiple: number;
  /**
   * By which rule, without data, the errors of the layers were weighed against each other, or that it was measured; null
   * where each was planned by itself.
   */
  readonly sensitivity: PlanSensitivity | null;
  /** The data that errors were measured on; null: none, the plan follows from the weights alone. */
  readonly calibration: PlanCalibration | null;
  /** Where random numbers come from: those of the input a result is checked with. */
  readonly seed: number;
  /** Fold BatchNormalization into the convolutions that are factored. */
  readonly foldNorms: boolean;
  readonly layers: readonly LayerPlan[];
}

/** The data behind a plan, and how it was read. */
export interface PlanCalibration {
  /** Name of the file or folder. */
  readonly file: string;
  /** Of its content and of how it was read, in hexadecimal. */
  readonly sha256: string;
  /** One number or one per channel; none: 0. */
  readonly mean: readonly number[];
  /** One number or one per channel; none: 1. */
  readonly std: readonly number[];
  /** Samples that were used, those held back included. */
  readonly samples: number;
  /** Further options of reading the data, as the command line has them. */
  readonly options: readonly string[];
}

/** A plan that was made, and what it will give. */
export interface PlanProposal {
  readonly plan: PlanFile;
  readonly parameters: { readonly before: number; readonly after: number };
  readonly macs: { readonly before: number | null; readonly after: number | null };
  /** √(Σ predicted ‖W − Ŵ‖² / Σ ‖W‖²) over the layers of which it is known. */
  readonly weightError: number;
  /** Of a goal that had to be tried: what it came to on the samples held back of the calibration data. */
  readonly checked?: Pick<Verification, 'outputError' | 'decisions' | 'onFitted' | 'accuracy'> & {
    readonly samples: number;
  };
  readonly certainty: Certainty;
}

/** The version of the format; a plan of another one is refused. */
export const PLAN_VERSION = 1;

/** The text of a plan: a line for every layer, so that a change of one layer is a change of one line. */
export function printPlanFile(plan: PlanFile): string {
  const { model, goal, multiple, sensitivity, calibration, seed, foldNorms, layers } = plan;
  const entries = layers.map((layer) => `    ${JSON.stringify(layer.layer)}: ${printEntry(layer)}`);
  return `${[
    '{',
    `  "version": ${PLAN_VERSION},`,
    `  "model": { "file": ${JSON.stringify(model.file)}, "sha256": ${JSON.stringify(model.sha256)} },`,
    `  "goal": ${JSON.stringify(printTarget(goal))},`,
    `  "multiple": ${multiple},`,
    `  "sensitivity": ${JSON.stringify(sensitivity)},`,
    `  "calibration": ${calibration && printCalibration(calibration)},`,
    `  "seed": ${seed},`,
    `  "foldNorms": ${foldNorms},`,
    entries.length > 0 ? `  "layers": {\n${entries.join(',\n')}\n  }` : '  "layers": {}',
    '}',
  ].join('\n')}\n`;
}

/** What a plan says of its data, on one line. */
export function printCalibration({ file, sha256, mean, std, samples, options }: PlanCalibration): string {
  return JSON.stringify({ file, sha256, mean, std, samples, options });
}

/** What a layer's name is followed by, on one line. */
export function printEntry(layer: LayerPlan): string {
  return layer.kind === 'dense'
    ? `{ "dense": ${JSON.stringify(layer.reason)} }`
    : `{ "method": ${JSON.stringify(layer.method)}, "ranks": [${layer.ranks.join(', ')}] }`; // no text
}
