import { resolve } from 'node:path';
import type { ParseArgsConfig } from 'node:util';
import { parsePreprocessing } from '../worker/calibration/preprocessing';
import type { CalibrationRequest } from '../worker/engine';
import { UsageError } from './usageError';

/** Options that name data to calibrate on, and say how it is read. */
export const CALIBRATION_OPTIONS = {
  calibration: { type: 'string' },
  samples: { type: 'string' },
  scale: { type: 'string' },
  mean: { type: 'string' },
  std: { type: 'string' },
  normalize: { type: 'string' },
  fit: { type: 'string' },
  channels: { type: 'string' },
  layout: { type: 'string' },
  labels: { type: 'string' },
} as const satisfies ParseArgsConfig['options'];

/** Their values, all text. */
export type CalibrationValues = {
  readonly [K in keyof typeof CALIBRATION_OPTIONS]?: string | undefined;
};

/** How data is read, as far as options say; what needs `--calibration` to mean anything is refused without it. */
export function parseCalibration({ calibration, samples, labels, ...reading }: CalibrationValues): {
  readonly calibration?: CalibrationRequest;
} {
  if (calibration === undefined) {
    const [idle] = Object.entries({ samples, ...pick(reading) }).filter(([, value]) => value !== undefined);
    if (labels !== undefined)
      throw new UsageError('--labels says what calibration data shows: it needs --calibration.');
    if (idle) throw new UsageError(`--${idle[0]} says how data is read: it needs --calibration.`);
    return {};
  }
  try {
    return {
      calibration: {
        path: resolve(calibration),
        preprocessing: parsePreprocessing(pick(reading)),
        ...(samples === undefined ? {} : { limit: parseSamples(samples) }),
        ...(labels === undefined ? {} : { labels: resolve(labels) }),
      },
    };
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

/** Whether options say how data is read, beyond naming it. */
export function saysHowToRead({ samples, ...values }: CalibrationValues): boolean {
  return Object.values({ samples, ...pick(values) }).some((value) => value !== undefined);
}

/** Of all values of a command those that say how data is read. */
function pick({ scale, mean, std, normalize, fit, channels, layout }: CalibrationValues) {
  return { scale, mean, std, normalize, fit, channels, layout };
}

function parseSamples(text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 2) return value;
  throw new UsageError(`--samples takes a whole number of at least 2, not "${text}".`);
}
