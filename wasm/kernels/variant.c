/* Which of the two builds this is, for logs: 1 when multiply-adds are fused (relaxed SIMD), else 0. */
#include "precision.h"

EXPORT("relaxed_simd")
int relaxed_simd(void) {
#ifdef __wasm_relaxed_simd__
  return 1;
#else
  return 0;
#endif
}
