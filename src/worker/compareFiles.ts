import type { AnalyzedModel } from '../core/compress/analyzeModel';
import type { LayerChange, ModelComparison } from '../core/compress/compare/modelComparison';
import { type ComparedLayers, type ComparedRow, compareModels } from '../core/compress/compareModels';
import type { Verification } from '../core/compress/report';
import type { Constant } from '../core/onnx/constants';
import { ModelError } from '../core/onnx/modelError';
import type { Linalg } from '../core/tensor/linalg';
import type { CallOptions, CompareRequest } from './engine';
import { type FactoredChange, factoredChange } from './factoredChange';
import type { OpenModel } from './openModel';
import { pause } from './platform/pause';
import { type WeightChange, weightChange } from './weightChange';

/** A model that is held open while it is compared. */
export interface OpenSide {
  readonly open: OpenModel;
  readonly analyzed: AnalyzedModel;
}

/** Runs both models; throws ModelErrors. */
export type RunBoth = (onProgress: (done: number) => void) => Promise<Verification>;

/** Compares two open models: by structure, and on request by their weights and by what they compute. */
export async function compareFiles(
  before: OpenSide,
  after: OpenSide,
  { weights = false, run = false }: Pick<CompareRequest, 'weights' | 'run'>,
  runBoth: RunBoth,
  linalg: () => Linalg,
  { signal, onProgress }: CallOptions,
): Promise<ModelComparison> {
  const compared = compareModels(
    { model: before.open.model, analyzed: before.analyzed },
    { model: after.open.model, analyzed: after.analyzed },
  );
  const shareOfWeights = run ? 0.5 : 1;
  const layers = weights
    ? await withWeights(before.open, after.open, compared, linalg, signal, (done, layer) =>
        onProgress?.({ phase: 'read', done: done * shareOfWeights, layer }),
      )
    : compared.comparison.layers;
  const start = weights ? shareOfWeights : 0;
  return {
    ...compared.comparison,
    layers,
    weights,
    ...(run
      ? {
          run: await orRefusal(
            runBoth((done) => onProgress?.({ phase: 'verify', done: start + (1 - start) * done })),
          ),
        }
      : {}),
  };
}

/** Models that can't be run together can still be looked at together. */
async function orRefusal(run: Promise<Verification>): Promise<Verification | { readonly refusal: string }> {
  try {
    return await run;
  } catch (error) {
    if (error instanceof ModelError) return { refusal: error.message };
    throw error;
  }
}

async function withWeights(
  before: OpenModel,
  after: OpenModel,
  { comparison, rows }: ComparedLayers,
  linalg: () => Linalg,
  signal: AbortSignal | undefined,
  onLayer: (done: number, layer: string) => void,
): Promise<readonly LayerChange[]> {
  const total = comparison.layers.reduce((sum, { bytes }) => sum + (bytes.before ?? 0), 0) || 1;
  let done = 0;
  let paused = 0;
  const changes: LayerChange[] = [];
  for (const [i, change] of comparison.layers.entries()) {
    const row = rows[i]!;
    if (change.kind === 'same') changes.push(withWeight(before, after, change, row));
    else changes.push(row.form ? withFactors(before, after, change, row, linalg) : change);
    done += change.bytes.before ?? 0;
    // Messages, a cancellation among them, arrive between two layers.
    if (done - paused > 8 * 1024 * 1024) {
      paused = done;
      onLayer(done / total, change.name);
      await pause();
      signal?.throwIfAborted();
    }
  }
  return changes;
}

/** A layer of the same shape, with what its values say. A weight that can't be read tells nothing. */
function withWeight(before: OpenModel, after: OpenModel, change: LayerChange, row: ComparedRow): LayerChange {
  const a = row.before?.layers[0]?.layer;
  const b = row.after?.layers[0]?.layer;
  if (!a || !b) return change;
  const compare = (first: Constant, second: Constant): WeightChange =>
    weightChange({ open: before, constant: first }, { open: after, constant: second });
  try {
    const weight = compare(a.weight, b.weight);
    const hasSameBias = a.bias && b.bias ? sameBias(compare, a.bias, b.bias) : a.bias === b.bias;
    return {
      ...change,
      kind: weight.isSame && hasSameBias ? 'same' : 'values',
      weightError: weight.relative,
    };
  } catch (error) {
    if (error instanceof ModelError) return change;
    throw error;
  }
}

/** A factored or merged layer, with how far the weight is from what its factors stand for. */
function withFactors(
  before: OpenModel,
  after: OpenModel,
  change: LayerChange,
  { before: a, after: b, form }: ComparedRow,
  linalg: () => Linalg,
): LayerChange {
  if (!a || !b || !form) return change;
  const [whole, parts] = change.kind === 'factored' ? [a, b] : [b, a];
  const [wholeOpen, partsOpen] = change.kind === 'factored' ? [before, after] : [after, before];
  let found: FactoredChange | undefined;
  try {
    found = factoredChange(
      linalg(),
      { open: wholeOpen, group: whole },
      { open: partsOpen, group: parts },
      form,
      change.kind === 'factored' ? 'whole' : 'factors',
    );
  } catch (error) {
    if (!(error instanceof ModelError)) throw error;
  }
  return found ? { ...change, ...found } : change;
}

function sameBias(compare: (a: Constant, b: Constant) => WeightChange, a: Constant, b: Constant): boolean {
  const isAlike = a.type === b.type && JSON.stringify(a.dims) === JSON.stringify(b.dims);
  return isAlike && compare(a, b).isSame;
}
