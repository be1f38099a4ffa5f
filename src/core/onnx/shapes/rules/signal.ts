import { axisOf, type Rule, type RuleTable, require, scalarOf, unknownDims, withDim } from '../call';
import { add, type Dim, floorDiv, mul, sub } from '../dim';
import { tensor } from '../fact';

/** The last axis holds real numbers (1) or real and imaginary parts (2). */
function parts(shape: readonly Dim[]): Dim {
  const last = shape.at(-1) ?? null;
  require(typeof last !== 'number' || last === 1 || last === 2);
  return last;
}

const dft: Rule = (call) => {
  const shape = call.shape(0);
  const type = call.type(0);
  if (!shape) return tensor(type, null);
  require(shape.length >= 2);
  const last = parts(shape);
  const onesided = call.int('onesided', 0) !== 0;
  const inverse = call.int('inverse', 0) !== 0;
  const axisValue = call.opset < 20 ? call.int('axis', 1) : call.has(2) ? scalarOf(call, 2) : -2;
  const length = call.has(1) ? scalarOf(call, 1) : undefined;
  if (typeof length === 'number') require(length > 0);
  if (typeof axisValue !== 'number' && !onesided && length === undefined)
    return tensor(type, [...shape.slice(0, -1), 2]);
  if (typeof axisValue !== 'number')
    return tensor(type, [...unknownDims(shape.length - 1), onesided && inverse ? 1 : 2]);
  const axis = axisOf(axisValue, shape.length);
  require(axis !== shape.length - 1);
  if (onesided && inverse) {
    require(last !== 1);
    // The way back from half a spectrum: twice as many real numbers.
    const size = length === undefined ? mul(sub(shape[axis]!, 1), 2) : length;
    return tensor(type, [...withDim(shape, axis, size).slice(0, -1), 1]);
  }
  if (onesided) require(last !== 2);
  const full = length === undefined ? shape[axis]! : length;
  const size = onesided ? add(floorDiv(full, 2), 1) : full;
  return tensor(type, [...withDim(shape, axis, size).slice(0, -1), 2]);
};

/** Short-time Fourier transform: [B, L, 1 or 2] → [B, frames, bins, 2]. */
const stft: Rule = (call) => {
  const signal = call.shape(0);
  require(!signal || signal.length === 3);
  const step = scalarOf(call, 1);
  const window = call.has(2) ? (call.shape(2)?.[0] ?? null) : null;
  const length = call.has(3) ? scalarOf(call, 3) : window;
  if (typeof step === 'number') require(step > 0);
  const frames = add(floorDiv(sub(signal?.[1] ?? null, length), step), 1);
  if (typeof frames === 'number') require(frames >= 0);
  const bins = call.int('onesided', 1) ? add(floorDiv(length, 2), 1) : length;
  return tensor(call.type(0), [signal?.[0] ?? null, frames, bins, 2]);
};

export const signalRules: RuleTable = new Map<string, Rule>([
  ['DFT', dft],
  ['STFT', stft],
]);
