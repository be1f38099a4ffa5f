/** All singular values of one unfolding of a layer's weight. */
export interface LayerSpectrum {
  readonly file: string;
  readonly layer: string;
  /** As the node sees it. */
  readonly weightShape: readonly number[];
  /** Axes of the weight that are rows; null for the unfolding of the output channels, or the matrix as it is. */
  readonly mode: readonly number[] | null;
  /** Groups of a convolution, or matrices of a batch, whose squared singular values are added. */
  readonly matrices: number;
  /** Size of each matrix. */
  readonly rows: number;
  readonly cols: number;
  /** Descending; min(rows, cols) values. */
  readonly sigma: readonly number[];
  /** error[r]: ‖W − Ŵ‖ / ‖W‖ of the best approximation of rank r; one entry more than there are values. */
  readonly error: readonly number[];
  /** Values below are rounding noise of the weight and of the way they were computed. */
  readonly noise: number;
}
