import type { Runtime } from '../src/worker/runtime';
import type { LabelledImages } from './accuracyData';

const BATCH = 250;

/** What a classifier answers: for every picture one value per class, picture after picture. */
export interface Answers {
  readonly classes: number;
  readonly values: Float32Array;
}

/** Runs a model with one input on all pictures. */
export async function classify(runtime: Runtime, model: string, images: LabelledImages): Promise<Answers> {
  const session = await runtime.open(model, []);
  const size = images.dims.reduce((a, b) => a * b, 1);
  const [input = ''] = session.inputNames;
  try {
    const parts: Float32Array[] = [];
    for (let from = 0; from < images.count; from += BATCH) {
      const count = Math.min(BATCH, images.count - from);
      const data = images.pixels.subarray(from * size, (from + count) * size);
      const outputs = await session.run(
        new Map([[input, { type: 'float32', dims: [count, ...images.dims], data }]]),
      );
      const [output] = outputs.values();
      parts.push(Float32Array.from(output!.data as ArrayLike<number>));
    }
    const values = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
    let at = 0;
    for (const part of parts) {
      values.set(part, at);
      at += part.length;
    }
    return { classes: values.length / images.count, values };
  } finally {
    await session.release();
  }
}

/** Share of the pictures for which the largest value is that of what they show. */
export function accuracy({ classes, values }: Answers, labels: ArrayLike<number>): number {
  let right = 0;
  for (let i = 0; i < labels.length; i++) {
    const own = values.subarray(i * classes, (i + 1) * classes);
    if (own.indexOf(Math.max(...own)) === labels[i]) right++;
  }
  return right / labels.length;
}

/** ‖y − ŷ‖ / ‖y‖ over all answers. */
export function relativeDifference(expected: Answers, actual: Answers): number {
  let difference = 0;
  let norm = 0;
  for (const [i, value] of expected.values.entries()) {
    difference += (value - actual.values[i]!) ** 2;
    norm += value ** 2;
  }
  return Math.sqrt(difference / norm);
}
