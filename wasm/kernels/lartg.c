/*
 * The plane rotation that maps (f, g) to (r, 0): c · f + s · g = r with c ≥ 0. After Anderson,
 * "Algorithm 978: Safe Scaling in the Level 1 BLAS" (ACM TOMS 44(1), 2017), as LAPACK has it since 3.10
 * (there in Fortran 90).
 */
#include "precision.h"

#ifdef DOUBLE
#define magnitude(x) __builtin_fabs(x)
#define root(x) __builtin_sqrt(x)
#define with_sign(x, y) __builtin_copysign(x, y)
#define SAFE_MIN 0x1p-1022
#define SAFE_MAX 0x1p1022
/* The square root of SAFE_MIN, and that of SAFE_MAX / 2. */
#define ROOT_MIN 0x1p-511
#define ROOT_MAX 0x1.6a09e667f3bccp510
#else
#define magnitude(x) __builtin_fabsf(x)
#define root(x) __builtin_sqrtf(x)
#define with_sign(x, y) __builtin_copysignf(x, y)
#define SAFE_MIN 0x1p-126f
#define SAFE_MAX 0x1p126f
#define ROOT_MIN 0x1p-63f
#define ROOT_MAX 0x1.6a09e6p62f
#endif

static int in_range(T x) {
  return x > ROOT_MIN && x < ROOT_MAX;
}

int FORTRAN(lartg)(T *f, T *g, T *c, T *s, T *r) {
  T f1 = magnitude(*f), g1 = magnitude(*g);
  if (*g == 0) {
    *c = 1;
    *s = 0;
    *r = *f;
  } else if (*f == 0) {
    *c = 0;
    *s = with_sign((T)1, *g);
    *r = g1;
  } else if (in_range(f1) && in_range(g1)) {
    T length = root(*f * *f + *g * *g);
    *c = f1 / length;
    *r = with_sign(length, *f);
    *s = *g / *r;
  } else {
    T unit = f1 > g1 ? f1 : g1;
    if (unit < SAFE_MIN) unit = SAFE_MIN;
    if (unit > SAFE_MAX) unit = SAFE_MAX;
    T fs = *f / unit, gs = *g / unit, length = root(fs * fs + gs * gs);
    T scaled = with_sign(length, *f);
    *c = magnitude(fs) / length;
    *s = gs / scaled;
    *r = scaled * unit;
  }
  return 0;
}
