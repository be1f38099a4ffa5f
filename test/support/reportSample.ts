import { tradeOff } from '../../src/core/compress/budget/tradeOff';
import { candidateOf, candidatesOf } from '../../src/core/compress/candidates';
import { explainSetting } from '../../src/core/compress/explainSetting';
import type { FormedLayer } from '../../src/core/compress/layer';
import type { LayerOptions } from '../../src/core/compress/makePlan';
import type { Overview, OverviewLayer } from '../../src/core/compress/overview';
import { reportTexts } from '../../src/host/report/pageTexts';
import type { LayerDetail, Question, Subject } from '../../webview/messages';
import { convForm, matmulForm } from './forms';

/** What stands in the place of vscode.l10n: the texts as they are written. */
export const texts = reportTexts({
  t: (text: unknown, ...values: unknown[]) =>
    String(text).replace(/\{(\d+)\}/g, (_, index) => String(values[Number(index)])),
} as never);

/** Layers with spectra that fall evenly: answers are those of the real engine's core. */
function optionOf(
  name: string,
  form: Parameters<typeof candidatesOf>[0]['form'],
  ratio: number,
): LayerOptions {
  const layer: FormedLayer = { name, parameters: 0, elementBytes: 4, form };
  const choices = candidatesOf(layer, 'auto').candidates.map((candidate) => ({
    candidate,
    known: candidate.fullRanks.map((full) => spectrumOf(full, ratio)),
  }));
  return { layer: { ...layer, parameters: choices[0]!.candidate.dense.parameters }, choices };
}

function spectrumOf(full: number, ratio: number) {
  const scale = (1 - ratio) / (1 - ratio ** full);
  return { energies: Float64Array.from({ length: full }, (_, k) => scale * ratio ** k), total: 1 };
}

const RATIO = 0.97;

export const options: readonly LayerOptions[] = [
  optionOf('features.0', convForm(64, 32, [3, 3]), RATIO),
  optionOf('features.1', convForm(256, 128, [3, 3]), RATIO),
  optionOf('fc', matmulForm(1024, 256), RATIO),
];

const sum = (of: 'parameters' | 'macs') =>
  options.reduce((all, { choices }) => all + choices[0]!.candidate.dense[of]!, 0);
export const totals = { parameters: sum('parameters'), macs: sum('macs') };

/** What the page is told of a layer: `features.1` is planned as spatial 64, `fc` as svd 96. */
const PLANNED = {
  'features.1': { method: 'spatial', ranks: [64] },
  fc: { method: 'svd', ranks: [96] },
} as const;
const SUGGESTED = {
  'features.0': { method: 'tucker2', ranks: [24, 48] },
  'features.1': { method: 'spatial', ranks: [80] },
} as const;

/** What the extension would answer, from the same core. */
export function answer(question: Question): unknown {
  switch (question.kind) {
    case 'tradeOff':
      return { value: tradeOff(options, totals, { unit: question.unit }) };
    case 'replan':
      return { value: null };
    case 'explain': {
      const option = options.find(({ layer }) => layer.name === question.layer);
      if (!option) return { message: `There is no layer ${question.layer}.` };
      const chosen = PLANNED[question.layer as keyof typeof PLANNED] ?? null;
      const suggested = SUGGESTED[question.layer as keyof typeof SUGGESTED] ?? null;
      const { method, ranks } = question.setting ?? chosen ?? suggested;
      const { form } = option.layer;
      const candidate = form.kind === 'none' ? '' : candidateOf(form, method);
      if (typeof candidate === 'string') return { message: candidate };
      const known = candidate.fullRanks.map((full) => spectrumOf(full, RATIO));
      const macs = candidate.dense.macs;
      const detail = explainSetting({ layer: option.layer, macs }, candidate, known, ranks);
      const value: LayerDetail = { detail, chosen, suggested, steps: ranks.map(() => 16) };
      return { value };
    }
  }
}

/** The three layers, planned or as they are. */
export function layersOf(isPlanned: boolean): readonly OverviewLayer[] {
  return options.map(({ layer, choices }) => {
    const dense = choices[0]!.candidate.dense;
    const before = { parameters: dense.parameters, macs: dense.macs, ms: null };
    const setting = PLANNED[layer.name as keyof typeof PLANNED];
    const candidate = choices.find((choice) => choice.candidate.method === setting?.method)?.candidate;
    const cost = setting && candidate?.cost(setting.ranks);
    const after = cost ? { parameters: cost.parameters, macs: cost.macs, ms: null } : before;
    return {
      name: layer.name,
      op: layer.form.kind === 'conv' ? 'Conv' : 'Gemm',
      weightShape: [256, 128, 3, 3],
      before,
      after: isPlanned ? after : null,
      method: isPlanned ? (setting?.method ?? 'dense') : null,
      ranks: isPlanned && setting ? setting.ranks : null,
      weightError: isPlanned && setting ? 0.2 : null,
      certainty: 'exact',
      outputError: null,
      isFactorable: true,
      note: setting || !isPlanned ? null : 'Within this budget others are better cut than this layer.',
    };
  });
}

export function overviewOf(basis: Overview['basis'], layers = layersOf(basis !== 'none')): Overview {
  const isMeasured = basis === 'measured';
  const before = {
    ...totals,
    bytes: 4 * totals.parameters,
    activationBytes: 802_816,
    ms: isMeasured ? 2.08 : null,
  };
  const total = (of: 'parameters' | 'macs') =>
    layers.reduce((all, layer) => all + ((layer.after ?? layer.before)[of] ?? 0), 0);
  const parameters = total('parameters');
  const after = {
    parameters,
    macs: total('macs'),
    bytes: 4 * parameters,
    activationBytes: 602_112,
    ms: isMeasured ? 1.15 : null,
  };
  return {
    basis,
    file: '/models/net.onnx',
    plan: basis === 'predicted' ? '/models/net.ranks.json' : null,
    compressed: isMeasured ? '/models/net.compressed.onnx' : null,
    goal: basis === 'none' ? null : { kind: 'parameters', share: 0.5 },
    before,
    after: basis === 'none' ? null : after,
    weightError: basis === 'predicted' ? 0.25 : null,
    certainty: 'exact',
    layers,
  };
}

export function subjectOf(basis: Overview['basis'], of: Partial<Subject> = {}): Subject {
  return {
    overview: overviewOf(basis),
    bases: basis === 'none' ? ['none'] : ['predicted', 'measured'],
    layer: null,
    verification: basis === 'measured' ? VERIFICATION : null,
    canCompress: true,
    plan: basis === 'none' ? 'none' : 'weights',
    isMeasured: basis === 'predicted',
    problems: [],
    measuring: null,
    ...of,
  };
}

const figures = {
  file: '/models/net.onnx',
  bytes: 9_250_000,
  parameters: 2_310_000,
  macs: 17_900_000,
  ms: 2.08,
};

const VERIFICATION: NonNullable<Subject['verification']> = {
  target: { kind: 'parameters', share: 0.5 },
  plan: null,
  original: figures,
  compressed: { ...figures, bytes: 4_620_000, parameters: 1_150_000, macs: 9_390_000, ms: 1.15 },
  outputError: { relative: 0.031, cosine: 0.9995, max: 0.12 },
  decisions: { kept: 1228, count: 1250, samples: 1250, shape: 'one' },
  factoredWith: 'LAPACK 3.11.0',
  engine: 'ONNX Runtime 1.30.0 (WebAssembly, 1 thread)',
  inputs: 'random, seed 1; input: 1 × 1 × 28 × 28',
  assumedDims: { batch: 1 },
  problems: [],
  seconds: { suggest: 0.4, factor: 0.4, write: 0.1, verify: 0.3 },
};
