/*
 * The types and macros that f2c's translations rest on, for wasm32: INTEGER and LOGICAL are 32 bits
 * and a CHARACTER argument's length is passed by value after all other arguments.
 */
#ifndef F2C_INCLUDE
#define F2C_INCLUDE

typedef int integer;
typedef int logical;
typedef int ftnlen;
typedef int ftnint;
typedef int flag;
typedef short shortint;
typedef long long longint;
typedef signed char integer1;
typedef char *address;
typedef float real;
typedef double doublereal;
typedef struct { real r, i; } complex;
typedef struct { doublereal r, i; } doublecomplex;

/* The control blocks of READ and WRITE: f2c declares them, nothing that we link uses them. */
typedef struct { flag cierr; ftnint ciunit; flag ciend; char *cifmt; ftnint cirec; } cilist;
typedef struct { flag icierr; char *iciunit; flag iciend; char *icifmt; ftnint icirlen; ftnint icirnum; } icilist;

#define TRUE_ (1)
#define FALSE_ (0)
#define VOID void
#define Extern extern
#define abs(x) ((x) >= 0 ? (x) : -(x))
#define dabs(x) (doublereal) abs(x)
#define min(a, b) ((a) <= (b) ? (a) : (b))
#define max(a, b) ((a) >= (b) ? (a) : (b))
#define dmin(a, b) (doublereal) min(a, b)
#define dmax(a, b) (doublereal) max(a, b)

typedef int (*U_fp)();
typedef int (*S_fp)();
typedef integer (*I_fp)();
typedef shortint (*J_fp)();
typedef logical (*L_fp)();
typedef real (*R_fp)();
typedef doublereal (*D_fp)();
typedef doublereal (*E_fp)();

#endif
