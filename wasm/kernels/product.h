/* The one matrix product that all of level 3 stands on (gemm.c). */
#ifndef PRODUCT_H
#define PRODUCT_H

#include "precision.h"

/*
 * A matrix to be read through strides: element (i, j) is data[i * row_stride + j * col_stride].
 * A transpose is the same data with the strides swapped, so no kernel knows of TRANS options.
 */
typedef struct {
  const void *data;
  int row_stride, col_stride;
  /* The elements are float, whatever T is: read and widened while packing. */
  int is_single;
} Operand;

/* Which elements of C are written: all, those with i >= j, or those with i <= j. */
typedef enum { FULL, LOWER, UPPER } Part;

/* A column-major matrix with leading dimension `ld`, as it is ('N') or transposed ('T', 'C'). */
static inline Operand operand(const char *trans, const T *data, int ld) {
  int plain = is_letter(trans, 'N');
  return (Operand){data, plain ? 1 : ld, plain ? ld : 1, sizeof(T) == sizeof(float)};
}

static inline Operand transposed(Operand a) {
  return (Operand){a.data, a.col_stride, a.row_stride, a.is_single};
}

/*
 * C := alpha · Σ_p A_p · B_p + beta · C over `count` ≤ 2 pairs with A_p m × k, B_p k × n and C m × n,
 * column-major; only `part` of C is touched. A pair's two products are one of twice the depth: C is read and
 * written once, which is what short products cost.
 */
void NAME(_products)(int count, int m, int n, int k, T alpha, const Operand *a, const Operand *b, T beta, T *c, int ldc,
                     Part part);

/* C := alpha · A · B + beta · C. */
static inline void NAME(_product)(int m, int n, int k, T alpha, Operand a, Operand b, T beta, T *c, int ldc,
                                  Part part) {
  NAME(_products)(1, m, n, k, alpha, &a, &b, beta, c, ldc, part);
}

#endif
