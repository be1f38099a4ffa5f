import assert from 'node:assert/strict';
import path from 'node:path';
import { after, test } from 'node:test';
import { candidatesOf } from '../../src/core/compress/candidates';
import type { Form, FormedLayer } from '../../src/core/compress/layer';
import type { LayerOptions } from '../../src/core/compress/makePlan';
import type { MethodChoice } from '../../src/core/compress/method';
import { spectrumSeries } from '../../src/core/compress/unfolding';
import { Element } from '../../src/core/onnx/elements';
import type { FactorJob } from '../../src/worker/factorJob';
import { createPool, type Pool } from '../../src/worker/pool';
import type { WeightFile } from '../../src/worker/runTask';
import { createSpectra } from '../../src/worker/spectra';
import { convForm, matmulForm as matrix } from '../support/forms';
import { seededArray } from '../support/onnxModel';
import { scratchFolder, writeInto } from '../support/scratch';

/** What is measured of weights is kept by their content: what a pool is given to do tells what is known already. */

const threads = createPool(path.resolve('dist/factorThread.js'), 2);
after(() => threads.close());

/** What takes this long, however slow the machine, waits for something that never comes. */
const NO_HANGING = { timeout: 120_000 };

type Kind = FactorJob['task']['kind'];

/** The pool, with a list of what it was given; what `before` returns for a job is waited for before it runs. */
function watchedPool(before: (kind: Kind) => Promise<void> | void = () => {}) {
  const kinds: Kind[] = [];
  const pool: Pool = {
    ...threads,
    async run(job, signal, onProgress) {
      kinds.push(job.task.kind);
      await before(job.task.kind);
      return threads.run(job, signal, onProgress);
    },
  };
  return {
    pool,
    /** How many jobs of each kind there were since this was asked last. */
    seen() {
      const counts: Partial<Record<Kind, number>> = {};
      for (const kind of kinds.splice(0)) counts[kind] = (counts[kind] ?? 0) + 1;
      return counts;
    },
  };
}

const conv = convForm(24, 16, [3, 3]);

const dimsOf = (form: Form): readonly number[] =>
  form.kind === 'conv'
    ? [form.outChannels, form.groupChannels, ...form.kernel]
    : form.kind === 'matmul'
      ? [form.inner, form.outer]
      : [form.count, form.width];

const countOf = (form: Form) => dimsOf(form).reduce((a, b) => a * b, 1);

interface Weights {
  readonly file: WeightFile<FormedLayer>;
  readonly layers: readonly FormedLayer[];
}

/** Weights one behind the other in a new file. */
function weightsFile(
  weights: Readonly<Record<string, readonly [form: Form, values: Float32Array]>>,
  version = '1',
): Weights {
  const places = new Map<string, { readonly offset: number; readonly form: Form }>();
  const bytes: Buffer[] = [];
  let offset = 0;
  for (const [name, [form, values]] of Object.entries(weights)) {
    assert.equal(values.length, countOf(form));
    places.set(name, { offset, form });
    bytes.push(Buffer.from(values.buffer, values.byteOffset, values.byteLength));
    offset += values.byteLength;
  }
  const file = writeInto(scratchFolder(), 'weights.bin', Buffer.concat(bytes));
  return {
    layers: [...places].map(([name, { form }]) => ({ name, parameters: countOf(form), form })),
    file: {
      path: file,
      version,
      weightOf({ name }) {
        const { form, offset } = places.get(name)!;
        const storedDims = dimsOf(form);
        return {
          weight: { kind: 'file', path: file, offset, length: 4 * countOf(form) },
          recipe: { storedType: Element.float, storedDims, isFill: false, steps: [] },
          type: Element.float,
        };
      },
    },
  };
}

const values = (form: Form, seed: number) => seededArray(countOf(form), seed);
const wide = matrix(40, 56);
const [convValues, wideValues] = [values(conv, 1), values(wide, 2)];
const both = () => weightsFile({ conv: [conv, convValues], fc: [wide, wideValues] });

const ask = (
  spectra: ReturnType<typeof createSpectra>,
  { file, layers }: Weights,
  choice: MethodChoice = 'auto',
  call: Parameters<typeof spectra.optionsOf>[3] = {},
) => spectra.optionsOf(file, layers, choice, call);

/** The energies of all series, by layer and method. */
const energies = (options: readonly LayerOptions[]) =>
  options.map(({ layer, choices, reason }) => ({
    layer: layer.name,
    reason,
    choices: choices.map(({ candidate, known }) => [candidate.method, known.map((s) => [...s.energies])]),
  }));

/** A promise that is kept from outside. */
function gate() {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}

test(
  'one hash per layer and one measurement per series; then none for the same version',
  NO_HANGING,
  async () => {
    const { pool, seen } = watchedPool();
    const spectra = createSpectra(pool);
    const weights = both();
    const first = await ask(spectra, weights);
    assert.deepEqual(
      first.map(({ choices }) => choices.map(({ candidate }) => candidate.method)),
      [['channel', 'input-channel', 'spatial', 'tucker2'], ['svd']],
    );
    // The convolution: out, in, in and height; tucker2 has none of its own. The matrix has one.
    assert.deepEqual(seen(), { hash: 2, measure: 3 + 1 });
    const second = await ask(spectra, weights);
    assert.deepEqual(seen(), {});
    assert.deepEqual(energies(second), energies(first));
    // The energies are those of the weights: the squared norm, and for tucker2 the series of the other two.
    const [conv, fc] = first;
    for (const [options, data] of [
      [conv!, convValues],
      [fc!, wideValues],
    ] as const) {
      const norm = data.reduce((sum, x) => sum + x * x, 0);
      for (const { known } of options.choices)
        for (const { total } of known) assert.ok(Math.abs(total / norm - 1) < 1e-5);
    }
    const [channel, inputChannel, , tucker2] = conv!.choices;
    assert.deepEqual(
      tucker2!.known.map((s) => s.energies),
      [inputChannel!.known[0]!.energies, channel!.known[0]!.energies],
    );
  },
);

test('a method that is asked for later measures only what the others have not', NO_HANGING, async () => {
  const { pool, seen } = watchedPool();
  const spectra = createSpectra(pool);
  const weights = both();
  await ask(spectra, weights, 'tucker2');
  assert.deepEqual(seen(), { hash: 2, measure: 2 + 1 });
  await ask(spectra, weights, 'channel');
  await ask(spectra, weights, 'input-channel');
  assert.deepEqual(seen(), {});
  await ask(spectra, weights, 'auto');
  assert.deepEqual(seen(), { measure: 1 }, 'spatial');
  // A series that a method takes is the spectrum of its unfolding, however it is asked for.
  const [layer] = weights.layers;
  const { unfolding } = candidatesOf(layer!, 'channel').candidates[0]!.series[0]!;
  await spectra.spectrum(weights.file, layer!, unfolding!);
  assert.deepEqual(seen(), {});
  await spectra.spectrum(weights.file, layer!, {
    dims: [1, 24, 16, 3, 3],
    permutation: [0, 3, 1, 2, 4],
    batchAxes: 1,
    rowAxes: 1,
  });
  assert.deepEqual(seen(), { spectrum: 1 });
});

test(
  'the same bytes in another file, or as another version: only read, not measured',
  NO_HANGING,
  async () => {
    const { pool, seen } = watchedPool();
    const spectra = createSpectra(pool);
    const weights = both();
    const first = await ask(spectra, weights);
    seen();
    const copied = await ask(spectra, both());
    assert.deepEqual(seen(), { hash: 2 });
    assert.deepEqual(energies(copied), energies(first));
    const touched = await ask(spectra, { ...weights, file: { ...weights.file, version: '2' } });
    assert.deepEqual(seen(), { hash: 2 });
    assert.deepEqual(energies(touched), energies(first));
  },
);

test('a weight that has changed is measured again, the other one is not', NO_HANGING, async () => {
  const { pool, seen } = watchedPool();
  const spectra = createSpectra(pool);
  const first = await ask(spectra, both());
  seen();
  const changed = wideValues.slice();
  changed[3] = changed[3]! + 4;
  const second = await ask(spectra, weightsFile({ conv: [conv, convValues], fc: [wide, changed] }));
  assert.deepEqual(seen(), { hash: 2, measure: 1 });
  assert.deepEqual(energies(second)[0], energies(first)[0]);
  const [before, now] = [first, second].map((options) => options[1]!.choices[0]!.known[0]!.total);
  const grown = (wideValues[3]! + 4) ** 2 - wideValues[3]! ** 2;
  assert.ok(Math.abs(now! - before! - grown) < 1e-3, `${now} after ${before}`);
});

test(
  'the same bytes in another shape are another weight, for methods that have to be tried too',
  NO_HANGING,
  async () => {
    const { pool, seen } = watchedPool();
    const spectra = createSpectra(pool);
    const [lying, standing] = [matrix(36, 100), matrix(100, 36)];
    const data = values(lying, 3);
    for (const method of ['svd', 'tr'] as const) {
      const alone = [lying, standing].map((form) =>
        ask(createSpectra(threads), weightsFile({ w: [form, data] }), method),
      );
      const [first, second] = (await Promise.all(alone)).map(energies);
      assert.notDeepEqual(first, second);
      assert.deepEqual(energies(await ask(spectra, weightsFile({ w: [lying, data] }), method)), first);
      assert.deepEqual(energies(await ask(spectra, weightsFile({ w: [standing, data] }), method)), second);
      assert.deepEqual(seen(), { hash: 2, measure: 2 });
    }
  },
);

test('two calls at once do the work once', NO_HANGING, async () => {
  const { pool, seen } = watchedPool();
  const spectra = createSpectra(pool);
  const weights = both();
  const [a, b] = await Promise.all([ask(spectra, weights), ask(spectra, weights)]);
  assert.deepEqual(seen(), { hash: 2, measure: 4 });
  assert.deepEqual(energies(a), energies(b));
});

test('equal layers of one file are measured once', NO_HANGING, async () => {
  const { pool, seen } = watchedPool();
  const weights = weightsFile({ a: [wide, wideValues], b: [wide, wideValues.slice()] });
  const [a, b] = energies(await ask(createSpectra(pool), weights));
  assert.deepEqual(seen(), { hash: 2, measure: 1 });
  assert.deepEqual(a!.choices, b!.choices);
});

for (const kind of ['hash', 'measure'] as const) {
  test(
    `of two calls the one that works is cancelled in its ${kind}: the other one takes over`,
    NO_HANGING,
    async () => {
      const abort = new AbortController();
      const { opened, open } = gate();
      let isFirst = true;
      const { pool, seen } = watchedPool((now) => {
        if (now !== kind || !isFirst) return;
        isFirst = false;
        open();
      });
      const spectra = createSpectra(pool);
      const weights = weightsFile({ fc: [wide, wideValues] });
      const cancelled = assert.rejects(ask(spectra, weights, 'auto', { signal: abort.signal }), {
        name: 'AbortError',
      });
      const other = ask(spectra, weights);
      await opened;
      abort.abort();
      await cancelled;
      const [result] = energies(await other);
      assert.equal(result!.choices.length, 1);
      assert.deepEqual(result!.choices, energies(await ask(createSpectra(threads), weights))[0]!.choices);
      assert.deepEqual(seen(), kind === 'hash' ? { hash: 2, measure: 1 } : { hash: 1, measure: 2 });
      // And what the other one found is kept.
      await ask(spectra, weights);
      assert.deepEqual(seen(), {});
    },
  );

  test(
    `of two calls the one that waits is cancelled in the other's ${kind}: at once, and alone`,
    NO_HANGING,
    async () => {
      const abort = new AbortController();
      const [reached, released] = [gate(), gate()];
      const { pool, seen } = watchedPool((now) => {
        if (now !== kind) return;
        reached.open();
        return released.opened;
      });
      const spectra = createSpectra(pool);
      const weights = weightsFile({ fc: [wide, wideValues] });
      const working = ask(spectra, weights);
      await reached.opened;
      const cancelled = assert.rejects(ask(spectra, weights, 'auto', { signal: abort.signal }), {
        name: 'AbortError',
      });
      // Until it waits for what the other one does.
      await new Promise((resolve) => setImmediate(resolve));
      abort.abort();
      await cancelled; // the work is still held up
      released.open();
      assert.equal((await working)[0]!.choices.length, 1);
      assert.deepEqual(seen(), { hash: 1, measure: 1 });
    },
  );
}

test(
  'a call that was cancelled before it began gives nothing, even where all is known',
  NO_HANGING,
  async () => {
    const { pool, seen } = watchedPool();
    const spectra = createSpectra(pool);
    const weights = both();
    const signal = AbortSignal.abort();
    await assert.rejects(ask(spectra, weights, 'auto', { signal }), { name: 'AbortError' });
    await ask(spectra, weights);
    seen();
    await assert.rejects(ask(spectra, weights, 'auto', { signal }), { name: 'AbortError' });
    assert.deepEqual(seen(), {});
  },
);

test('ranks that are given are not asked of the weights, nor are they read', NO_HANGING, async () => {
  const { pool, seen } = watchedPool();
  const spectra = createSpectra(pool);
  const target = { kind: 'rank', rank: 8 } as const;
  for (const method of ['channel', 'tucker2', 'cp'] as const) {
    const options = await ask(spectra, both(), method, { target });
    assert.deepEqual(
      options.map(({ choices }) => choices.map(({ candidate, known }) => [candidate.method, known])),
      [[[method, []]], [['svd', []]]],
    );
  }
  assert.deepEqual(seen(), {});
  // Of several methods the better one is looked for; so it is among several numbers of groups.
  await ask(spectra, both(), 'auto', { target });
  assert.deepEqual(seen(), { hash: 1, measure: 3 }, 'the matrix has one method only');
  await ask(spectra, both(), 'group', { target });
  const groups = candidatesOf({ form: conv }, 'group').candidates[0]!.series.length;
  assert.deepEqual(seen(), { hash: 1, measure: groups });
  // Without ranks everything is measured.
  await ask(spectra, both(), 'channel', { target: { kind: 'energy', energy: 0.9 } });
  assert.deepEqual(seen(), { hash: 2, measure: 1 }, 'the series of channel are known by now');
});

test(
  'NaN in one weight: a reason for it, choices for the others, and the reason again',
  NO_HANGING,
  async () => {
    const { pool, seen } = watchedPool();
    const spectra = createSpectra(pool);
    const spoilt = convValues.slice();
    spoilt[77] = Number.NaN;
    const weights = weightsFile({ bad: [conv, spoilt], fc: [wide, wideValues], good: [conv, convValues] });
    const check = (options: readonly LayerOptions[]) => {
      const [bad, fc, good] = options;
      assert.match(bad!.reason ?? '', /NaN|finite/);
      assert.match(bad!.reason!, /\.$/);
      assert.deepEqual([bad!.choices.length, fc!.choices.length, good!.choices.length], [0, 1, 4]);
      assert.deepEqual([fc!.reason, good!.reason], [undefined, undefined]);
      return bad!.reason;
    };
    const reason = check(await ask(spectra, weights));
    seen();
    assert.equal(check(await ask(spectra, weights)), reason);
    const { hash, measure } = seen();
    assert.equal(hash, undefined);
    assert.ok(measure! >= 1 && measure! <= 4, `only of the bad weight: ${measure}`);
    // Two at once: both get it.
    const [a, b] = await Promise.all([ask(spectra, weights), ask(spectra, weights)]);
    assert.deepEqual([check(a), check(b)], [reason, reason]);
    const { unfolding } = spectrumSeriesOf(weights.layers[0]!);
    await assert.rejects(spectra.spectrum(weights.file, weights.layers[0]!, unfolding!), {
      name: 'WeightRefused',
      code: 'not-finite',
    });
  },
);

test(
  'a thread that stops is no reason of a weight: the call fails, the next one works',
  NO_HANGING,
  async () => {
    let fails = true;
    const { pool, seen } = watchedPool(async (kind) => {
      if (kind !== 'measure' || !fails) return;
      fails = false;
      await threadsThatStop();
    });
    const spectra = createSpectra(pool);
    const weights = weightsFile({ fc: [wide, wideValues] });
    await assert.rejects(ask(spectra, weights), { code: 'engine-stopped' });
    assert.equal((await ask(spectra, weights))[0]!.choices.length, 1);
    assert.deepEqual(seen(), { hash: 1, measure: 2 });
  },
);

test('progress goes up to 1 and never down, for calls that share the work too', NO_HANGING, async () => {
  const spectra = createSpectra(threads);
  const weights = both();
  const seen = [0, 1].map((): number[] => []);
  await Promise.all(
    seen.map((dones) => ask(spectra, weights, 'auto', { onLayer: (done) => dones.push(done) })),
  );
  for (const dones of seen) {
    assert.equal(dones.at(-1), 1);
    for (const [i, done] of dones.entries()) assert.ok(done >= 0 && (i === 0 || done >= dones[i - 1]!));
  }
});

function spectrumSeriesOf(layer: FormedLayer) {
  const { unfolding } = candidatesOf(layer, 'channel').candidates[0]!.series[0]!;
  return spectrumSeries(unfolding!);
}

/** What a closed pool says. */
async function threadsThatStop(): Promise<void> {
  const closed = createPool(path.resolve('dist/factorThread.js'), 1);
  await closed.close();
  const { file, layers } = weightsFile({ fc: [wide, wideValues] });
  await closed.run({ ...file.weightOf(layers[0]!), task: { kind: 'hash' } });
}
