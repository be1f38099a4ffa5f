/*
 * trsm and trmm by recursive halving: split the triangle into two half-size triangles and a square,
 * which is a matrix product. All sixteen cases of SIDE, UPLO, TRANS and DIAG come down to "a
 * triangle on the left, through strides": op(A) is A with its strides swapped, and X · op(A) = B is
 * op(A)ᵀ · Xᵀ = Bᵀ.
 */
#include "product.h"

/* Triangles of this order or less are done directly, on tiles of B that fit the first-level cache. */
#define LEAF 32
#define LEAF_COLS 64

typedef struct {
  Operand a;
  /* The triangle of op(A) that counts, and whether its diagonal is taken as ones. */
  int lower, unit;
  /* Solve op(A) · X = B, or multiply op(A) · B. */
  int solve;
} Triangle;

/* The right-hand sides: element (i, j) is data[i * row_stride + j * col_stride]; one of the strides is 1. */
typedef struct {
  T *data;
  int row_stride, col_stride;
} Target;

static T *target_at(Target b, int row) {
  return b.data + row * b.row_stride;
}

static const T *triangle_at(Operand a, int row, int col) {
  return (const T *)a.data + row * a.row_stride + col * a.col_stride;
}

/* One row of the tile: x_row += sign · Σ coefficients[p] · x_p over the rows p from `first` up to `end`. */
static void combine_rows(T (*x)[LEAF_COLS], const T *coefficients, int row, int first, int end, T sign) {
  for (int p = first; p < end; p++) {
    T factor = sign * coefficients[p];
    for (int c = 0; c < LEAF_COLS; c++) x[row][c] += factor * x[p][c];
  }
}

/* Substitution (or its reverse, the product) on one tile. The order of rows is the one in which no row is needed after it changed. */
static void leaf_tile(const Triangle *t, int order, const T (*l)[LEAF], T (*x)[LEAF_COLS]) {
  int upwards = t->solve != t->lower;
  for (int step = 0; step < order; step++) {
    int row = upwards ? order - 1 - step : step;
    int first = t->lower ? 0 : row + 1, end = t->lower ? row : order;
    if (t->solve) combine_rows(x, l[row], row, first, end, -1);
    if (!t->unit)
      for (int c = 0; c < LEAF_COLS; c++) x[row][c] = t->solve ? x[row][c] / l[row][row] : x[row][c] * l[row][row];
    if (!t->solve) combine_rows(x, l[row], row, first, end, 1);
  }
}

static void leaf(const Triangle *t, int order, int cols, T alpha, Target b) {
  static T l[LEAF][LEAF], x[LEAF][LEAF_COLS];
  /* Only the named triangle may be read: the rest of the array belongs to someone else. */
  for (int i = 0; i < order; i++)
    for (int j = t->lower ? 0 : i; j < (t->lower ? i + 1 : order); j++)
      l[i][j] = i == j && t->unit ? 1 : *triangle_at(t->a, i, j);
  for (int first = 0; first < cols; first += LEAF_COLS) {
    int count = cols - first < LEAF_COLS ? cols - first : LEAF_COLS;
    T *tile = b.data + first * b.col_stride;
    for (int i = 0; i < order; i++)
      for (int c = 0; c < LEAF_COLS; c++)
        x[i][c] = c < count ? alpha * tile[i * b.row_stride + c * b.col_stride] : 0;
    leaf_tile(t, order, (const T(*)[LEAF])l, x);
    for (int i = 0; i < order; i++)
      for (int c = 0; c < count; c++) tile[i * b.row_stride + c * b.col_stride] = x[i][c];
  }
}

/* B_to := alpha · A · B_from + beta · B_to, whichever way B lies in memory. */
static void update(int rows, int cols, int depth, T alpha, Operand a, Target from, T beta, Target to) {
  Operand b = {from.data, from.row_stride, from.col_stride, a.is_single};
  if (to.row_stride == 1)
    NAME(_product)(rows, cols, depth, alpha, a, b, beta, to.data, to.col_stride, FULL);
  else
    NAME(_product)(cols, rows, depth, alpha, transposed(b), transposed(a), beta, to.data, to.row_stride, FULL);
}

/* B := alpha · op(A)⁻¹ · B or alpha · op(A) · B. */
static void halve(Triangle t, int order, int cols, T alpha, Target b) {
  if (order <= LEAF) {
    leaf(&t, order, cols, alpha, b);
    return;
  }
  int top = (order / 2 + LEAF - 1) / LEAF * LEAF, bottom = order - top;
  Triangle t11 = t, t22 = t;
  t22.a.data = triangle_at(t.a, top, top);
  Target b1 = b, b2 = b;
  b2.data = target_at(b, top);
  Operand square = t.a;
  square.data = t.lower ? triangle_at(t.a, top, 0) : triangle_at(t.a, 0, top);
  /* Solving a lower triangle goes downwards, and so does multiplying by an upper one. */
  int downwards = t.solve == t.lower;
  Triangle t_first = downwards ? t11 : t22, t_second = downwards ? t22 : t11;
  Target first = downwards ? b1 : b2, second = downwards ? b2 : b1;
  int n_first = downwards ? top : bottom, n_second = downwards ? bottom : top;
  halve(t_first, n_first, cols, alpha, first);
  if (t.solve) {
    update(n_second, cols, n_first, -1, square, first, alpha, second);
    halve(t_second, n_second, cols, 1, second);
  } else {
    update(n_first, cols, n_second, alpha, square, second, 1, first);
    halve(t_second, n_second, cols, alpha, second);
  }
}

static int run(int solve, char *side, char *uplo, char *trans, char *diag, int m, int n, T alpha, T *a, int lda, T *b,
               int ldb) {
  if (m <= 0 || n <= 0) return 0;
  if (alpha == 0) {
    for (int j = 0; j < n; j++)
      for (int i = 0; i < m; i++) b[i + j * ldb] = 0;
    return 0;
  }
  int left = is_letter(side, 'L'), plain = is_letter(trans, 'N'), lower = is_letter(uplo, 'L');
  Operand op = operand(trans, a, lda);
  Triangle t = {left ? op : transposed(op), left == plain ? lower : !lower, is_letter(diag, 'U'), solve};
  Target target = {b, left ? 1 : ldb, left ? ldb : 1};
  halve(t, left ? m : n, left ? n : m, alpha, target);
  return 0;
}

int FORTRAN(trsm)(char *side, char *uplo, char *transa, char *diag, integer *m, integer *n, T *alpha, T *a,
                  integer *lda, T *b, integer *ldb, ftnlen side_len, ftnlen uplo_len, ftnlen transa_len,
                  ftnlen diag_len) {
  return run(1, side, uplo, transa, diag, *m, *n, *alpha, a, *lda, b, *ldb);
}

int FORTRAN(trmm)(char *side, char *uplo, char *transa, char *diag, integer *m, integer *n, T *alpha, T *a,
                  integer *lda, T *b, integer *ldb, ftnlen side_len, ftnlen uplo_len, ftnlen transa_len,
                  ftnlen diag_len) {
  return run(0, side, uplo, transa, diag, *m, *n, *alpha, a, *lda, b, *ldb);
}
