import { resolve } from 'node:path';
import { type Decisions, type LabelAccuracy, telling, type Verification } from '../core/compress/report';
import { counted } from '../core/counted';
import {
  formatBytes,
  formatChange,
  formatCount,
  formatKept,
  formatMacs,
  formatMs,
  formatNumber,
  formatPercent,
} from '../core/format';
import type { Engine } from '../worker/engine';
import { CALIBRATION_OPTIONS, parseCalibration } from './calibrationOptions';
import { errorOf, type Terminal } from './terminal';
import { parse, parseDims, parseSeed } from './usage';
import { UsageError } from './usageError';

/** `ranksmith verify ORIGINAL COMPRESSED`: both run on the same input. */
export async function verifyCommand(
  args: readonly string[],
  engine: Engine,
  terminal: Terminal,
): Promise<number> {
  const { values, positionals } = parse(args, {
    ...CALIBRATION_OPTIONS,
    inputs: { type: 'string' },
    seed: { type: 'string' },
    dim: { type: 'string', multiple: true },
    json: { type: 'boolean' },
  });
  const [original, compressed, ...more] = positionals;
  if (original === undefined || compressed === undefined || more.length > 0) {
    throw new UsageError('verify takes the original and the compressed model.');
  }
  if (values.inputs !== undefined && values.calibration !== undefined)
    throw new UsageError('--inputs and --calibration exclude each other.');
  const inputs = values.inputs === undefined ? {} : { inputs: resolve(values.inputs) };
  const onData = {
    ...parseCalibration(values),
    ...(values.seed === undefined ? {} : { seed: parseSeed(values.seed) }),
  };
  try {
    const verification = await engine.verify(
      {
        original: resolve(original),
        compressed: resolve(compressed),
        ...inputs,
        ...onData,
        dims: parseDims(values.dim),
      },
      terminal.callOptions(compressed),
    );
    terminal.print(values.json ? JSON.stringify(verification) : printVerification(verification));
    return 0;
  } catch (error) {
    if (error instanceof UsageError) throw error;
    if (values.json) terminal.print(JSON.stringify({ original, compressed, error: errorOf(error) }));
    else terminal.complain(errorOf(error).message);
    return 1;
  }
}

/** The comparison of two models in a few lines. */
export function printVerification({
  original: a,
  compressed: b,
  outputError,
  onFitted,
  accuracy,
  engine,
  batch,
  inputs,
  assumedDims,
  ...rest
}: Verification): string {
  const decisions = telling(rest.decisions);
  const change = (before: number | null, after: number | null, format: (n: number) => string) =>
    before === null || after === null
      ? 'unknown'
      : `${format(before)} → ${format(after)} (${formatChange(before, after)})`;
  const assumed = Object.entries(assumedDims).map(([name, size]) => `${name}=${size}`);
  return [
    `parameters    ${change(a.parameters, b.parameters, formatCount)}`,
    `MACs          ${change(a.macs, b.macs, formatMacs)}`,
    `size          ${change(a.bytes, b.bytes, formatBytes)}`,
    `time          ${change(a.ms, b.ms, formatMs)} on ${engine}${batch === undefined ? '' : `, batch ${batch}`}`,
    `output error  ${formatPercent(outputError.relative)} (relative L2), cosine ${outputError.cosine.toFixed(6)}, largest difference ${Number(outputError.max.toPrecision(3))}`,
    ...(decisions ? [`decisions     ${decisionsText(decisions)}`] : []),
    ...(onFitted
      ? [
          `on the fitted output error ${formatPercent(onFitted.outputError.relative)}${onFitted.decisions ? `, decisions ${decisionsText(onFitted.decisions)}` : ''}`,
        ]
      : []),
    ...(accuracy ? [`accuracy      ${accuracyText(accuracy)}`] : []),
    `input         ${inputs}${assumed.length > 0 ? ` (assumed: ${assumed.join(', ')})` : ''}`,
  ].join('\n');
}

/** `98.2 % of 1,250 as before`. */
export function decisionsText({ kept, count }: Decisions): string {
  return `${formatKept(kept, count)} of ${formatNumber(count)} as before`;
}

/** `92.2 % → 91.4 % of 128 samples (−0.8 points)`. */
export function accuracyText({ before, after, samples }: LabelAccuracy): string {
  const points = 100 * (after - before);
  const change = `${points < 0 ? '−' : '+'}${Math.abs(points).toFixed(2)} points`;
  return `${formatPercent(before)} → ${formatPercent(after)} of ${counted(samples, 'sample')} (${change})`;
}
