import { l10n } from 'vscode';
import type { CompressionReport } from '../core/compress/report';
import { damageOf, missesGoal } from '../core/compress/worth';
import { plural } from '../core/counted';
import { formatChange, formatKept, formatNumber, formatPercent } from '../core/format';
import { speedOf } from '../core/speed';
import { sampleCount } from './counts';
import { basename } from './paths';

/** "vgg.compressed.onnx by the plan vgg.ranks.json: −50 % parameters, −49 % MACs, output error 3.1 %, 1.4× faster" */
export function summaryOf(report: CompressionReport): string {
  const { original, compressed, plan, outputError, decisions, accuracy, calibration } = report;
  const parts = [l10n.t('{0} parameters', formatChange(original.parameters, compressed.parameters))];
  if (original.macs !== null && compressed.macs !== null) {
    parts.push(l10n.t('{0} MACs', formatChange(original.macs, compressed.macs)));
  }
  const error = formatPercent(outputError.relative);
  if (!calibration) parts.push(l10n.t('output error {0} (uncalibrated)', error));
  else if (calibration.heldBack === 0) parts.push(l10n.t('output error {0}', error));
  else parts.push(l10n.t('output error {0} on {1} held back', error, sampleCount(calibration.heldBack)));
  // What a model makes of random numbers says little.
  if (calibration && decisions) {
    const { kept, count } = decisions;
    const share = formatKept(kept, count);
    parts.push(
      plural(
        count,
        l10n.t('{0} of 1 decision as before', share),
        l10n.t('{0} of {1} decisions as before', share, formatNumber(count)),
      ),
    );
  }
  if (accuracy) {
    const { before, after } = accuracy;
    parts.push(l10n.t('right answers {0} → {1}', formatPercent(before), formatPercent(after)));
  }
  if (original.ms && compressed.ms) parts.push(speedText(original.ms, compressed.ms));
  const name = basename(compressed.file);
  const subject = plan === null ? name : l10n.t('{0} by the plan {1}', name, basename(plan));
  const summary = `${subject}: ${parts.join(', ')}`;
  if (missesGoal(report)) return l10n.t('{0}. It misses its goal.', summary);
  return damageOf(report)
    ? l10n.t('{0}. The outputs change by more than what is saved is worth.', summary)
    : summary;
}

function speedText(before: number, after: number): string {
  const { kind, times } = speedOf(before, after);
  switch (kind) {
    case 'faster':
      return l10n.t('{0} faster', times);
    case 'slower':
      return l10n.t('but {0} slower on this machine', times);
    case 'same':
      return l10n.t('as fast as before');
  }
}

/** What became of several models, in one sentence or two. */
export function summaryOfSeveral(reports: readonly CompressionReport[], failures: readonly string[]): string {
  const sum = (pick: (r: CompressionReport) => number) => reports.reduce((total, r) => total + pick(r), 0);
  const sentences: string[] = [];
  if (reports.length > 0) {
    const change = formatChange(
      sum((r) => r.original.parameters),
      sum((r) => r.compressed.parameters),
    );
    const error = formatPercent(Math.max(...reports.map((r) => r.outputError.relative)));
    sentences.push(
      reports.length === 1
        ? l10n.t('1 model compressed: {0} parameters, output error {1}.', change, error)
        : l10n.t(
            '{0} models compressed: {1} parameters, output error up to {2}.',
            reports.length,
            change,
            error,
          ),
    );
  }
  const [first] = failures;
  if (first !== undefined) {
    const others = failures.length - 1;
    sentences.push(others === 0 ? first : l10n.t('{0} (And {1} more, see the log.)', first, others));
  }
  return sentences.join(' ');
}
