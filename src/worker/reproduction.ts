import { printTarget } from '../core/compress/plan';
import { type PlanFile, printPlanFile } from '../core/compress/planFile';
import type { Reproduction } from '../core/compress/report';
import { printPreprocessing } from './calibration/preprocessing';
import type { CompressRequest } from './engine';
import { hashFiles } from './hashFiles';
import { DEFAULT_SEED } from './modelInputs';
import { filesOf, type OpenModel } from './openModel';
import { basename, dirname, relative } from './platform/paths';
import { sha256 } from './platform/sha256';
import { VERSION } from './version';

/** What it takes to make a result again. `written` need not have its name yet. */
export async function reproductionOf(
  request: CompressRequest,
  original: OpenModel,
  written: OpenModel,
  signal: AbortSignal | undefined,
): Promise<Reproduction> {
  const { plan } = request;
  return {
    command: commandOf(request),
    version: VERSION,
    seed: plan?.seed ?? request.seed ?? DEFAULT_SEED,
    original: await hashFiles(filesOf(original), signal),
    compressed: await hashFiles(filesOf(written), signal),
    plan: plan ? hashOf(plan) : null,
  };
}

function hashOf(plan: PlanFile): string {
  const hash = sha256();
  hash.update(printPlanFile(plan));
  return hash.digest('hex');
}

/** The command line that does what a request asks for, in the folder of the model. */
export function commandOf(request: CompressRequest): string {
  const { path, output, target, method, plan, planPath, dims = {}, calibration } = request;
  const here = (file: string) => relative(dirname(path), file) || basename(file);
  const words = ['ranksmith', 'compress', here(path), '-o', here(output)];
  const isByPlan = plan !== undefined && planPath !== undefined;
  if (isByPlan) words.push('--plan', here(planPath));
  else words.push('--target', printTarget(target));
  if (!isByPlan && method !== 'auto') words.push('--method', method);
  for (const [name, size] of Object.entries(dims)) words.push('--dim', `${name}=${size}`);
  if (calibration) {
    words.push('--calibration', here(calibration.path));
    // Where a plan says how its data is read, nothing else does.
    if (!isByPlan && calibration.preprocessing) words.push(...printPreprocessing(calibration.preprocessing));
    if (!isByPlan && calibration.limit !== undefined) words.push('--samples', String(calibration.limit));
    if (calibration.labels !== undefined) words.push('--labels', here(calibration.labels));
  }
  if (!isByPlan) {
    if (request.foldNorms === false) words.push('--keep-norms');
    if (request.multiple !== undefined) words.push('--multiple', String(request.multiple));
    if (request.seed !== undefined) words.push('--seed', String(request.seed));
  }
  if (request.allowLarger) words.push('--allow-larger');
  if (request.allowSlower) words.push('--allow-slower');
  if (request.allowInaccurate) words.push('--allow-inaccurate');
  return words.map(quoted).join(' ');
}

/** A word as a POSIX shell takes it. */
function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
