/*
 * y := alpha · A · x + beta · y with A symmetric, of which one triangle is stored. The reduction of a
 * symmetric matrix to tridiagonal form spends half its time here, reading A from memory: so A is
 * read once, each element serving its row and its column, four columns at a time.
 */
#include "precision.h"

#define WIDTH 4

/* Rows first … end of WIDTH columns: y += Σ_c a_c · factors[c] and sums[c] = a_cᵀ · x. */
static void columns(int first, int end, const T *restrict a, int lda, const T *factors, const T *restrict x,
                    T *restrict y, T *sums) {
  const T *a0 = a, *a1 = a0 + lda, *a2 = a1 + lda, *a3 = a2 + lda;
  T x0 = factors[0], x1 = factors[1], x2 = factors[2], x3 = factors[3];
  v128_t f0 = v_splat(x0), f1 = v_splat(x1), f2 = v_splat(x2), f3 = v_splat(x3);
  v128_t s0 = v_zero(), s1 = s0, s2 = s0, s3 = s0;
  int i = first;
  for (; i + LANES <= end; i += LANES) {
    v128_t xi = v_load(x + i), yi = v_load(y + i);
    v128_t p0 = v_load(a0 + i), p1 = v_load(a1 + i), p2 = v_load(a2 + i), p3 = v_load(a3 + i);
    yi = v_madd(p0, f0, yi);
    s0 = v_madd(p0, xi, s0);
    yi = v_madd(p1, f1, yi);
    s1 = v_madd(p1, xi, s1);
    yi = v_madd(p2, f2, yi);
    s2 = v_madd(p2, xi, s2);
    yi = v_madd(p3, f3, yi);
    s3 = v_madd(p3, xi, s3);
    v_store(y + i, yi);
  }
  T r0 = v_sum(s0), r1 = v_sum(s1), r2 = v_sum(s2), r3 = v_sum(s3);
  for (; i < end; i++) {
    y[i] += a0[i] * x0 + a1[i] * x1 + a2[i] * x2 + a3[i] * x3;
    r0 += a0[i] * x[i];
    r1 += a1[i] * x[i];
    r2 += a2[i] * x[i];
    r3 += a3[i] * x[i];
  }
  sums[0] = r0;
  sums[1] = r1;
  sums[2] = r2;
  sums[3] = r3;
}

/* The rest: `count` columns from `first` on, element by element, each used for both triangles. */
static void by_elements(int n, int lower, int first, int count, T alpha, const T *a, int lda, const T *x, int incx,
                        T *y, int incy) {
  for (int j = first; j < first + count; j++) {
    T factor = alpha * x[j * incx], sum = 0;
    for (int i = lower ? j + 1 : 0; i < (lower ? n : j); i++) {
      y[i * incy] += factor * a[i + j * lda];
      sum += a[i + j * lda] * x[i * incx];
    }
    y[j * incy] += factor * a[j + j * lda] + alpha * sum;
  }
}

/* The triangle on the diagonal of WIDTH columns that start at `first`: as a symmetric matrix of its own. */
static void diagonal_block(int first, int lower, T alpha, const T *a, int lda, const T *x, T *y) {
  by_elements(WIDTH, lower, 0, WIDTH, alpha, a + first + first * lda, lda, x + first, 1, y + first, 1);
}

int FORTRAN(symv)(char *uplo, integer *order, T *alpha, T *a, integer *ld, T *x, integer *incx, T *beta, T *y,
                  integer *incy, ftnlen uplo_len) {
  int n = *order, lda = *ld, lower = is_letter(uplo, 'L');
  if (n <= 0) return 0;
  x += first_index(n, *incx);
  y += first_index(n, *incy);
  if (*beta != 1)
    for (int i = 0, iy = 0; i < n; i++, iy += *incy) y[iy] = *beta == 0 ? 0 : *beta * y[iy];
  if (*alpha == 0) return 0;
  int done = 0;
  if (*incx == 1 && *incy == 1)
    for (; done + WIDTH <= n; done += WIDTH) {
      T factors[WIDTH], sums[WIDTH];
      for (int c = 0; c < WIDTH; c++) factors[c] = *alpha * x[done + c];
      columns(lower ? done + WIDTH : 0, lower ? n : done, a + done * lda, lda, factors, x, y, sums);
      for (int c = 0; c < WIDTH; c++) y[done + c] += *alpha * sums[c];
      diagonal_block(done, lower, *alpha, a, lda, x, y);
    }
  by_elements(n, lower, done, n - done, *alpha, a, lda, x, *incx, y, *incy);
  return 0;
}
