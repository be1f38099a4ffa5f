/** A picture: rows from the top, pixels from the left, channels together. */
export interface Image {
  readonly width: number;
  readonly height: number;
  /** 1 grey, 2 grey and alpha, 3 RGB, 4 RGBA. */
  readonly channels: number;
  /** From 0 to `white`. */
  readonly data: ArrayLike<number>;
  /** 255 for 8 bits, 65535 for 16. */
  readonly white: number;
}

/** Size and kind of a picture, as its file claims. */
export interface ImageHeader {
  readonly format: 'PNG' | 'JPEG';
  readonly width: number;
  readonly height: number;
}
