/* What LAPACK asks about the machine; its own versions are Fortran 90 or measure what IEEE 754 settles. */
#include "precision.h"

/* Machine parameters by letter, as the documentation of xLAMCH lists them. */
T FORTRAN(lamch)(char *which, ftnlen which_len) {
#ifdef DOUBLE
  const T epsilon = 0x1p-53, digits = 53, min_exponent = -1021, max_exponent = 1024;
  const T smallest = 0x1p-1022, largest = 0x1.fffffffffffffp1023;
#else
  const T epsilon = 0x1p-24f, digits = 24, min_exponent = -125, max_exponent = 128;
  const T smallest = 0x1p-126f, largest = 0x1.fffffep127f;
#endif
  if (is_letter(which, 'E')) return epsilon;
  if (is_letter(which, 'S')) return smallest; /* 1 / smallest does not overflow */
  if (is_letter(which, 'B')) return 2;
  if (is_letter(which, 'P')) return epsilon * 2;
  if (is_letter(which, 'N')) return digits;
  if (is_letter(which, 'R')) return 1;
  if (is_letter(which, 'M')) return min_exponent;
  if (is_letter(which, 'U')) return smallest;
  if (is_letter(which, 'L')) return max_exponent;
  if (is_letter(which, 'O')) return largest;
  return 0;
}

/* A workspace size as a real number that is never below it: a float has 24 bits only. */
T FORTRAN(roundup_lwork_)(integer *lwork) {
  T rounded = (T)*lwork;
  if ((double)rounded < (double)*lwork) rounded *= 1 + 2 * (sizeof(T) == sizeof(double) ? 0x1p-53 : 0x1p-24);
  return rounded;
}

logical FORTRAN(isnan)(T *x) {
  return *x != *x;
}

/* a + b, rounded to T: LAPACK calls it where a wider register would spoil a guard digit. WebAssembly has none. */
T FORTRAN(lamc3)(T *a, T *b) {
  return *a + *b;
}
