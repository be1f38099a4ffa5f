import type { ByteSource } from '../../core/onnx/byteSource';
import { elementCount } from '../../core/onnx/elements';
import type { ElementType } from '../../core/onnx/model';
import { decodeElements, elementSize } from './decodeElements';
import { LARGEST_WINDOW, windowReader } from './windowReader';

/** Elements; below this the call costs more than the reading. */
const SHORT_RUN = 64;
const MOST_TOGETHER = 16 * 1024;

/** A dense array of numbers whose elements are read when somebody asks ({@link readEntries}). */
export interface StoredArray {
  /** For messages: the file, and the place in it where it holds several arrays ("set.npz, x"). */
  readonly label: string;
  readonly shape: readonly number[];
  /** Of the elements as they are stored; has an `elementSize`. */
  readonly type: ElementType;
  readonly content:
    | {
        readonly kind: 'file';
        readonly source: ByteSource;
        /** Of the first element. The whole array is known to lie inside the file. */
        readonly offset: number;
        readonly little: boolean;
        /** The first axis runs fastest (Fortran order), else the last (C order). */
        readonly fortran: boolean;
      }
    /** Already decoded, in C order. */
    | { readonly kind: 'values'; readonly values: ArrayLike<number> };
}

/**
 * Reads the entries with these indices (rising, none twice) along an axis. `out` takes them one after the other,
 * each in C order of the remaining axes. Memory beyond `out`: one window, and one entry for Fortran order.
 */
export function readEntries(
  { shape, type, content }: StoredArray,
  axis: number,
  indices: readonly number[],
  out: Float64Array,
): void {
  const length = shape[axis]!;
  const before = elementCount(shape.slice(0, axis));
  const after = elementCount(shape.slice(axis + 1));
  const entry = before * after;
  // In either order an entry is a run of neighbours in each of some blocks; in Fortran order the block is chosen
  // by the axes behind, and the run goes over those in front.
  const fortran = content.kind === 'file' && content.fortran;
  const [blocks, run] = fortran ? [after, before] : [before, after];
  const read = runReader({ type, content });
  // Short runs close together are cheaper read with what lies between them.
  const first = indices[0] ?? 0;
  const span = indices.length === 0 ? 0 : (indices.at(-1)! - first + 1) * run;
  const together = indices.length > 1 && run < SHORT_RUN && span <= MOST_TOGETHER;
  const row = new Float64Array(together ? span : 0);
  for (let block = 0; block < blocks; block++) {
    if (together) read((block * length + first) * run, span, row, 0);
    for (let k = 0; k < indices.length; k++) {
      const index = indices[k]!;
      const at = k * entry + block * run;
      if (!together) read((block * length + index) * run, run, out, at);
      else for (let i = 0; i < run; i++) out[at + i] = row[(index - first) * run + i]!;
    }
  }
  if (!fortran) return;
  const order = restOrder([...shape.slice(0, axis), ...shape.slice(axis + 1)]);
  const sorted = new Float64Array(entry);
  for (let k = 0; k < indices.length; k++) {
    const slice = out.subarray(k * entry, (k + 1) * entry);
    order((from, to) => {
      sorted[to] = slice[from]!;
    });
    slice.set(sorted);
  }
}

type ReadRun = (first: number, count: number, out: Float64Array, at: number) => void;

/** Reads neighbouring elements, `first` counted in the order they are stored in. */
function runReader({ type, content }: Pick<StoredArray, 'type' | 'content'>): ReadRun {
  if (content.kind === 'values') {
    const { values } = content;
    return (first, count, out, at) => {
      for (let i = 0; i < count; i++) out[at + i] = values[first + i]!;
    };
  }
  const { source, offset, little } = content;
  const size = elementSize(type)!;
  const window = windowReader(source);
  const most = LARGEST_WINDOW / size;
  return (first, count, out, at) => {
    for (let done = 0; done < count; done += most) {
      const part = Math.min(most, count - done);
      const bytes = window(offset + (first + done) * size, part * size);
      decodeElements(type, bytes, little, out, at + done);
    }
  };
}

/** Visits the elements of an array in Fortran order, telling where each stands in C order. */
function restOrder(
  shape: readonly number[],
): (visit: (fortranIndex: number, cIndex: number) => void) => void {
  const count = elementCount(shape);
  const strides = shape.map((_, axis) => elementCount(shape.slice(axis + 1)));
  return (visit) => {
    const place = shape.map(() => 0);
    let c = 0;
    for (let f = 0; f < count; f++) {
      visit(f, c);
      for (let axis = 0; axis < shape.length; axis++) {
        c += strides[axis]!;
        place[axis]!++;
        if (place[axis]! < shape[axis]!) break;
        c -= strides[axis]! * shape[axis]!;
        place[axis] = 0;
      }
    }
  };
}
