/** What the two modules export: the LAPACK and BLAS routines that `src/worker/lapack.ts` and its tests call (link names), and our own. */

/** The library's routines; everything they call comes along. */
export const routines = [
  // singular values, least squares
  ...['dgesdd_', 'sgesdd_', 'dgelsd_', 'sgelsd_'],
  // symmetric eigenproblems
  ...['dsyevd_', 'dsytrd_', 'dlatrd_', 'dsytd2_', 'dsterf_', 'dstemr_', 'dstedc_', 'dormtr_'],
  // orthogonal and triangular factors
  ...['dgeqrf_', 'dorgqr_', 'sgeqrf_', 'sorgqr_', 'dgelqf_', 'dorglq_', 'sgelqf_', 'sorglq_', 'dpotrf_'],
  // BLAS, also for the tests
  ...['sgemm_', 'dgemm_', 'ssyrk_', 'dsyrk_', 'ssyr2k_', 'dsyr2k_', 'strsm_', 'dtrsm_', 'strmm_', 'dtrmm_'],
  ...['sgemv_', 'dgemv_', 'sger_', 'dger_', 'ssymv_', 'dsymv_'],
  ...['sdot_', 'ddot_', 'saxpy_', 'daxpy_', 'sscal_', 'dscal_', 'scopy_', 'dcopy_', 'srot_', 'drot_'],
  ...['snrm2_', 'dnrm2_', 'slassq_', 'dlassq_', 'slartg_', 'dlartg_'],
];

/** Our own entry points, marked in the kernels with EXPORT. */
export const ownExports = [
  ...[
    'gram_f32',
    'heap_top',
    'heap_alloc',
    'heap_release',
    'xerbla_routine',
    'xerbla_argument',
    'relaxed_simd',
  ],
];
