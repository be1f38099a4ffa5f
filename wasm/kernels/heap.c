/*
 * The heap is a stack. A call of the library allocates what it needs and, done or failed, sets the
 * heap back to where it was: nothing can leak and nothing can fragment. The memory only ever grows
 * to the largest single call. LAPACK itself allocates nothing; the kernels' buffers are static.
 */
#include <stddef.h>
#include "precision.h"

#define PAGE 65536ull
/* The last page stays unused: the end of an allocation must be a 32-bit number. */
#define LIMIT (65535 * PAGE)
#define ALIGNMENT 64ull

extern unsigned char __heap_base;
static size_t top;

EXPORT("heap_top")
size_t heap_top(void) {
  if (top == 0) top = ((size_t)&__heap_base + ALIGNMENT - 1) & ~(ALIGNMENT - 1);
  return top;
}

/* `bytes` bytes of undefined content at a multiple of 64, or 0 when the memory cannot grow that far. */
EXPORT("heap_alloc")
size_t heap_alloc(size_t bytes) {
  unsigned long long start = heap_top();
  unsigned long long end = (start + bytes + ALIGNMENT - 1) & ~(ALIGNMENT - 1);
  if (end > LIMIT) return 0;
  unsigned long long pages = (end + PAGE - 1) / PAGE, present = __builtin_wasm_memory_size(0);
  if (pages > present && __builtin_wasm_memory_grow(0, pages - present) == (size_t)-1) return 0;
  top = (size_t)end;
  return (size_t)start;
}

/* Frees everything allocated since heap_top() returned `mark`. */
EXPORT("heap_release")
void heap_release(size_t mark) { top = mark; }
