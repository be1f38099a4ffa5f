import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Analysis, LayerInfo } from '../../src/core/compress/analysis';
import { analysisAnswer, goalAnswer, suggestionAnswer } from '../../src/host/languageModel/answers';

const layer = (i: number, of: Partial<LayerInfo> = {}): LayerInfo => ({
  name: `block.${i}.linear`,
  op: 'MatMul',
  weight: `w${i}`,
  weightShape: [64, 64],
  parameters: i,
  macs: null,
  macsFormula: null,
  intensity: null,
  outputShape: null,
  status: 'compressible',
  ...of,
});

const analysis = (layers: readonly LayerInfo[]): Analysis => ({
  file: '/tmp/net.onnx',
  format: 'onnx',
  opset: 17,
  bytes: 1000,
  parameters: { stored: 1000, used: 1000, statistics: 0 },
  macs: null,
  flops: null,
  macsFormula: '2 k × N',
  otherOps: null,
  activationBytes: null,
  bytesByType: {},
  unknownMacs: [],
  freeDims: ['N'],
  assumedDims: {},
  layers,
  problems: [],
});

describe('answers to language models', () => {
  it('list the largest layers, and say how many they leave out', () => {
    const answer = JSON.parse(analysisAnswer(analysis(Array.from({ length: 100 }, (_, i) => layer(i))), 3));
    assert.deepEqual(
      answer.layers.map((each: LayerInfo) => each.parameters),
      [99, 98, 97],
    );
    assert.deepEqual([answer.layerCount, answer.layersLeftOut, answer.macs], [100, 97, null]);
    assert.deepEqual([answer.dimensionsWithoutSize, answer.macsFormula], [['N'], '2 k × N']);
  });

  it('stay short, whatever is asked for and whatever names hold', () => {
    const layers = Array.from({ length: 10_000 }, (_, i) => layer(i, { name: 'x'.repeat(5000) }));
    const text = analysisAnswer(analysis(layers), 200);
    assert.ok(text.length <= 8000, `${text.length}`);
    const answer = JSON.parse(text);
    assert.ok(answer.layers.length > 5);
    assert.equal(answer.layers.length + answer.layersLeftOut, 10_000);
  });

  it('put first what saves the most, and add up what all of it would save', () => {
    const suggestion = (parameters: number) =>
      ({ method: 'svd', ranks: [2], parameters, macs: null, memory: null, energy: 0.912345 }) as const;
    const layers = [
      layer(100, { suggestion: suggestion(90) }),
      layer(200, { name: 'best', suggestion: suggestion(50) }),
      layer(300, { noSuggestion: 'It saves next to nothing.' }),
    ];
    const answer = JSON.parse(suggestionAnswer(analysis(layers), 0.9));
    assert.deepEqual(
      answer.layers.map((each: { name: string }) => each.name),
      ['best', 'block.100.linear'],
    );
    assert.deepEqual([answer.layersWithSuggestion, answer.parametersIfAllApplied], [2, 1000 - 10 - 150]);
    assert.equal(answer.layers[0].energyKept, 0.9123);
  });

  it('say why a goal can’t be met', () => {
    const both = { before: 1, after: 1 };
    const preview = {
      target: { kind: 'parameters', share: 0.01 },
      refusal: 'The least is 10 %.',
      parameters: both,
      macs: both,
      factored: 0,
      weightError: 0,
      certainty: 'exact',
    } as const;
    assert.deepEqual(JSON.parse(goalAnswer('net.onnx', preview)), {
      file: 'net.onnx',
      goal: 'parameters=0.01',
      cannotBeMet: 'The least is 10 %.',
    });
  });
});
