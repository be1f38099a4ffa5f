/* Symmetric products: one triangle of alpha · A · Aᵀ, of alpha · (A · Bᵀ + B · Aᵀ), and the Gram matrix of float data in double. */
#include "product.h"

static Part triangle(const char *uplo) {
  return is_letter(uplo, 'L') ? LOWER : UPPER;
}

int FORTRAN(syrk)(char *uplo, char *trans, integer *n, integer *k, T *alpha, T *a, integer *lda, T *beta, T *c,
                  integer *ldc, ftnlen uplo_len, ftnlen trans_len) {
  Operand op = operand(trans, a, *lda);
  NAME(_product)(*n, *n, *k, *alpha, op, transposed(op), *beta, c, *ldc, triangle(uplo));
  return 0;
}

int FORTRAN(syr2k)(char *uplo, char *trans, integer *n, integer *k, T *alpha, T *a, integer *lda, T *b, integer *ldb,
                   T *beta, T *c, integer *ldc, ftnlen uplo_len, ftnlen trans_len) {
  Operand op_a = operand(trans, a, *lda), op_b = operand(trans, b, *ldb);
  Operand left[] = {op_a, op_b}, right[] = {transposed(op_b), transposed(op_a)};
  NAME(_products)(2, *n, *n, *k, *alpha, left, right, *beta, c, *ldc, triangle(uplo));
  return 0;
}

#ifdef DOUBLE
/*
 * The lower triangle of G := A · Aᵀ + beta · G, m × m and column-major, from float data: products and sums in
 * double, without a double copy of A. Element (i, q) of A, m × k, is a[i * row_stride + q * col_stride].
 */
EXPORT("gram_f32")
void gram_f32(int m, int k, const float *a, int row_stride, int col_stride, double beta, double *g, int ldg) {
  Operand op = {a, row_stride, col_stride, 1};
  d_product(m, m, k, 1, op, transposed(op), beta, g, ldg, LOWER);
}
#endif
