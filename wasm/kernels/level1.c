/* Level 1: vectors. The fast loops are for neighbouring elements; any other increment takes the plain one. */
#include <string.h>
#include "level1.h"

T FORTRAN(dot)(integer *n, T *x, integer *incx, T *y, integer *incy) {
  if (*n <= 0) return 0;
  if (*incx == 1 && *incy == 1) return dot_unit(*n, x, y);
  T sum = 0;
  int ix = first_index(*n, *incx), iy = first_index(*n, *incy);
  for (int i = 0; i < *n; i++, ix += *incx, iy += *incy) sum += x[ix] * y[iy];
  return sum;
}

int FORTRAN(axpy)(integer *n, T *alpha, T *x, integer *incx, T *y, integer *incy) {
  if (*n <= 0 || *alpha == 0) return 0;
  if (*incx == 1 && *incy == 1) {
    axpy_unit(*n, *alpha, x, y);
    return 0;
  }
  int ix = first_index(*n, *incx), iy = first_index(*n, *incy);
  for (int i = 0; i < *n; i++, ix += *incx, iy += *incy) y[iy] += *alpha * x[ix];
  return 0;
}

/* Reference BLAS does nothing for increments that are not positive. */
int FORTRAN(scal)(integer *n, T *alpha, T *x, integer *incx) {
  T factor = *alpha;
  int step = *incx;
  if (step == 1)
    for (int i = 0; i < *n; i++) x[i] *= factor;
  else if (step > 0)
    for (int i = 0; i < *n; i++) x[i * step] *= factor;
  return 0;
}

int FORTRAN(copy)(integer *n, T *x, integer *incx, T *y, integer *incy) {
  if (*n <= 0) return 0;
  if (*incx == 1 && *incy == 1) {
    memmove(y, x, sizeof(T) * *n);
    return 0;
  }
  int ix = first_index(*n, *incx), iy = first_index(*n, *incy);
  for (int i = 0; i < *n; i++, ix += *incx, iy += *incy) y[iy] = x[ix];
  return 0;
}

/* The plane rotation (x, y) := (c · x + s · y, c · y − s · x). */
int FORTRAN(rot)(integer *n, T *restrict x, integer *incx, T *restrict y, integer *incy, T *c, T *s) {
  T cosine = *c, sine = *s;
  if (*incx == 1 && *incy == 1) {
    for (int i = 0; i < *n; i++) {
      T turned = cosine * x[i] + sine * y[i];
      y[i] = cosine * y[i] - sine * x[i];
      x[i] = turned;
    }
    return 0;
  }
  int ix = first_index(*n, *incx), iy = first_index(*n, *incy);
  for (int i = 0; i < *n; i++, ix += *incx, iy += *incy) {
    T turned = cosine * x[ix] + sine * y[iy];
    y[iy] = cosine * y[iy] - sine * x[ix];
    x[ix] = turned;
  }
  return 0;
}
