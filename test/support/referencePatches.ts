import type { ConvForm, MatMulForm } from '../../src/core/compress/layer';
import { intAttribute } from '../../src/core/onnx/constants';
import type { Node } from '../../src/core/onnx/model';

/** A tensor: sizes, and elements in row-major order. */
export interface Dense {
  readonly dims: readonly number[];
  readonly data: ArrayLike<number>;
}

/** Columns as they follow from what the operators are defined to compute, element by element. */
export interface Columns {
  /** By group, then by column. */
  readonly p: readonly (readonly (readonly number[])[])[];
  readonly y: readonly (readonly (readonly number[])[])[];
}

/** All index tuples below `dims`, in row-major order. */
export function indices(dims: readonly number[]): number[][] {
  return dims.reduce<number[][]>(
    (tuples, size) => tuples.flatMap((tuple) => Array.from({ length: size }, (_, i) => [...tuple, i])),
    [[]],
  );
}

/** The element at an index; 0 outside of the tensor. */
export function at({ dims, data }: Dense, index: readonly number[]): number {
  let offset = 0;
  for (const [axis, i] of index.entries()) {
    if (i < 0 || i >= dims[axis]! || !Number.isInteger(i)) return 0;
    offset = offset * dims[axis]! + i;
  }
  return Number(data[offset]);
}

/** ONNX, operators Conv and ConvTranspose: what each output position is a sum over. */
export function convReference(form: ConvForm, node: Node, x: Dense, y: Dense): Columns {
  const { groups, groupChannels, kernel, outChannels, isTransposed } = form;
  const list = (name: string, fallback: number) => {
    const attribute = node.attributes.get(name);
    return attribute?.kind === 'ints' ? attribute.value : kernel.map(() => fallback);
  };
  const [strides, dilations] = [list('strides', 1), list('dilations', 1)];
  const autoPad = node.attributes.get('auto_pad');
  const mode = autoPad?.kind === 'string' ? autoPad.value : 'NOTSET';
  const begins = kernel.map((k, a) => {
    if (mode === 'NOTSET') return list('pads', 0)[a]!;
    if (mode === 'VALID') return 0;
    // The output has ⌈input / stride⌉ positions; what the last window lacks is padded on both sides.
    const out = Math.ceil(x.dims[2 + a]! / strides[a]!);
    const lack = Math.max(0, (out - 1) * strides[a]! + dilations[a]! * (k - 1) + 1 - x.dims[2 + a]!);
    return mode === 'SAME_UPPER' ? Math.floor(lack / 2) : lack - Math.floor(lack / 2);
  });
  const columns = { p: [] as number[][][], y: [] as number[][][] };
  for (let g = 0; g < groups; g++) {
    const p: number[][] = [];
    const outputs: number[][] = [];
    for (const [image, ...position] of indices([x.dims[0]!, ...y.dims.slice(2)])) {
      p.push(
        indices([groupChannels, ...kernel]).map(([c, ...k]) => {
          const place = k.map((offset, a) => {
            const moved = dilations[a]! * offset - begins[a]!;
            // Forwards, input i goes to output i · stride + moved.
            return isTransposed ? (position[a]! - moved) / strides[a]! : position[a]! * strides[a]! + moved;
          });
          return at(x, [image!, g * groupChannels + c!, ...place]);
        }),
      );
      const own = outChannels / groups;
      outputs.push(Array.from({ length: own }, (_, s) => at(y, [image!, g * own + s, ...position])));
    }
    columns.p.push(p);
    columns.y.push(outputs);
  }
  return columns;
}

/** ONNX, operators MatMul and Gemm: which vector each output vector comes from. */
export function matmulReference(form: MatMulForm, node: Node, x: Dense, y: Dense): Columns {
  const { side, inner, outer, lead } = form;
  const isRight = side === 'right';
  const isVector = x.dims.length === 1;
  const swapped = node.opType !== 'MatMul' && intAttribute(node, isRight ? 'transA' : 'transB', 0) === 1;
  const batch = isVector ? y.dims.slice(0, -1) : y.dims.slice(0, -2);
  const vectors = isVector ? 1 : y.dims.at(isRight ? -2 : -1)!;
  const xBatch = x.dims.slice(0, -2);
  /** Broadcasting aligns axes at the end, and repeats those of size 1. */
  const repeated = (index: readonly number[], dims: readonly number[]) =>
    dims.map((size, i) => (size === 1 ? 0 : index[index.length - dims.length + i]!));
  const columns = { p: [] as number[][][], y: [] as number[][][] };
  for (const group of indices(lead)) {
    const p: number[][] = [];
    const outputs: number[][] = [];
    for (const index of indices(batch)) {
      if (repeated(index, lead).join() !== group.join()) continue;
      const own = repeated(index, xBatch);
      for (let v = 0; v < vectors; v++) {
        const place = (k: number) => (isRight !== swapped ? [...own, v, k] : [...own, k, v]);
        p.push(Array.from({ length: inner }, (_, k) => at(x, isVector ? [k] : place(k))));
        const to = (s: number) => (isVector ? [...index, s] : [...index, ...(isRight ? [v, s] : [s, v])]);
        outputs.push(Array.from({ length: outer }, (_, s) => at(y, to(s))));
      }
    }
    columns.p.push(p);
    columns.y.push(outputs);
  }
  return columns;
}

/** Row s of the weight of a group, which is S × d, from the weight as it is stored. */
export function referenceRow(
  form: ConvForm | MatMulForm,
  weight: ArrayLike<number>,
  group: number,
  s: number,
): number[] {
  if (form.kind === 'conv') {
    const { groups, groupChannels, kernel, outChannels, isTransposed } = form;
    const own = outChannels / groups;
    const dims = isTransposed
      ? [groups * groupChannels, own, ...kernel]
      : [outChannels, groupChannels, ...kernel];
    return indices([groupChannels, ...kernel]).map(([c, ...k]) =>
      at(
        { dims, data: weight },
        isTransposed ? [group * groupChannels + c!, s, ...k] : [group * own + s, c!, ...k],
      ),
    );
  }
  const { side, inner, outer, lead, isTransposed } = form;
  const isOutputFirst = (side === 'left') !== isTransposed;
  const dims = [...lead, ...(isOutputFirst ? [outer, inner] : [inner, outer])];
  const matrix = indices(lead)[group]!;
  return Array.from({ length: inner }, (_, k) =>
    at({ dims, data: weight }, [...matrix, ...(isOutputFirst ? [s, k] : [k, s])]),
  );
}
