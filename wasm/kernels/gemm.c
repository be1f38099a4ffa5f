/*
 * The matrix product, after Goto and van de Geijn, "Anatomy of High-Performance Matrix
 * Multiplication" (ACM TOMS 34(3), 2008): B is packed in panels for the outer caches, A in blocks
 * for the second-level cache, and a micro-kernel keeps a small tile of C in registers throughout.
 */
#include <stddef.h>
#include "pack.h"
#include "product.h"

/* The register tile: 2 vectors of rows × 6 columns = 12 accumulators, which leaves 4 of the 16 registers for operands. */
#define TILE_VECTORS 2
#define TILE_ROWS (TILE_VECTORS * LANES)
#define TILE_COLS 6

/* Blocks: an A block is 240 KiB in either precision, a B panel 3 MiB. Rows and columns are multiples of the tile's. */
#define BLOCK_DEPTH 256
#ifdef DOUBLE
#define BLOCK_ROWS 120
#define BLOCK_COLS 1536
#else
#define BLOCK_ROWS 240
#define BLOCK_COLS 3072
#endif

/* Static, so that no product can run out of memory half-way through a factorisation. */
static _Alignas(64) T packed_a[BLOCK_ROWS * BLOCK_DEPTH];
static _Alignas(64) T packed_b[BLOCK_DEPTH * BLOCK_COLS];

DEFINE_PACK(pack_rows, T, TILE_ROWS)
DEFINE_PACK(pack_cols, T, TILE_COLS)
#ifdef DOUBLE
DEFINE_PACK(pack_rows_single, float, TILE_ROWS)
DEFINE_PACK(pack_cols_single, float, TILE_COLS)
#endif

/* A matrix may be larger than 2 GiB: what an int counts is elements, bytes it could not. */
static const char *element_at(Operand a, int row, int col) {
  size_t size = a.is_single ? sizeof(float) : sizeof(double);
  return (const char *)a.data + (row * a.row_stride + col * a.col_stride) * size;
}

/* Rows of A, from `col` on, into the packed block at depth `done` of `total`. */
static void pack_a(Operand a, int row, int rows, int col, int depth, int done, int total) {
  const void *source = element_at(a, row, col);
  T *slivers = packed_a + done * TILE_ROWS;
#ifdef DOUBLE
  if (a.is_single) {
    pack_rows_single(rows, depth, source, a.row_stride, a.col_stride, slivers, total * TILE_ROWS);
    return;
  }
#endif
  pack_rows(rows, depth, source, a.row_stride, a.col_stride, slivers, total * TILE_ROWS);
}

/* The same for B, whose slivers run along its columns: they take the place of the rows. */
static void pack_b(Operand b, int row, int depth, int col, int cols, int done, int total) {
  const void *source = element_at(b, row, col);
  T *slivers = packed_b + done * TILE_COLS;
#ifdef DOUBLE
  if (b.is_single) {
    pack_cols_single(cols, depth, source, b.col_stride, b.row_stride, slivers, total * TILE_COLS);
    return;
  }
#endif
  pack_cols(cols, depth, source, b.col_stride, b.row_stride, slivers, total * TILE_COLS);
}

/* C := alpha · A · B (+ C unless `overwrite`) for one tile: the loop that the time is spent in. */
static __attribute__((noinline)) void tile_product(int depth, const T *restrict a, const T *restrict b, T alpha,
                                                   int overwrite, T *restrict c, int ldc) {
  v128_t sum[TILE_COLS][TILE_VECTORS];
#pragma unroll
  for (int j = 0; j < TILE_COLS; j++) {
#pragma unroll
    for (int i = 0; i < TILE_VECTORS; i++) sum[j][i] = v_zero();
  }
#pragma unroll 4
  for (int q = 0; q < depth; q++) {
    v128_t rows[TILE_VECTORS];
#pragma unroll
    for (int i = 0; i < TILE_VECTORS; i++) rows[i] = v_load(a + i * LANES);
#pragma unroll
    for (int j = 0; j < TILE_COLS; j++) {
      v128_t col = v_load_splat(b + j);
#pragma unroll
      for (int i = 0; i < TILE_VECTORS; i++) sum[j][i] = v_madd(rows[i], col, sum[j][i]);
    }
    a += TILE_ROWS;
    b += TILE_COLS;
  }
  v128_t factor = v_splat(alpha);
#pragma unroll
  for (int j = 0; j < TILE_COLS; j++) {
#pragma unroll
    for (int i = 0; i < TILE_VECTORS; i++) {
      T *target = c + j * ldc + i * LANES;
      v128_t value = v_mul(sum[j][i], factor);
      v_store(target, overwrite ? value : v_add(value, v_load(target)));
    }
  }
}

static int outside(Part part, int i, int j) {
  return (part == LOWER && i < j) || (part == UPPER && i > j);
}

/* A tile that the matrix's edge or the diagonal cuts: computed whole, then only its wanted elements are stored. */
static void edge_tile(int depth, const T *a, const T *b, T alpha, int overwrite, T *c, int ldc, int row, int rows,
                      int col, int cols, Part part) {
  T tile[TILE_COLS * TILE_ROWS];
  tile_product(depth, a, b, alpha, 1, tile, TILE_ROWS);
  for (int j = 0; j < cols; j++)
    for (int i = 0; i < rows; i++) {
      if (outside(part, row + i, col + j)) continue;
      T *target = c + i + j * ldc, value = tile[i + j * TILE_ROWS];
      *target = overwrite ? value : *target + value;
    }
}

/* The packed block times the packed panel, tile by tile. `row`, `col`: where the block's first element is in C. */
static void block_product(int row, int rows, int col, int cols, int depth, T alpha, int overwrite, T *c, int ldc,
                          Part part) {
  for (int j = 0; j < cols; j += TILE_COLS) {
    int tile_cols = cols - j < TILE_COLS ? cols - j : TILE_COLS;
    for (int i = 0; i < rows; i += TILE_ROWS) {
      int tile_rows = rows - i < TILE_ROWS ? rows - i : TILE_ROWS;
      int top = row + i, bottom = top + tile_rows - 1, left = col + j, right = left + tile_cols - 1;
      /* The corner nearest to the wanted triangle is outside it: so is the whole tile. */
      if (part == LOWER ? outside(part, bottom, left) : outside(part, top, right)) continue;
      int cut = part == LOWER ? outside(part, top, right) : outside(part, bottom, left);
      const T *a = packed_a + i * depth, *b = packed_b + j * depth;
      T *target = c + top + left * ldc;
      if (cut || tile_rows < TILE_ROWS || tile_cols < TILE_COLS)
        edge_tile(depth, a, b, alpha, overwrite, target, ldc, top, tile_rows, left, tile_cols, part);
      else
        tile_product(depth, a, b, alpha, overwrite, target, ldc);
    }
  }
}

/* C := beta · C. Zero overwrites, as BLAS asks: C may hold NaN then. */
static void scale(int m, int n, T beta, T *c, int ldc, Part part) {
  for (int j = 0; j < n; j++) {
    int first = part == LOWER ? j : 0, end = part == UPPER && j + 1 < m ? j + 1 : m;
    for (int i = first; i < end; i++) c[i + j * ldc] = beta == 0 ? 0 : beta * c[i + j * ldc];
  }
}

void NAME(_products)(int count, int m, int n, int k, T alpha, const Operand *a, const Operand *b, T beta, T *c, int ldc,
                     Part part) {
  if (m <= 0 || n <= 0) return;
  int nothing = k <= 0 || alpha == 0;
  /* With beta = 0 the first block overwrites C, which saves a pass over it. */
  if (beta != 1 && (beta != 0 || nothing)) scale(m, n, beta, c, ldc, part);
  if (nothing) return;
  for (int col = 0; col < n; col += BLOCK_COLS) {
    int cols = n - col < BLOCK_COLS ? n - col : BLOCK_COLS;
    for (int q = 0; q < k; q += BLOCK_DEPTH / count) {
      int depth = k - q < BLOCK_DEPTH / count ? k - q : BLOCK_DEPTH / count, total = count * depth;
      int overwrite = beta == 0 && q == 0;
      for (int p = 0; p < count; p++) pack_b(b[p], q, depth, col, cols, p * depth, total);
      for (int row = 0; row < m; row += BLOCK_ROWS) {
        int rows = m - row < BLOCK_ROWS ? m - row : BLOCK_ROWS;
        if (part == LOWER && row + rows - 1 < col) continue;
        if (part == UPPER && row > col + cols - 1) continue;
        for (int p = 0; p < count; p++) pack_a(a[p], row, rows, q, depth, p * depth, total);
        block_product(row, rows, col, cols, total, alpha, overwrite, c, ldc, part);
      }
    }
  }
}

int FORTRAN(gemm)(char *transa, char *transb, integer *m, integer *n, integer *k, T *alpha, T *a, integer *lda, T *b,
                  integer *ldb, T *beta, T *c, integer *ldc, ftnlen transa_len, ftnlen transb_len) {
  NAME(_product)(*m, *n, *k, *alpha, operand(transa, a, *lda), operand(transb, b, *ldb), *beta, c, *ldc, FULL);
  return 0;
}
