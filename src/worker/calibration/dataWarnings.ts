import { counted } from '../../core/counted';
import { isFloatType } from '../../core/onnx/elements';
import type { Graph } from '../../core/onnx/model';
import { imageLayout } from './imageLayout';
import type { MeasuredInput } from './measureInput';
import type { ModelInput } from './modelInput';
import type { Preprocessing } from './preprocessing';

/** Covariances of a layer's inputs are poorly known from fewer samples. */
const FEWEST_SAMPLES = 128;
/** Normalised data seldom goes beyond; bytes always do. */
const LARGEST_NORMALISED = 16;
const UINT8 = 2;

/** What looks wrong about the values an input gets, in sentences. */
export function inputWarnings(
  { prepared, description, stored, storedIsWhole, strangeSample, areAlike }: MeasuredInput,
  { scale, mean, std }: Preprocessing,
  graph: Graph,
): readonly string[] {
  const { input, column, isMadeUp, isNormalised, isShared } = prepared;
  const { name, range } = description;
  if (isMadeUp) return [];
  const found: string[] = [];
  if (strangeSample !== undefined) {
    found.push(`The input "${name}" gets values that are NaN or infinite (sample ${strangeSample}).`);
  }
  if (!isFloatType(input.type)) return found;
  if (range.min === range.max && !isShared) found.push(`The input "${name}" gets nothing but ${range.min}.`);
  else if (areAlike && !isShared) {
    found.push(`All samples of the input "${name}" are the same, as far as they were looked at.`);
  }
  const isBytes = column.type === UINT8;
  const farOut = Math.max(Math.abs(range.min), Math.abs(range.max)) > LARGEST_NORMALISED;
  const asBytes = stored.min >= 0 && stored.max <= 255 && stored.max > LARGEST_NORMALISED;
  const isPicture = (input.shape?.length ?? 0) >= 3;
  if (!isBytes && asBytes && farOut && (isPicture || storedIsWhole)) {
    found.push(
      `The input "${name}" gets values from ${short(range.min)} to ${short(range.max)}, as bytes of pixels have: only data stored as uint8 is scaled by 1/255, other data is taken as it is unless a scale is given.`,
    );
  }
  if (isBytes && isNormalised && scale === undefined && (mean.some((m) => m > 2) || std.some((s) => s > 2))) {
    found.push(
      `Mean and standard deviation look as if they were meant for bytes, but uint8 data is scaled by 1/255 first: divide both by 255.`,
    );
  }
  const inUnit = range.min >= 0 && range.max <= 1 && range.max > 0;
  if (!isNormalised && isImageInput(input) && inUnit && !normalisesItself(graph, name)) {
    found.push(
      `The input "${name}" gets pixels from ${short(range.min)} to ${short(range.max)} without a mean and a standard deviation: give those that the model was trained with, or a mean of 0 if there were none.`,
    );
  }
  return found;
}

/** What looks wrong about the number of samples. */
export function countWarnings(fit: number, heldBack: number): readonly string[] {
  const found: string[] = [];
  if (fit < FEWEST_SAMPLES) {
    found.push(
      `Factors are fitted to ${counted(fit, 'sample')}; ${FEWEST_SAMPLES} or more give better ones.`,
    );
  }
  if (heldBack === 0)
    found.push('No sample is held back, so results are checked on those they were fitted to.');
  return found;
}

function isImageInput({ shape }: ModelInput): boolean {
  return shape?.length === 4 && imageLayout(shape) !== undefined;
}

/** The model begins with its own normalisation: what first reads the input subtracts, divides, scales or normalises. */
function normalisesItself(graph: Graph, input: string): boolean {
  const readers = graph.nodes.filter((node) => node.inputs.includes(input));
  return (
    readers.length > 0 &&
    readers.every((node) => ['Sub', 'Div', 'Mul', 'Add', 'BatchNormalization'].includes(node.opType))
  );
}

function short(value: number): string {
  return String(Number(value.toPrecision(4)));
}
