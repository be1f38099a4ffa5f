/* The run-time support that f2c's translations call: Fortran's CHARACTER operations and intrinsics. Written from f2c's manual. */
#include <math.h>
#include <string.h>
#include "f2c.h"

/* Fortran compares as if the shorter string were filled with blanks. */
integer s_cmp(char *a, char *b, ftnlen a_len, ftnlen b_len) {
  int length = a_len > b_len ? a_len : b_len;
  for (int i = 0; i < length; i++) {
    int x = i < a_len ? (unsigned char)a[i] : ' ', y = i < b_len ? (unsigned char)b[i] : ' ';
    if (x != y) return x - y;
  }
  return 0;
}

int s_copy(char *to, char *from, ftnlen to_len, ftnlen from_len) {
  int length = to_len < from_len ? to_len : from_len;
  memmove(to, from, length);
  memset(to + length, ' ', to_len - length);
  return 0;
}

/* Concatenation of *count strings. */
int s_cat(char *to, char **parts, ftnint *lengths, ftnint *count, ftnlen to_len) {
  int filled = 0;
  for (int i = 0; i < *count; i++)
    for (int j = 0; j < lengths[i] && filled < to_len; j++) to[filled++] = parts[i][j];
  memset(to + filled, ' ', to_len - filled);
  return 0;
}

integer i_len(char *s, ftnlen length) { return length; }

integer i_nint(real *x) { return (integer)(*x >= 0 ? floorf(*x + .5f) : -floorf(.5f - *x)); }
integer i_dnnt(doublereal *x) { return (integer)(*x >= 0 ? floor(*x + .5) : -floor(.5 - *x)); }

/* SIGN(a, b): |a| with b's sign; a negative zero counts as positive, as in FORTRAN 77. */
double r_sign(real *a, real *b) { return *b >= 0 ? fabsf(*a) : -fabsf(*a); }
double d_sign(doublereal *a, doublereal *b) { return *b >= 0 ? fabs(*a) : -fabs(*a); }

double r_lg10(real *x) { return log10(*x); }
double d_lg10(doublereal *x) { return log10(*x); }

double pow_dd(doublereal *base, doublereal *exponent) { return pow(*base, *exponent); }

double pow_di(doublereal *base, integer *exponent) {
  double factor = *exponent < 0 ? 1 / *base : *base, result = 1;
  for (unsigned bits = *exponent < 0 ? -(unsigned)*exponent : *exponent; bits; bits >>= 1, factor *= factor)
    if (bits & 1) result *= factor;
  return result;
}

double pow_ri(real *base, integer *exponent) {
  doublereal wide = *base;
  return pow_di(&wide, exponent);
}

/* Integer powers: a negative exponent leaves 0 but for the bases ±1. LAPACK never asks for 0 to a negative power. */
integer pow_ii(integer *base, integer *exponent) {
  if (*exponent < 0) return *base == 1 ? 1 : *base == -1 ? (*exponent & 1 ? -1 : 1) : 0;
  unsigned result = 1, factor = *base;
  for (unsigned bits = *exponent; bits; bits >>= 1, factor *= factor)
    if (bits & 1) result *= factor;
  return (integer)result;
}
