import { join } from 'node:path';
import type { RuntimeTensor } from '../../src/worker/runtime';
import { seededArray } from './onnxModel';

/** A voice detector: an If on the sample rate with the network for either rate in its branches. */
export interface Silero {
  readonly name: string;
  readonly path: string;
  /** Samples per call at 16 and at 8 kHz. */
  readonly samples: readonly [number, number];
  /** Sizes of the state, by name. */
  readonly state: Readonly<Record<string, readonly number[]>>;
  /** The symbols of its inputs: those that are the batch, and the samples. */
  readonly symbols: { readonly batch: readonly string[]; readonly samples: string };
}

const BATCH = 2;
export const SAMPLE_RATES = [16_000, 8_000] as const;
type SampleRate = (typeof SAMPLE_RATES)[number];

const fileOf = (name: string) =>
  join('node_modules', '@ricky0123', 'vad-web', 'dist', `silero_vad_${name}.onnx`);

const recent = (name: string): Silero => ({
  name,
  path: fileOf(name),
  samples: [512, 256],
  state: { state: [2, BATCH, 128] },
  symbols: { batch: ['input[0]', 'state[1]'], samples: 'input[1]' },
});

/** Three generations of the detector. */
export const SILERO: readonly Silero[] = [
  {
    name: 'legacy',
    path: fileOf('legacy'),
    samples: [1536, 768],
    state: { h: [2, BATCH, 64], c: [2, BATCH, 64] },
    symbols: { batch: ['batch'], samples: 'sequence' },
  },
  recent('v5'),
  recent('v6'),
];

const samplesAt = ({ samples }: Silero, rate: SampleRate) => samples[SAMPLE_RATES.indexOf(rate)]!;

/** The sizes and the sample rate, by symbol. */
export function sileroBindings(silero: Silero, rate: SampleRate): ReadonlyMap<string, number> {
  return new Map([
    ...silero.symbols.batch.map((symbol) => [symbol, BATCH] as const),
    [silero.symbols.samples, samplesAt(silero, rate)],
    ['sr', rate],
  ]);
}

/** A frame of noise at a sample rate. */
export function sileroInputs(silero: Silero, rate: SampleRate): ReadonlyMap<string, RuntimeTensor> {
  const floats = (dims: readonly number[], seed: number): RuntimeTensor => ({
    type: 'float32',
    dims,
    data: seededArray(
      dims.reduce((a, b) => a * b, 1),
      seed,
    ),
  });
  return new Map([
    ['input', floats([BATCH, samplesAt(silero, rate)], 1)],
    ['sr', { type: 'int64', dims: [], data: BigInt64Array.of(BigInt(rate)) }],
    ...Object.entries(silero.state).map(([name, dims], i) => [name, floats(dims, 2 + i)] as const),
  ]);
}
