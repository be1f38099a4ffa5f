import { formatBytes } from '../../core/format';
import type { Node } from '../../core/onnx/model';
import { ModelError } from '../../core/onnx/modelError';
import { type ModelPart, type PartLimits, planParts } from '../../core/onnx/parts/planParts';
import { inferShapes, type ShapeTable } from '../../core/onnx/shapes/inferShapes';
import type { OpenModel } from '../openModel';
import { existsSync, statSync } from '../platform/files';
import { dirname, join } from '../platform/paths';
import { isRuntimeType } from '../runtimeValues';

/** A model in parts, with what is known of its tensors whatever it is fed with. */
export interface PartedModel {
  readonly parts: readonly ModelPart[];
  readonly shapes: ShapeTable;
}

/** Cuts a model. Throws 'too-large' where a part can't be made small enough. */
export function partsOf(
  { model, openExternal, path }: Pick<OpenModel, 'model' | 'openExternal' | 'path'>,
  limits: PartLimits,
): PartedModel {
  const shapes = inferShapes(model, { bind: new Map(), openExternal });
  const plan = planParts(model, shapes, { limits, canPass: isRuntimeType });
  if (plan.kind === 'parts') return { parts: plan.parts, shapes };
  throw new ModelError(
    'too-large',
    `${path}: "${labelOf(plan.node)}" (${plan.node.opType}), with what can't be separated from it, has ${formatBytes(plan.bytes)} of weights, the largest of them "${plan.largest?.name ?? labelOf(plan.node)}". ONNX Runtime for WebAssembly, which runs models here, takes ${formatBytes(limits.largest)} at once; where the native one is installed, larger ones run.`,
  );
}

function labelOf({ name, outputs, opType }: Node): string {
  return name || outputs.find(Boolean) || opType;
}

/** Bytes of a model with its data files, of which nothing is known that is missing: opening it says so. */
export function modelBytes(path: string, externalFiles: readonly string[], bytes?: Uint8Array): number {
  const sizeOf = (file: string) => (existsSync(file) ? statSync(file).size : 0);
  return externalFiles.reduce(
    (sum, file) => sum + sizeOf(join(dirname(path), file)),
    bytes?.length ?? sizeOf(path),
  );
}

/** Throws 'too-large' for a model that the runtime can't run, not even in parts. */
export function checkRuns(open: OpenModel, limits: PartLimits | undefined): void {
  if (limits && modelBytes(open.path, open.externalFiles) > limits.whole) partsOf(open, limits);
}
