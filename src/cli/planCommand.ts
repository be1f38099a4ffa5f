import { existsSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { type PlanProposal, printPlanFile } from '../core/compress/planFile';
import { planPath } from '../core/compress/planPath';
import { formatChange, formatPercent } from '../core/format';
import { ModelError } from '../core/onnx/modelError';
import type { Engine } from '../worker/engine';
import { targetOf } from './compressCommand';
import { errorOf, type Terminal } from './terminal';
import { parse, parseDims, parseMethod, UsageError } from './usage';

/** `ranksmith plan MODEL`: writes what would be done, to be looked at and edited. */
export async function planCommand(
  args: readonly string[],
  engine: Engine,
  terminal: Terminal,
): Promise<number> {
  const { values, positionals } = parse(args, {
    output: { type: 'string', short: 'o' },
    target: { type: 'string' },
    method: { type: 'string' },
    rank: { type: 'string' },
    dim: { type: 'string', multiple: true },
    overwrite: { type: 'boolean' },
    'keep-norms': { type: 'boolean' },
    json: { type: 'boolean' },
  });
  const [model, ...more] = positionals;
  if (model === undefined || more.length > 0) throw new UsageError('plan takes one model.');
  const target = targetOf(values.target, values.rank);
  const method = parseMethod(values.method);
  const dims = parseDims(values.dim);
  const output = values.output ?? planPath(model);
  try {
    // A file named on the command line is meant; the default name might hold a plan that somebody has worked on.
    if (existsSync(output) && values.output === undefined && values.overwrite !== true) {
      throw new ModelError('target-exists', `${output} exists already. Add --overwrite to replace it.`);
    }
    const proposal = await engine.plan(
      { path: resolve(model), target, method, dims, foldNorms: values['keep-norms'] !== true },
      terminal.callOptions(model),
    );
    writeFileSync(output, printPlanFile(proposal.plan));
    terminal.print(values.json ? JSON.stringify(proposal) : printProposal(proposal, output));
    return 0;
  } catch (error) {
    if (values.json) terminal.print(JSON.stringify({ file: model, error: errorOf(error) }));
    else terminal.complain(errorOf(error).message);
    return 1;
  }
}

function printProposal({ plan, parameters, macs, weightError }: PlanProposal, output: string): string {
  const factored = plan.layers.filter(({ kind }) => kind === 'factor').length;
  const change =
    macs.before === null || macs.after === null ? 'unknown' : formatChange(macs.before, macs.after);
  return [
    `${factored} of ${plan.layers.length} layers: parameters ${formatChange(parameters.before, parameters.after)}, MACs ${change}, predicted error of the weights ${formatPercent(weightError)}`,
    `written  ${output}; carry it out with: ranksmith compress --plan ${output} …`,
  ].join('\n');
}
