import type { Layer } from '../../core/compress/layer';
import type { Matrix } from '../../core/tensor/matrix';

/** Takes what is collected, block by block: moments are summed up there. */
export interface ActivationSink {
  /**
   * Bytes that are kept for a layer from block to block while its pass lasts; not what adding one takes on top, which is
   * needed for one layer at a time. Without it none are counted.
   */
  keptBytes?(layer: Layer): number;
  /**
   * Columns of one group of a layer: p (d × n) and y (S × n) with y = W · p + b, W being the group's weight as S × d,
   * a folded normalisation included. They are valid until it returns, or what it returns is settled.
   */
  add(layer: Layer, group: number, p: Matrix<Float32Array>, y: Matrix<Float32Array>): void | Promise<void>;
  /** The layer has had all its columns. */
  finish?(layer: Layer): void | Promise<void>;
}
