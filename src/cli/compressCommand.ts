import { writeFileSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { compressedPath } from '../core/compress/compressedPath';
import { overviewOfReport } from '../core/compress/overview';
import { printTarget } from '../core/compress/plan';
import {
  printReport as printReportFile,
  REPORT_ENDINGS,
  type ReportFormat,
  reportFormatOf,
} from '../core/compress/printReport/reportFormat';
import type { CompressionReport } from '../core/compress/report';
import { counted } from '../core/counted';
import {
  formatChange,
  formatCount,
  formatMacs,
  formatNumber,
  formatPercent,
  formatRanks,
} from '../core/format';
import { ModelError } from '../core/onnx/modelError';
import type { Engine } from '../worker/engine';
import { saysHowToRead } from './calibrationOptions';
import { readPlan } from './readPlan';
import { renderTable } from './table';
import { errorOf, hinted, type Terminal } from './terminal';
import { PLANNING_OPTIONS, parse, parseChoices } from './usage';
import { UsageError } from './usageError';
import { printVerification } from './verifyCommand';

/** What `compress` takes. */
export const COMPRESS_OPTIONS = {
  ...PLANNING_OPTIONS,
  plan: { type: 'string' },
  'allow-larger': { type: 'boolean' },
  'allow-slower': { type: 'boolean' },
  'allow-inaccurate': { type: 'boolean' },
  report: { type: 'string', multiple: true },
} as const;

/** `ranksmith compress MODEL`: writes the smaller model and says what it cost. */
export async function compressCommand(
  args: readonly string[],
  engine: Engine,
  terminal: Terminal,
): Promise<number> {
  const { values, positionals } = parse(args, COMPRESS_OPTIONS);
  const [model, ...more] = positionals;
  if (model === undefined || more.length > 0) throw new UsageError('compress takes one model.');
  const hasChoices = values.target !== undefined || values.rank !== undefined || values.method !== undefined;
  if (values.plan !== undefined && hasChoices) {
    throw new UsageError(
      'A plan has its goal and its methods: --plan excludes --target, --rank and --method.',
    );
  }
  const reports = reportFiles(values.report);
  const choices = parseChoices(values);
  const path = resolve(model);
  const output = resolve(values.output ?? compressedPath(model));
  try {
    const plan = values.plan === undefined ? undefined : readPlan(values.plan);
    if (plan?.calibration && saysHowToRead(values)) {
      throw new UsageError(
        'The plan says how its calibration data is read: of the options for that, only --calibration may go with it.',
      );
    }
    const report = await engine.compress(
      {
        path,
        output,
        ...choices,
        ...(plan ? { plan, planPath: resolve(values.plan!), target: plan.goal } : {}),
        // A file named on the command line is meant; the default name might hold something dear.
        overwrite: values.overwrite === true || values.output !== undefined,
        allowLarger: values['allow-larger'] === true,
        allowSlower: values['allow-slower'] === true,
        allowInaccurate: values['allow-inaccurate'] === true,
      },
      terminal.callOptions(model),
    );
    for (const each of reports) writeReport(each, report);
    terminal.print(values.json ? JSON.stringify(report) : printReport(report));
    return 0;
  } catch (error) {
    if (error instanceof UsageError) throw error;
    if (values.json) terminal.print(JSON.stringify({ file: model, error: errorOf(error) }));
    else terminal.complain(hinted(errorOf(error), 'compress'));
    return 1;
  }
}

interface ReportFile {
  readonly file: string;
  readonly format: ReportFormat;
}

function writeReport({ file, format }: ReportFile, report: CompressionReport): void {
  try {
    writeFileSync(file, printReportFile(format, overviewOfReport(report), report));
  } catch (error) {
    const { compressed } = report;
    throw new ModelError(
      'write-failed',
      `${compressed.file} is written, but its report ${file} can't be: ${(error as Error).message}`,
    );
  }
}

/** The files of `--report`, and what each is to hold. */
function reportFiles(files: readonly string[] = []): readonly ReportFile[] {
  return files.map((file) => {
    const format = reportFormatOf(file);
    if (format) return { file: resolve(file), format };
    const endings = Object.values(REPORT_ENDINGS).join(', ');
    throw new UsageError(`--report takes a file that ends in ${endings}, not "${file}".`);
  });
}

function printReport(report: CompressionReport): string {
  const rows = report.layers.map((layer) => [
    layer.name,
    layer.op,
    layer.ranks === null
      ? layer.isRefitted
        ? 'dense, refitted'
        : 'dense'
      : `${layer.method} ${formatRanks(layer.ranks)}`,
    formatCount(layer.parameters.before),
    layer.ranks === null ? '' : formatCount(layer.parameters.after),
    formatMacs(layer.macs.before),
    layer.ranks === null ? '' : formatMacs(layer.macs.after),
    layer.ms ? changedMs(layer.ms) : '',
    layer.weightError === null ? (layer.reason ?? '') : formatPercent(layer.weightError),
  ]);
  const columns = [
    'layer',
    'op',
    'method',
    'parameters',
    'after',
    'MACs',
    'after',
    'ms alone',
    'weight error',
  ].map((title, i) => ({ title, align: i >= 3 && i < 8 ? 'right' : 'left' }) as const);
  const { original, compressed, seconds } = report;
  const total = seconds.suggest + seconds.factor + seconds.write + seconds.verify;
  return [
    renderTable(columns, rows),
    '',
    ...(report.plan === null ? [] : [`plan          ${report.plan}`]),
    `target        ${printTarget(report.target)}, reached: parameters ${formatChange(original.parameters, compressed.parameters)}, MACs ${original.macs === null || compressed.macs === null ? 'unknown' : formatChange(original.macs, compressed.macs)}`,
    printVerification(report),
    ...(report.calibration ? [printCalibration(report.calibration)] : []),
    ...uncalibrated(report),
    ...unweighed(report),
    ...report.problems.map(({ message }) => `note: ${message}`),
    `written       ${compressed.file} in ${total.toFixed(1)} s, factored with ${report.factoredWith}`,
  ].join('\n');
}

/** Milliseconds of a layer alone: "0.21 → 0.08". */
function changedMs({ before, after }: NonNullable<CompressionReport['layers'][number]['ms']>): string {
  const short = (ms: number | null) => (ms === null ? '?' : String(Number(ms.toPrecision(2))));
  return `${short(before)} → ${short(after)}`;
}

function printCalibration({ source, fit, heldBack }: NonNullable<CompressionReport['calibration']>): string {
  const checked =
    heldBack > 0
      ? `output error on ${formatNumber(heldBack)} held back`
      : 'output error on the same, none held back';
  return `calibration   calibrated on ${counted(fit, 'sample')} of ${basename(source)}, ${checked}`;
}

/** Where the model's derivatives were of no help. */
function unweighed({ layers, calibration }: CompressionReport): readonly string[] {
  const fitted = layers.filter(
    ({ method, uncalibrated }) => method !== 'dense' && uncalibrated === undefined,
  ).length;
  const missing = fitted - (calibration?.weighed ?? fitted);
  return missing === 0
    ? []
    : [
        `note: of ${formatNumber(missing)} of ${counted(fitted, 'layer')} all outputs count alike: what they do to the model's can't be told through the operators behind them.`,
      ];
}

/** The layers that the data could not guide. */
function uncalibrated({ layers }: CompressionReport): readonly string[] {
  return layers.flatMap((layer) =>
    layer.uncalibrated === undefined
      ? []
      : [`note: ${layer.name} is factored from its weight alone. ${layer.uncalibrated}`],
  );
}
