import { calibratedMethod } from '../../core/compress/calibrated/calibratedMethod';
import { chooseRidge } from '../../core/compress/calibrated/chooseRidge';
import { assess, factorCalibrated } from '../../core/compress/calibrated/factorCalibrated';
import { type LayerRegressions, layerRegressions } from '../../core/compress/calibrated/layerRegressions';
import { type MeasuredMethod, measureLayer } from '../../core/compress/calibrated/measureLayer';
import { mergeMoments } from '../../core/compress/calibrated/mergeMoments';
import type { Moments, PairMoments } from '../../core/compress/calibrated/moments';
import { outputMetric } from '../../core/compress/calibrated/outputMetric';
import { type CalibratedForm, patchWeights } from '../../core/compress/calibrated/patchWeights';
import { byTable } from '../../core/compress/calibrated/rankTable';
import { refit } from '../../core/compress/calibrated/refit';
import { imageOf } from '../../core/compress/calibrated/regression';
import { spatialAxes } from '../../core/compress/calibrated/spatialAxes';
import { candidateOf } from '../../core/compress/candidates';
import type { Candidate, MethodId, Ranks } from '../../core/compress/method';
import { spatial } from '../../core/compress/methods/spatial';
import type { Spectrum } from '../../core/compress/spectrum';
import type { ElementType } from '../../core/onnx/model';
import { ModelError } from '../../core/onnx/modelError';
import { decodeFloats, encodeFloats } from '../../core/onnx/tensorData';
import type { Linalg, OnProgress } from '../../core/tensor/linalg';
import type { Matrix } from '../../core/tensor/matrix';

type Floats = Float32Array | Float64Array;

/** What data has shown of one group of a layer. */
export interface GroupData {
  readonly moments: Moments;
  /** E y, from which the bias of y = W · p + b follows where the moments are of inputs alone. */
  readonly outputMean: Float64Array;
  /** A part of the samples that the moments leave out, to find out how far they can be trusted; undefined: none. */
  readonly check?: PairMoments | undefined;
  /** How much steps of the group's outputs move those of the model, S × S; undefined: nobody knows. */
  readonly reactions?: Matrix | undefined;
}

/** What a thread is asked to do with a weight and the data that its layer sees. */
export type CalibrateTask = { readonly form: CalibratedForm; readonly data: readonly GroupData[] } & (
  | {
      readonly kind: 'calibrate';
      /** Squared relative errors at which the layer is cut for a probe, by its plainest method. */
      readonly levels: readonly number[];
      /** The one at which it is cut by each of its other methods; null: by none. */
      readonly otherLevel: number | null;
    }
  | { readonly kind: 'calibratedFactor'; readonly method: MethodId; readonly ranks: Ranks }
  | { readonly kind: 'refit' }
);

/** A layer cut by one setting, to be tried in the model. */
export interface ProbeFactors {
  readonly method: MethodId;
  readonly ranks: Ranks;
  /** Of spatial: the axis that its first factor acts on. */
  readonly firstAxis: 0 | 1;
  /** Predicted squared relative error. */
  readonly error: number;
  readonly factors: readonly Uint8Array[];
  readonly bias: Float64Array;
}

/** What these tasks give; arrays have buffers of their own. */
export type CalibrateResult =
  | {
      readonly kind: 'calibrate';
      readonly methods: readonly MeasuredMethod[];
      readonly probes: readonly ProbeFactors[];
    }
  | {
      readonly kind: 'calibratedFactor' | 'refit';
      /** As encoded; a single one, the weight, where it was refitted. */
      readonly factors: readonly Uint8Array[];
      /** Of spatial: the axis that its first factor acts on. */
      readonly firstAxis: 0 | 1;
      readonly bias: Float64Array;
      readonly weightError: number;
      readonly outputError: number;
    };

/** Errors are LinalgErrors; a ModelError 'bad-data' where the data says nothing of the layer. */
export function runCalibrateTask(
  linalg: Linalg,
  weight: Floats,
  type: ElementType,
  task: CalibrateTask,
  onProgress: OnProgress,
): CalibrateResult {
  const regressions = regressionsOf(linalg, weight, task);
  onProgress(0.2);
  const later = (done: number) => onProgress(0.2 + 0.8 * done);
  const encoded: Uint8Array[] = [];
  const round = <T extends Floats>(factor: T) => {
    const bytes = encodeFloats(type, factor);
    encoded.push(bytes);
    return decodeFloats(type, bytes) as T;
  };
  switch (task.kind) {
    case 'calibrate': {
      const methods = measureLayer(linalg, regressions, (done) => later(0.7 * done));
      const settings = [
        ...probeSettings(methods, task.levels),
        ...(task.otherLevel === null ? [] : otherSettings(task.form, methods, task.otherLevel)),
      ];
      const probes = settings.map((setting): ProbeFactors => {
        const { method, ranks, firstAxis } = setting;
        encoded.length = 0;
        const way = {
          candidate: candidateAt(task.form, method, firstAxis),
          method: calibratedMethod(task.form, method, firstAxis)!,
        };
        const { bias } = factorCalibrated(linalg, weight, regressions, way, ranks, round);
        return { ...setting, factors: [...encoded], bias };
      });
      return { kind: 'calibrate', methods: methods.map(ownedMethod), probes };
    }
    case 'calibratedFactor': {
      const { form, ranks } = task;
      const firstAxis =
        task.method === 'spatial' ? betterAxis(linalg, regressions, form, ranks) : (0 as const);
      const candidate = candidateAt(form, task.method, firstAxis);
      const method = calibratedMethod(form, task.method, firstAxis);
      let fitted: ReturnType<typeof assess>;
      if (method) {
        const way = { candidate, method };
        fitted = factorCalibrated(linalg, weight, regressions, way, ranks, round, later);
      } else {
        // A method that is known for the norm of the weights only: the data gives the bias.
        const factors = candidate.factor(linalg, weight, ranks, later).map(round);
        fitted = assess(linalg, weight, candidate.expand(linalg, factors, ranks), regressions);
      }
      const { bias, weightError, outputError } = fitted;
      return { kind: 'calibratedFactor', factors: encoded, firstAxis, bias, weightError, outputError };
    }
    case 'refit': {
      const { bias, weightError, outputError } = refit(linalg, weight, regressions, round);
      return { kind: 'refit', factors: encoded, firstAxis: 0, bias, weightError, outputError };
    }
  }
}

function regressionsOf(
  linalg: Linalg,
  weight: Floats,
  { form, data }: Pick<CalibrateTask, 'form' | 'data'>,
): LayerRegressions {
  const bias = Float64Array.from(
    patchWeights(form, weight).flatMap((w, i) => {
      const { moments, outputMean } = data[i]!;
      const image = imageOf(w, moments.mean);
      return Array.from(outputMean, (value, s) => value - image[s]!);
    }),
  );
  const alpha = ridgeOf(linalg, weight, { form, data });
  const moments = data.map(({ moments: own, check }) =>
    check && own.kind === 'pairs' ? mergeMoments(own, check) : own,
  );
  const found = layerRegressions(linalg, form, weight, moments, {
    bias,
    outputMetrics: data.map(({ reactions }) => reactions && outputMetric(linalg, reactions)),
    ...(alpha === undefined ? {} : { alpha }),
  });
  if (found.kind === 'unusable') throw new ModelError('bad-data', found.reason);
  return found;
}

/** The ridge that samples left out speak for; undefined where there are none. */
function ridgeOf(
  linalg: Linalg,
  weight: Floats,
  { form, data }: Pick<CalibrateTask, 'form' | 'data'>,
): number | undefined {
  const folds = data.flatMap(({ moments, check }) =>
    check && moments.kind === 'pairs' ? [{ fit: moments, check }] : [],
  );
  return folds.length === data.length ? chooseRidge(linalg, patchWeights(form, weight), folds) : undefined;
}

/** A method on a form that it fits; spatial with this axis first. */
export function candidateAt(form: CalibratedForm, method: MethodId, firstAxis: 0 | 1): Candidate {
  if (method === 'spatial' && form.kind === 'conv') return spatial(form, firstAxis);
  const candidate = candidateOf(form, method);
  if (typeof candidate === 'string') throw new Error(candidate);
  return candidate;
}

/** The axis to begin with that leaves less at this rank. */
function betterAxis(
  linalg: Linalg,
  { groups }: LayerRegressions,
  form: CalibratedForm,
  [rank = 0]: Ranks,
): 0 | 1 {
  if (form.kind !== 'conv') return 0;
  const axes = spatialAxes(form);
  if (axes.length === 1) return axes[0]!;
  const explained = axes.map((axis) => {
    const { spectra } = calibratedMethod(form, 'spatial', axis)!.measure(linalg, groups);
    return spectra[0]!.energies.subarray(0, rank).reduce((sum, energy) => sum + energy, 0);
  });
  return explained[1]! > explained[0]! ? 1 : 0;
}

type ProbeSetting = Pick<ProbeFactors, 'method' | 'ranks' | 'firstAxis' | 'error'>;

const isPlain = ({ method }: MeasuredMethod) => method === 'svd' || method === 'channel';

/** The settings of the plainest method whose errors are nearest to these levels. */
function probeSettings(
  methods: readonly MeasuredMethod[],
  levels: readonly number[],
): readonly ProbeSetting[] {
  const plain = methods.find(isPlain);
  const found = new Map<string, ProbeSetting>();
  for (const level of levels) {
    const setting = plain && nearestSetting(plain, level);
    if (setting) found.set(setting.ranks.join(), setting);
  }
  return [...found.values()];
}

/** One setting of each of the other methods, near this level. */
function otherSettings(
  form: CalibratedForm,
  methods: readonly MeasuredMethod[],
  level: number,
): readonly ProbeSetting[] {
  const found = new Map<MethodId, ProbeSetting>();
  for (const each of methods) {
    if (isPlain(each)) continue;
    const { table, spectra } = each.measured;
    const setting = table ? pairSetting(form, each, level) : nearestSetting(each, level);
    const rank = setting?.ranks[0] ?? 0;
    const known = found.get(each.method);
    // Of two orders of spatial the one that leaves less, as when it is carried out.
    if (setting && spectra.length > 0 && !(known && known.ranks[0]! <= rank)) found.set(each.method, setting);
  }
  return [...found.values()];
}

/** Of a method with one rank the setting whose error is nearest to a level. */
function nearestSetting(
  { method, firstAxis, measured }: MeasuredMethod,
  level: number,
): ProbeSetting | undefined {
  const [spectrum] = measured.spectra;
  if (!spectrum || !(spectrum.total > 0)) return undefined;
  const distance = (error: number) => Math.abs(Math.log((error + 1e-9) / level));
  let best: ProbeSetting | undefined;
  let left = spectrum.total;
  for (let rank = 1; rank < spectrum.energies.length; rank++) {
    left -= spectrum.energies[rank - 1]!;
    const error = Math.max(0, left / spectrum.total);
    if (!best || distance(error) < distance(best.error)) best = { method, firstAxis, ranks: [rank], error };
  }
  return best;
}

/** Of a method with two ranks the smallest setting whose error is at most this. */
function pairSetting(
  form: CalibratedForm,
  { method, firstAxis, measured }: MeasuredMethod,
  level: number,
): ProbeSetting | undefined {
  const { total } = measured.spectra[0]!;
  const prediction = byTable(measured.table!);
  const { cost } = candidateAt(form, method, firstAxis);
  const ranks = prediction.within(measured.spectra, level * total, (wanted) => cost(wanted).parameters);
  return ranks && { method, firstAxis, ranks, error: prediction.error(measured.spectra, ranks) / total };
}

/** With copies of what may lie in a thread's scratch. */
function ownedMethod({ measured, ...method }: MeasuredMethod): MeasuredMethod {
  const { spectra, table } = measured;
  const owned = ({ energies, total }: Spectrum): Spectrum => ({ energies: energies.slice(), total });
  return {
    ...method,
    measured: {
      spectra: spectra.map(owned),
      ...(table ? { table: { ...table, errors: table.errors.slice() } } : {}),
    },
  };
}
