import { formatShape } from '../../core/format';
import { dimSymbol } from '../../core/onnx/bindings';
import { elementName, isFloatType } from '../../core/onnx/elements';
import type { DeclaredDim, ElementType, Model } from '../../core/onnx/model';
import { ModelError } from '../../core/onnx/modelError';
import { isRuntimeType } from '../runtimeValues';

/** An input that has to be given a value: a tensor of numbers. */
export interface ModelInput {
  readonly name: string;
  readonly type: ElementType;
  /** Sizes and symbols; open dimensions without a name have one by their place (`x[2]`). null: any shape. */
  readonly shape: readonly DeclaredDim[] | null;
}

/** The inputs without a default, in order. Throws {@link ModelError} for one that no value can be made for. */
export function requiredInputs(model: Model): readonly ModelInput[] {
  const defaults = new Set(model.graph.initializers.map((t) => t.name));
  return model.graph.inputs
    .filter((input) => !defaults.has(input.name))
    .map(({ name, kind, type, shape }) => {
      if (kind !== 'tensor') {
        throw new ModelError(
          'verification-failed',
          `${model.source.name}: the input "${name}" is a ${kind}, not a tensor, so no value can be made up for it.`,
        );
      }
      if (!isRuntimeType(type)) {
        const advice = isFloatType(type) ? ' Exported with inputs of float or float16 it can.' : '';
        throw new ModelError(
          'verification-failed',
          `${model.source.name}: the input "${name}" takes ${elementName(type)}, which ONNX Runtime can't be given here, so the model can't be run to check a result.${advice}`,
        );
      }
      const named = shape?.map((dim, axis) => (typeof dim === 'number' ? dim : dimSymbol(name, axis, dim)));
      return { name, type, shape: named ?? null };
    });
}

/**
 * The axis of an input along which samples stand: where it has the symbol of the first input's first dimension, if
 * that is one; else its first, unless the first input's is a symbol and this one's a plain size. null: none.
 */
export function batchAxis(inputs: readonly ModelInput[], { shape }: ModelInput): number | null {
  if (shape === null) return 0;
  if (shape.length === 0) return null;
  const symbol = inputs[0]?.shape?.[0];
  if (typeof symbol !== 'string') return 0;
  const axis = shape.indexOf(symbol);
  return axis >= 0 ? axis : typeof shape[0] === 'string' ? 0 : null;
}

/** What an input takes, for messages: "N × 3 × 224 × 224". */
export function declaredShape({ shape }: ModelInput): string {
  return shape === null ? 'any shape' : formatShape(shape.map((dim) => dim ?? '?'));
}
