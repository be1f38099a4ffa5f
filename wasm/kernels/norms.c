/* Sums of squares that neither overflow nor underflow unless their result does. */
#include <math.h>
#include "precision.h"

#ifdef DOUBLE
#define magnitude(x) __builtin_fabs(x)
#else
#define magnitude(x) __builtin_fabsf(x)
#endif

static double sum_of_squares(int n, const T *x, int incx, double factor) {
  double s0 = 0, s1 = 0;
  int i = 0;
  for (; i + 2 <= n; i += 2) {
    double a = factor * x[i * incx], b = factor * x[(i + 1) * incx];
    s0 += a * a;
    s1 += b * b;
  }
  if (i < n) {
    double a = factor * x[i * incx];
    s0 += a * a;
  }
  return s0 + s1;
}

/*
 * ‖x‖₂. The plain sum is right whenever it is neither huge nor tiny (terms that underflow are then
 * below its rounding error). Otherwise all elements are on one side, and one power of two brings
 * every square that matters back into range: 2^-1074 · 2^600 and 2^1023 · 2^-600 both square well.
 * The squares of floats always fit a double, so single precision never comes to that.
 */
T FORTRAN(nrm2)(integer *n, T *x, integer *incx) {
  if (*n < 1) return 0;
  x += first_index(*n, *incx);
  double sum = sum_of_squares(*n, x, *incx, 1);
  if (sizeof(T) == sizeof(double) && sum < 1e-280) return (T)(__builtin_sqrt(sum_of_squares(*n, x, *incx, 0x1p600)) * 0x1p-600);
  if (sizeof(T) == sizeof(double) && sum > 1e300) return (T)(__builtin_sqrt(sum_of_squares(*n, x, *incx, 0x1p-600)) * 0x1p600);
  return (T)__builtin_sqrt(sum);
}

/*
 * Updates (scale, sumsq) so that scale² · sumsq grows by Σ x_i². `scale` follows the largest element,
 * so every quotient is at most one. (LAPACK 3.10 and later do this in Fortran 90.)
 */
int FORTRAN(lassq)(integer *n, T *x, integer *incx, T *scale, T *sumsq) {
  T largest = *scale, sum = *sumsq;
  if (largest != largest || sum != sum) return 0;
  if (sum == 0 || largest == 0) {
    /* Nothing so far. A scale kept from "nothing" would let small squares underflow. */
    largest = 0;
    sum = 1;
  }
  x += first_index(*n, *incx);
  for (int i = 0; i < *n; i++) {
    T a = magnitude(x[i * *incx]);
    if (a == 0) continue;
    if (a != a) {
      *scale = a;
      return 0;
    }
    if (a > largest) {
      T quotient = largest / a;
      sum = 1 + sum * quotient * quotient;
      largest = a;
    } else if (a < largest) {
      T quotient = a / largest;
      sum += quotient * quotient;
    } else {
      sum += 1; /* also infinity after infinity, whose quotient is no number */
    }
  }
  *scale = largest;
  *sumsq = largest == 0 ? 0 : sum;
  return 0;
}
