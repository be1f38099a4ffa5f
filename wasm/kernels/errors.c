/* XERBLA: a routine that refuses an argument names itself and the argument here, and returns. The caller outside reads the record. */
#include "precision.h"

static char routine[16];
static int argument;

int xerbla_(char *name, integer *info, ftnlen name_len) {
  int length = 0;
  for (; length < name_len && length < 15 && name[length] != ' '; length++) routine[length] = name[length];
  routine[length] = 0;
  argument = *info;
  return 0;
}

/* The name, ended by a zero byte, of the routine that refused last. */
EXPORT("xerbla_routine")
const char *xerbla_routine(void) { return routine; }

/* The number of the argument it refused, counted from one; 0 when none was refused since the last question. */
EXPORT("xerbla_argument")
int xerbla_argument(void) {
  int refused = argument;
  argument = 0;
  return refused;
}
