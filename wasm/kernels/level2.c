/*
 * Level 2: gemv and ger. Four columns of A at a time, so that y (or x) is read and written once for
 * the four. Vectors with gaps go through a short buffer, a stretch of A's rows at a time.
 */
#include "level1.h"

#define STRETCH 1024

static T buffer[STRETCH];

/* y += alpha · A · x with y's elements neighbours. */
static void add_columns(int m, int n, T alpha, const T *restrict a, int lda, const T *x, int incx, T *restrict y) {
  int j = 0;
  for (; j + 4 <= n; j += 4) {
    const T *a0 = a + j * lda, *a1 = a0 + lda, *a2 = a1 + lda, *a3 = a2 + lda;
    T x0 = alpha * x[j * incx], x1 = alpha * x[(j + 1) * incx];
    T x2 = alpha * x[(j + 2) * incx], x3 = alpha * x[(j + 3) * incx];
    v128_t f0 = v_splat(x0), f1 = v_splat(x1), f2 = v_splat(x2), f3 = v_splat(x3);
    int i = 0;
    for (; i + 2 * LANES <= m; i += 2 * LANES) {
      v128_t p = v_load(y + i), q = v_load(y + i + LANES);
      p = v_madd(v_load(a0 + i), f0, p);
      q = v_madd(v_load(a0 + i + LANES), f0, q);
      p = v_madd(v_load(a1 + i), f1, p);
      q = v_madd(v_load(a1 + i + LANES), f1, q);
      p = v_madd(v_load(a2 + i), f2, p);
      q = v_madd(v_load(a2 + i + LANES), f2, q);
      p = v_madd(v_load(a3 + i), f3, p);
      q = v_madd(v_load(a3 + i + LANES), f3, q);
      v_store(y + i, p);
      v_store(y + i + LANES, q);
    }
    for (; i < m; i++) y[i] += a0[i] * x0 + a1[i] * x1 + a2[i] * x2 + a3[i] * x3;
  }
  for (; j < n; j++) axpy_unit(m, alpha * x[j * incx], a + j * lda, y);
}

/* y += alpha · Aᵀ · x with x's elements neighbours. */
static void add_dots(int m, int n, T alpha, const T *restrict a, int lda, const T *restrict x, T *restrict y,
                     int incy) {
  int j = 0;
  for (; j + 4 <= n; j += 4) {
    const T *a0 = a + j * lda, *a1 = a0 + lda, *a2 = a1 + lda, *a3 = a2 + lda;
    v128_t s0 = v_zero(), s1 = s0, s2 = s0, s3 = s0, t0 = s0, t1 = s0, t2 = s0, t3 = s0;
    int i = 0;
    for (; i + 2 * LANES <= m; i += 2 * LANES) {
      v128_t p = v_load(x + i), q = v_load(x + i + LANES);
      s0 = v_madd(v_load(a0 + i), p, s0);
      t0 = v_madd(v_load(a0 + i + LANES), q, t0);
      s1 = v_madd(v_load(a1 + i), p, s1);
      t1 = v_madd(v_load(a1 + i + LANES), q, t1);
      s2 = v_madd(v_load(a2 + i), p, s2);
      t2 = v_madd(v_load(a2 + i + LANES), q, t2);
      s3 = v_madd(v_load(a3 + i), p, s3);
      t3 = v_madd(v_load(a3 + i + LANES), q, t3);
    }
    T r0 = v_sum(v_add(s0, t0)), r1 = v_sum(v_add(s1, t1)), r2 = v_sum(v_add(s2, t2)), r3 = v_sum(v_add(s3, t3));
    for (; i < m; i++) {
      r0 += a0[i] * x[i];
      r1 += a1[i] * x[i];
      r2 += a2[i] * x[i];
      r3 += a3[i] * x[i];
    }
    y[j * incy] += alpha * r0;
    y[(j + 1) * incy] += alpha * r1;
    y[(j + 2) * incy] += alpha * r2;
    y[(j + 3) * incy] += alpha * r3;
  }
  for (; j < n; j++) y[j * incy] += alpha * dot_unit(m, a + j * lda, x);
}

int FORTRAN(gemv)(char *trans, integer *rows, integer *cols, T *alpha, T *a, integer *lda, T *x, integer *incx, T *beta,
                  T *y, integer *incy, ftnlen trans_len) {
  int m = *rows, n = *cols, plain = is_letter(trans, 'N');
  if (m <= 0 || n <= 0) return 0;
  x += first_index(plain ? n : m, *incx);
  y += first_index(plain ? m : n, *incy);
  if (*beta != 1)
    for (int i = 0, iy = 0; i < (plain ? m : n); i++, iy += *incy) y[iy] = *beta == 0 ? 0 : *beta * y[iy];
  if (*alpha == 0) return 0;
  if (plain && *incy == 1) {
    add_columns(m, n, *alpha, a, *lda, x, *incx, y);
  } else if (!plain && *incx == 1) {
    add_dots(m, n, *alpha, a, *lda, x, y, *incy);
  } else {
    for (int row = 0; row < m; row += STRETCH) {
      int count = m - row < STRETCH ? m - row : STRETCH;
      if (plain) {
        for (int i = 0; i < count; i++) buffer[i] = 0;
        add_columns(count, n, *alpha, a + row, *lda, x, *incx, buffer);
        for (int i = 0; i < count; i++) y[(row + i) * *incy] += buffer[i];
      } else {
        for (int i = 0; i < count; i++) buffer[i] = x[(row + i) * *incx];
        add_dots(count, n, *alpha, a + row, *lda, buffer, y, *incy);
      }
    }
  }
  return 0;
}

/* A += alpha · x · yᵀ. */
int FORTRAN(ger)(integer *rows, integer *cols, T *alpha, T *x, integer *incx, T *y, integer *incy, T *a, integer *lda) {
  int m = *rows, n = *cols;
  if (m <= 0 || n <= 0 || *alpha == 0) return 0;
  x += first_index(m, *incx);
  y += first_index(n, *incy);
  if (*incx == 1) {
    for (int j = 0; j < n; j++) axpy_unit(m, *alpha * y[j * *incy], x, a + j * *lda);
    return 0;
  }
  for (int row = 0; row < m; row += STRETCH) {
    int count = m - row < STRETCH ? m - row : STRETCH;
    for (int i = 0; i < count; i++) buffer[i] = x[(row + i) * *incx];
    for (int j = 0; j < n; j++) axpy_unit(count, *alpha * y[j * *incy], buffer, a + row + j * *lda);
  }
  return 0;
}
