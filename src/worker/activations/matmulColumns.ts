import type { MatMulForm } from '../../core/compress/layer';
import { product } from '../../core/compress/method';
import { intAttribute } from '../../core/onnx/constants';
import type { Node } from '../../core/onnx/model';
import type { ColumnSource, LayerColumns } from './columns';

/**
 * The columns of a matrix product: the vectors that W multiplies, those of all axes in front one after the other. With
 * a batch of matrices each has its own; a batch that is repeated along the other's (broadcast) is so here as well.
 */
export function matmulColumns(
  form: MatMulForm,
  node: Node,
  xDims: readonly number[],
  yDims: readonly number[],
): LayerColumns {
  const { side, inner, outer, lead } = form;
  const isRight = side === 'right';
  const vectors = xDims.length < 2 ? 1 : yDims[yDims.length - (isRight ? 2 : 1)]!;
  // A vector as x leaves an axis out of x, and one out of y.
  const xBatch = xDims.slice(0, -2);
  const yBatch = yDims.slice(0, xDims.length < 2 ? -1 : -2);
  const batches = batchesOf(yBatch, xBatch, lead);
  const isVectorFirst = isRight !== transposesX(node, side);
  const alpha = node.attributes.get('alpha');
  return {
    groups: product(lead),
    count: batches[0]!.length * vectors,
    p: vectorsIn(inner, vectors, isVectorFirst, (group) => batches[group]!.map(({ x }) => x)),
    y: vectorsIn(outer, vectors, isRight, (group) => batches[group]!.map(({ y }) => y)),
    scale: node.opType !== 'MatMul' && alpha?.kind === 'float' ? alpha.value : 1,
  };
}

/** Whether the node swaps the last two axes of what is not the weight. */
function transposesX(node: Node, side: 'left' | 'right'): boolean {
  return node.opType !== 'MatMul' && intAttribute(node, side === 'right' ? 'transA' : 'transB', 0) === 1;
}

/** Vectors of one length in a series of matrices, as their rows (`vectors × length`) or as their columns. */
function vectorsIn(
  length: number,
  vectors: number,
  isRow: boolean,
  matricesOf: (group: number) => readonly number[],
): ColumnSource {
  const size = length * vectors;
  const next = isRow ? length : 1;
  return {
    channels: length,
    step: isRow ? 1 : vectors,
    taps: 1,
    locate(group, columns) {
      const matrices = matricesOf(group);
      return (_, bases) => {
        for (let j = 0; j < bases.length; j++) {
          const matrix = Math.floor(columns[j]! / vectors);
          bases[j] = matrices[matrix]! * size + (columns[j]! - matrix * vectors) * next;
        }
      };
    },
  };
}

/** For each matrix of the weight's batch, which of x's matrices it meets, and which of y's that makes. */
function batchesOf(
  yBatch: readonly number[],
  xBatch: readonly number[],
  lead: readonly number[],
): readonly (readonly { readonly x: number; readonly y: number }[])[] {
  const groups = Array.from({ length: product(lead) }, (): { x: number; y: number }[] => []);
  for (let y = 0; y < product(yBatch); y++)
    groups[repeated(y, yBatch, lead)]!.push({ x: repeated(y, yBatch, xBatch), y });
  return groups;
}

/** The index in `dims` that broadcasting takes to `index` in `full`. */
function repeated(index: number, full: readonly number[], dims: readonly number[]): number {
  let [rest, place, result] = [index, 1, 0];
  for (let back = 1; back <= dims.length; back++) {
    const length = full[full.length - back]!;
    const own = dims[dims.length - back]!;
    if (own > 1) result += (rest % length) * place;
    place *= own;
    rest = Math.floor(rest / length);
  }
  return result;
}
