import { basename, resolve } from 'node:path';
import { type PlanProposal, printPlanFile } from '../core/compress/planFile';
import { planPath } from '../core/compress/planPath';
import { counted } from '../core/counted';
import { formatChange, formatError, formatNumber, formatPercent } from '../core/format';
import type { Engine } from '../worker/engine';
import { checkTarget, openOutputFolder } from '../worker/outputFolder';
import { errorOf, hinted, type Terminal } from './terminal';
import { PLANNING_OPTIONS, parse, parseChoices } from './usage';
import { UsageError } from './usageError';
import { accuracyText, decisionsText } from './verifyCommand';

/** `ranksmith plan MODEL`: writes what would be done, to be looked at and edited. */
export async function planCommand(
  args: readonly string[],
  engine: Engine,
  terminal: Terminal,
): Promise<number> {
  const { values, positionals } = parse(args, PLANNING_OPTIONS);
  const [model, ...more] = positionals;
  if (model === undefined || more.length > 0) throw new UsageError('plan takes one model.');
  const choices = parseChoices(values);
  const path = resolve(model);
  const output = resolve(values.output ?? planPath(model));
  try {
    checkTarget([path], output, values.overwrite === true);
    const proposal = await engine.plan({ path, ...choices }, terminal.callOptions(model));
    await writePlan(output, printPlanFile(proposal.plan));
    terminal.print(values.json ? JSON.stringify(proposal) : printProposal(proposal, output));
    return 0;
  } catch (error) {
    if (values.json) terminal.print(JSON.stringify({ file: model, error: errorOf(error) }));
    else terminal.complain(hinted(errorOf(error), 'plan'));
    return 1;
  }
}

/** Writes beside the target first, so that a full disk leaves the old plan as it was. */
async function writePlan(output: string, text: string): Promise<void> {
  const folder = openOutputFolder(output);
  try {
    const bytes = new TextEncoder().encode(text);
    await folder.write([{ name: basename(output), segments: [{ kind: 'bytes', bytes }] }]);
    folder.commit();
  } finally {
    folder.discard();
  }
}

function printProposal(
  { plan, parameters, macs, weightError, certainty, checked }: PlanProposal,
  output: string,
): string {
  const factored = plan.layers.filter(({ kind }) => kind === 'factor').length;
  const change =
    macs.before === null || macs.after === null ? 'unknown' : formatChange(macs.before, macs.after);
  return [
    `${formatNumber(factored)} of ${counted(plan.layers.length, 'layer')}: parameters ${formatChange(parameters.before, parameters.after)}, MACs ${change}, predicted error of the ${plan.calibration ? "layers' outputs" : 'weights'} ${formatError(weightError, certainty)}`,
    ...(checked
      ? [
          `on ${counted(checked.samples, 'sample')} held back: output error ${formatPercent(checked.outputError.relative)}${checked.accuracy ? `, accuracy ${accuracyText(checked.accuracy)}` : ''}${checked.decisions ? `, decisions ${decisionsText(checked.decisions)}` : ''}`,
        ]
      : []),
    `written  ${output}; carry it out with: ranksmith compress --plan ${output} …`,
  ].join('\n');
}
