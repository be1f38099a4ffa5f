/*
 * Packing: a block of an operand is copied once into slivers, so that the micro-kernel reads both
 * operands front to back whatever their strides were. A sliver holds WIDTH rows; its element (r, q)
 * is at q * WIDTH + r; rows beyond the matrix are zero, so the micro-kernel has no edge cases.
 *
 * DEFINE_PACK(name, Source, WIDTH) packs `rows × depth` elements at source[r * row_stride + q * col_stride]
 * into slivers that start `sliver` elements apart.
 */
#define DEFINE_PACK(NAME_, SOURCE, WIDTH)                                                             \
  static void NAME_(int rows, int depth, const SOURCE *restrict source, int row_stride,               \
                    int col_stride, T *restrict slivers, int sliver) {                                \
    for (int first = 0; first < rows; first += WIDTH, source += WIDTH * row_stride, slivers += sliver) { \
      int count = rows - first < WIDTH ? rows - first : WIDTH;                                        \
      T *restrict packed = slivers;                                                                   \
      if (count < WIDTH) {                                                                            \
        for (int q = 0; q < depth; q++, packed += WIDTH) {                                            \
          for (int r = 0; r < count; r++) packed[r] = source[r * row_stride + q * col_stride];        \
          for (int r = count; r < WIDTH; r++) packed[r] = 0;                                          \
        }                                                                                             \
      } else if (row_stride == 1) { /* a sliver's rows are neighbours: plain copies */                \
        for (int q = 0; q < depth; q++, packed += WIDTH)                                              \
          for (int r = 0; r < WIDTH; r++) packed[r] = source[r + q * col_stride];                     \
      } else { /* four steps of depth at a time, so that a cache line fetched for a row is used */    \
        int q = 0;                                                                                    \
        for (; q + 4 <= depth; q += 4, packed += 4 * WIDTH)                                           \
          for (int r = 0; r < WIDTH; r++) {                                                           \
            const SOURCE *row = source + r * row_stride + q * col_stride;                             \
            for (int s = 0; s < 4; s++) packed[s * WIDTH + r] = row[s * col_stride];                  \
          }                                                                                           \
        for (; q < depth; q++, packed += WIDTH)                                                       \
          for (int r = 0; r < WIDTH; r++) packed[r] = source[r * row_stride + q * col_stride];        \
      }                                                                                               \
    }                                                                                                 \
  }
