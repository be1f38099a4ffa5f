import { elementCount, elementName } from '../../core/onnx/elements';
import { pause } from '../platform/pause';
import type { InputDescription } from './description';
import type { PreparedInput } from './normalise';
import { type Range, rangeMeter } from './range';

/** What {@link measureInput} found out besides the description: what warnings are made of. */
export interface MeasuredInput {
  readonly prepared: PreparedInput;
  readonly description: InputDescription;
  /** Of the values before preprocessing. */
  readonly stored: Range;
  readonly storedIsWhole: boolean;
  /** The first sample with a value that is no finite number. */
  readonly strangeSample: number | undefined;
  /** All measured samples are the same. */
  readonly areAlike: boolean;
}

/** More channels than this are features, of which nobody reads a list. */
const MOST_CHANNELS = 8;
/** Elements of all measured samples together, unless one sample has more. */
const MOST_ELEMENTS = 16_000_000;

/** Reads some samples of an input, one after the other, and measures their values. Between samples it listens to the signal. */
export async function measureInput(
  prepared: PreparedInput,
  samples: readonly number[],
  signal?: AbortSignal,
): Promise<MeasuredInput> {
  const { input, column, normalise } = prepared;
  const length = elementCount(column.shape);
  const most = prepared.isShared ? 1 : Math.max(1, Math.floor(MOST_ELEMENTS / length));
  const chosen = spread(samples, most);
  const channels = (prepared.channels?.count ?? 0) <= MOST_CHANNELS ? prepared.channels : undefined;
  const inner = channels ? elementCount(column.shape.slice(channels.axis + 1)) : length;
  const all = rangeMeter();
  const stored = rangeMeter();
  const byChannel = Array.from({ length: channels?.count ?? 0 }, rangeMeter);
  const values = new Float64Array(length);
  let first: Float64Array | undefined;
  let strangeSample: number | undefined;
  let areAlike = chosen.length > 1;
  for (const sample of chosen) {
    signal?.throwIfAborted();
    column.read([sample], values);
    for (const value of values) stored.add(value);
    if (!first) first = values.slice();
    else if (areAlike) areAlike = values.every((value, i) => value === first![i]);
    normalise(values);
    const before = all.strange();
    for (let start = 0, c = 0; start < length; start += inner, c = (c + 1) % (channels?.count ?? 1)) {
      const meter = byChannel[c];
      for (let i = start; i < start + inner; i++) {
        all.add(values[i]!);
        meter?.add(values[i]!);
      }
    }
    if (all.strange() > before) strangeSample ??= sample;
    await pause();
  }
  return {
    prepared,
    description: {
      name: input.name,
      from: column.label,
      shape: column.shape,
      storedType: elementName(column.type),
      type: elementName(input.type),
      range: all.range(),
      channels: byChannel.map((meter) => meter.range()),
      measured: chosen.length,
    },
    stored: stored.range(),
    storedIsWhole: stored.isWhole(),
    strangeSample,
    areAlike,
  };
}

/** At most `most` of a list, evenly spread. */
export function spread<T>(list: readonly T[], most: number): readonly T[] {
  if (list.length <= most) return list;
  return Array.from({ length: most }, (_, i) => list[Math.floor((i * list.length) / most)]!);
}
