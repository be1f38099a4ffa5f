import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import { analyzeModel } from '../../src/core/compress/analyzeModel';
import { candidatesOf } from '../../src/core/compress/candidates';
import { settingsToTime } from '../../src/core/compress/latency/timeTable';
import { tinyModels } from '../../src/core/compress/latency/tinyModel';
import type { Layer } from '../../src/core/compress/layer';
import { METHOD_IDS, saves } from '../../src/core/compress/method';
import { memorySource } from '../../src/core/onnx/byteSource';
import { readModel } from '../../src/core/onnx/read';
import { type LayerToTime, timeLayers } from '../../src/worker/latency/timeLayers';
import { fittedTable } from '../../src/worker/latency/timeTableOf';
import { openTimingCache, type TimingCache } from '../../src/worker/latency/timingCache';
import { openModel } from '../../src/worker/openModel';
import { loadRuntime } from '../../src/worker/runtime';
import { runtimeTensor } from '../../src/worker/runtimeValues';
import { encodeModel } from '../support/onnxModel';
import { LAYER_KINDS, modelAround, Random } from '../support/randomLayers';
import { SAMPLE, scratchFolder } from '../support/scratch';
import { type Scripted, scriptedRuntime } from '../support/scriptedRuntime';

const native = loadRuntime(path.resolve('dist'));
const { model } = openModel(SAMPLE);
const noFiles = () => {
  throw new Error('no external file was expected');
};
const { layers } = analyzeModel(model, { dims: {}, openExternal: noFiles });
const context = { opset: model.opsets.get('')!, irVersion: model.irVersion };

const wantedOf = (layer: Layer): LayerToTime => {
  const choices = candidatesOf(layer, 'auto').candidates.map((candidate) => ({ candidate, known: [] }));
  return { layer, settings: settingsToTime({ choices }) };
};
const wide = wantedOf(layers.find(({ name }) => name.includes('features.7.0'))!);
const fc = wantedOf(layers.find(({ name }) => name === '/fc1/Gemm')!);

/** Milliseconds by the order of opening: as it is, the settings one after the other, a model that does nothing. */
const script = (what: Scripted) => {
  if (what.kind !== 'alone') return 1;
  return what.index === 0 ? 5 : 1 + what.index;
};

const tools = (timings: TimingCache, runtime = scriptedRuntime(native, script)) => ({
  runtime,
  timings,
  within: 1e6,
});

describe('layers alone', () => {
  it('run in ONNX Runtime: as they are and by every method, with outputs of the layer’s sizes', async () => {
    let runs = 0;
    for (const layer of layers) {
      const dense = tinyModels(layer, undefined, context)!;
      assert.equal(dense.length, 1);
      const outputOf = async ({ bytes, input }: (typeof dense)[number]) => {
        const session = await native.open('layer alone', [], bytes);
        const outputs = await session.run(new Map([['x', runtimeTensor(1, input, (i) => Math.sin(i))]]));
        await session.release();
        const [y] = [...outputs.values()];
        assert.ok(Array.from(y!.data as Float32Array).every((value) => Number.isFinite(value)));
        return y!.dims;
      };
      const dims = await outputOf(dense[0]!);
      for (const method of METHOD_IDS) {
        const { candidates } = candidatesOf(layer, method);
        for (const candidate of candidates) {
          const ranks = candidate.ofRank(4).find((each) => saves(candidate, each));
          if (!ranks) continue;
          const [tiny] = tinyModels(layer, { candidate, ranks }, context)!;
          assert.deepEqual(tiny!.input, dense[0]!.input);
          assert.deepEqual(await outputOf(tiny!), dims, `${layer.name}, ${method}`);
          runs++;
        }
      }
    }
    assert.ok(runs > 40, `${runs}`);
  });

  it('of random models run, or are none', async () => {
    let runs = 0;
    for (const [kind, draw] of Object.entries(LAYER_KINDS)) {
      for (let seed = 1; seed <= 8; seed++) {
        const random = new Random(seed);
        const bytes = encodeModel(modelAround(draw(random), random, 1).spec);
        const own = readModel(memorySource('random.onnx', bytes));
        const versions = { opset: own.opsets.get('') ?? 1, irVersion: Math.max(4, own.irVersion) };
        for (const layer of analyzeModel(own, { dims: {}, openExternal: noFiles }).layers) {
          if (layer.weight.type !== 1) continue;
          for (const candidate of [undefined, ...candidatesOf(layer, 'auto').candidates]) {
            const ranks = candidate?.ofRank(2)[0];
            const setting = candidate && ranks ? { candidate, ranks } : undefined;
            for (const { bytes: tiny, input } of tinyModels(layer, setting, versions) ?? []) {
              const session = await native.open(`${kind} alone`, [], tiny);
              await session.run(new Map([['x', runtimeTensor(1, input, () => 1)]]));
              await session.release();
              runs++;
            }
          }
        }
      }
    }
    assert.ok(runs > 20, `${runs}`);
  });

  it('are timed in turn, what a run costs by itself taken off', async () => {
    const found = await timeLayers(model, [wide, fc], tools(openTimingCache()));
    for (const { layer, settings } of [wide, fc]) {
      const times = found.get(layer.name)!;
      assert.equal(times.dense, 4);
      assert.deepEqual(
        times.settings.map(({ ms }) => ms),
        settings.map((_, i) => i + 1),
      );
      assert.deepEqual(
        times.settings.map(({ method, ranks }) => [method, ranks]),
        settings.map(({ candidate, ranks }) => [candidate.method, ranks]),
      );
    }
  });

  it('are timed once: a file keeps the times for the next session, and for layers of the same kind', async () => {
    const file = path.join(scratchFolder(), 'deep', 'timings.json');
    const first = await timeLayers(model, [wide, fc], tools(openTimingCache(file)));
    const again = tools(openTimingCache(file));
    assert.deepEqual(await timeLayers(model, [wide, fc], again), first);
    assert.deepEqual(again.runtime.opened, []);
    const twin = { ...wide, layer: { ...wide.layer, name: 'of another model' } };
    assert.deepEqual(
      (await timeLayers(model, [twin], again)).get(twin.layer.name),
      first.get(wide.layer.name),
    );
    assert.deepEqual(again.runtime.opened, []);
    const other = tools(openTimingCache(file), { ...again.runtime, name: 'another engine', opened: [] });
    await timeLayers(model, [fc], other);
    assert.notDeepEqual(again.runtime.opened, [], 'another engine has times of its own');
    assert.deepEqual(readdirSync(path.dirname(file)), ['timings.json']);
  });

  it('are left out when the time is over, the smallest first, and where the engine does not run them', async () => {
    const none = await timeLayers(model, [wide, fc], { ...tools(openTimingCache()), within: 0 });
    assert.equal(none.size, 0);
    const runtime = scriptedRuntime(native, script);
    const odd = { ...fc, layer: { ...fc.layer, node: { ...fc.layer.node, opType: 'Gemmm' } } };
    const found = await timeLayers(model, [wide, odd], tools(openTimingCache(), runtime));
    assert.deepEqual([...found.keys()], [wide.layer.name]);
  });

  it('stop being timed when it is cancelled, and let go of their sessions', async () => {
    const abort = new AbortController();
    let runs = 0;
    let open = 0;
    const scripted = scriptedRuntime(native, () => {
      if (++runs === 20) abort.abort(new DOMException('Cancelled.', 'AbortError'));
      return 1;
    });
    const runtime = {
      ...scripted,
      async open(...args: Parameters<typeof scripted.open>) {
        const session = await scripted.open(...args);
        open++;
        return {
          ...session,
          async release() {
            open--;
            await session.release();
          },
        };
      },
    };
    const timing = timeLayers(model, [wide, fc], {
      ...tools(openTimingCache(), runtime),
      signal: abort.signal,
    });
    await assert.rejects(timing, { name: 'AbortError' });
    assert.deepEqual([runs, open], [20, 0]);
  });

  it('together take no more than their model', () => {
    const layer = { dense: 2, settings: [{ method: 'svd', ranks: [1], ms: 1 }] } as const;
    const two = new Map([
      ['a', layer],
      ['b', layer],
    ]);
    assert.equal(fittedTable(two, 10).layers.get('a'), layer);
    const { layers: fitted } = fittedTable(two, 2);
    const sum = [...fitted.values()].reduce((all, { dense }) => all + dense, 0);
    assert.ok(sum < 2 && sum > 1.9);
    assert.equal(fitted.get('a')!.settings[0]!.ms, fitted.get('a')!.dense / 2);
  });
});

describe('the cache of times', () => {
  it('takes what it does not understand for nothing, and replaces it', () => {
    for (const text of [
      '',
      '{',
      'null',
      '[]',
      '{"version":2,"times":[["a",1]]}',
      '{"version":1,"times":{}}',
    ]) {
      const file = path.join(scratchFolder(), 'timings.json');
      writeFileSync(file, text);
      const cache = openTimingCache(file);
      assert.equal(cache.get('a'), undefined);
      cache.set('a', 3);
      cache.save();
      assert.equal(openTimingCache(file).get('a'), 3);
    }
    const file = path.join(scratchFolder(), 'timings.json');
    writeFileSync(file, '{"version":1,"times":[["a",1],["b","x"],["c",-1],[4,4],["d",null],["e",2]]}');
    const cache = openTimingCache(file);
    assert.deepEqual(['a', 'b', 'c', 'd', 'e'].map(cache.get), [1, undefined, undefined, undefined, 2]);
    cache.set('f', Number.NaN);
    cache.save();
    assert.equal(cache.get('f'), undefined);
  });

  it('keeps what several sessions write, the later where they differ', () => {
    const file = path.join(scratchFolder(), 'timings.json');
    const [one, two] = [openTimingCache(file), openTimingCache(file)];
    for (const cache of [one, two]) assert.equal(cache.get('a'), undefined);
    one.set('a', 1);
    one.set('b', 1);
    two.set('b', 2);
    two.set('c', 2);
    one.save();
    two.save();
    const last = openTimingCache(file);
    assert.deepEqual(['a', 'b', 'c'].map(last.get), [1, 2, 2]);
  });

  it('is bounded: what was used last stays', () => {
    const file = path.join(scratchFolder(), 'timings.json');
    const cache = openTimingCache(file);
    for (let i = 0; i < 6000; i++) cache.set(`key ${i}`, i);
    cache.save();
    const { times } = JSON.parse(readFileSync(file, 'utf8')) as { times: unknown[] };
    assert.equal(times.length, 5000);
    assert.equal(openTimingCache(file).get('key 999'), undefined);
    assert.equal(openTimingCache(file).get('key 5999'), 5999);
  });

  it('that can’t be written is one in memory', () => {
    const file = path.join(scratchFolder(), 'a file');
    writeFileSync(file, '');
    const cache = openTimingCache(path.join(file, 'timings.json'));
    cache.set('a', 1);
    cache.save();
    assert.equal(cache.get('a'), 1);
    assert.ok(existsSync(file));
  });
});
