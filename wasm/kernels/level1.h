/* The two vector loops on neighbouring elements that level 2 is also built from. */
#ifndef LEVEL1_H
#define LEVEL1_H

#include "precision.h"

/* Σ x_i · y_i. Four independent sums hide the latency of the additions. */
static inline T dot_unit(int n, const T *x, const T *y) {
  v128_t s0 = v_zero(), s1 = s0, s2 = s0, s3 = s0;
  int i = 0;
  for (; i + 4 * LANES <= n; i += 4 * LANES) {
    s0 = v_madd(v_load(x + i), v_load(y + i), s0);
    s1 = v_madd(v_load(x + i + LANES), v_load(y + i + LANES), s1);
    s2 = v_madd(v_load(x + i + 2 * LANES), v_load(y + i + 2 * LANES), s2);
    s3 = v_madd(v_load(x + i + 3 * LANES), v_load(y + i + 3 * LANES), s3);
  }
  T sum = v_sum(v_add(v_add(s0, s1), v_add(s2, s3)));
  for (; i < n; i++) sum += x[i] * y[i];
  return sum;
}

/* y += alpha · x. */
static inline void axpy_unit(int n, T alpha, const T *restrict x, T *restrict y) {
  v128_t factor = v_splat(alpha);
  int i = 0;
  for (; i + 2 * LANES <= n; i += 2 * LANES) {
    v_store(y + i, v_madd(v_load(x + i), factor, v_load(y + i)));
    v_store(y + i + LANES, v_madd(v_load(x + i + LANES), factor, v_load(y + i + LANES)));
  }
  for (; i < n; i++) y[i] += alpha * x[i];
}

#endif
