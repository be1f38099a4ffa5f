import type { Linalg } from '../../core/tensor/linalg';
import type { CalibrationData } from '../calibration/calibrationData';
import type { Labels } from '../calibration/labels';
import type { TimingCache } from '../latency/timingCache';
import type { OpenModel } from '../openModel';
import type { Pool } from '../pool';
import type { Runtime } from '../runtime';
import type { Spectra } from '../spectra';
import type { Kept } from './kept';

/** What calibration works with. */
export interface CalibrateTools {
  readonly pool: Pool;
  readonly spectra: Spectra;
  readonly runtime: () => Runtime;
  /** What layers took on this machine. */
  readonly timings: TimingCache;
  /** An engine on this thread: it sums up moments while the runtime waits. */
  readonly linalg: () => Linalg;
  /** What was measured before. */
  readonly kept: Kept;
}

/** A model with the data it is calibrated on. */
export interface CalibratedOn {
  readonly open: OpenModel;
  readonly data: CalibrationData;
  /** Multiply-adds of one sample; null where they are not known. */
  readonly macs: number | null;
  /** What its samples show; undefined: nobody said. */
  readonly labels?: Labels | undefined;
}

/** How a step of calibration reports and is stopped. */
export interface CalibrateCall {
  readonly signal?: AbortSignal | undefined;
  /** `done` never falls; `step` says what is being done to the layer, where that is not what the caller expects. */
  onLayer(done: number, layer: string, step?: 'read' | 'measure' | 'try' | 'time'): void;
}

/** Multiply-adds per layer that its moments may take before columns are left away: some seconds. */
const FREE_WORK = 1e10;
/** Columns per input that are used in any case. */
const PER_INPUT = 64;

/** How many columns of d inputs and S outputs are enough for moments: see `enoughColumns`, with a fifth of its work. */
export function columnsFor(d: number, s: number): number {
  return Math.max(PER_INPUT * d, Math.floor(FREE_WORK / (d * (d / 2 + s))));
}
