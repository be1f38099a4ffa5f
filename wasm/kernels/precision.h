/*
 * One source, two precisions: every kernel file that includes this header is compiled twice, once
 * as it is (float) and once with -DDOUBLE. `T` is the element, `LANES` how many of them a 128-bit
 * vector holds, NAME(x) the name with the precision's prefix and FORTRAN(x) the one LAPACK calls.
 */
#ifndef PRECISION_H
#define PRECISION_H

#include <wasm_simd128.h>
#include "f2c.h"

#define EXPORT(name) __attribute__((export_name(name)))

#ifdef DOUBLE
typedef double T;
#define LANES 2
#define NAME(name) d##name
#define FORTRAN(name) d##name##_
#define v_splat(x) wasm_f64x2_splat(x)
#define v_load_splat(p) wasm_v128_load64_splat(p)
#define v_add(a, b) wasm_f64x2_add(a, b)
#define v_mul(a, b) wasm_f64x2_mul(a, b)
#else
typedef float T;
#define LANES 4
#define NAME(name) s##name
#define FORTRAN(name) s##name##_
#define v_splat(x) wasm_f32x4_splat(x)
#define v_load_splat(p) wasm_v128_load32_splat(p)
#define v_add(a, b) wasm_f32x4_add(a, b)
#define v_mul(a, b) wasm_f32x4_mul(a, b)
#endif

/* a · b + c: one fused instruction where relaxed SIMD allows it, a product and a sum elsewhere. */
#if defined(__wasm_relaxed_simd__) && defined(DOUBLE)
#define v_madd(a, b, c) wasm_f64x2_relaxed_madd(a, b, c)
#elif defined(__wasm_relaxed_simd__)
#define v_madd(a, b, c) wasm_f32x4_relaxed_madd(a, b, c)
#else
#define v_madd(a, b, c) v_add(v_mul(a, b), c)
#endif

#define v_load(p) wasm_v128_load(p)
#define v_store(p, v) wasm_v128_store(p, v)
#define v_zero() wasm_i64x2_const(0, 0)

/* The sum of a vector's lanes. */
static inline T v_sum(v128_t v) {
  T lane[LANES];
  v_store(lane, v);
  T sum = 0;
  for (int i = 0; i < LANES; i++) sum += lane[i];
  return sum;
}

/* Option letters may come in either case. */
static inline int is_letter(const char *option, char upper) {
  return *option == upper || *option == upper + ('a' - 'A');
}

/* BLAS walks a vector with a negative increment from its far end: where its first element is. */
static inline int first_index(int n, int increment) {
  return increment < 0 ? (1 - n) * increment : 0;
}

#endif
