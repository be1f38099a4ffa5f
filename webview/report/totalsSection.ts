import type { Overview } from '../../src/core/compress/overview';
import { telling } from '../../src/core/compress/report';
import {
  formatBytes,
  formatChange,
  formatCount,
  formatError,
  formatMacs,
  formatMs,
  formatPercent,
} from '../../src/core/format';
import { speedOf } from '../../src/core/speed';
import { accuracyText } from '../accuracyText';
import { decisionsText } from '../decisionsText';
import { element } from '../element';
import { fill, fillCount } from '../fill';
import type { Subject } from '../messages';
import { nameOf } from '../nameOf';
import { unbroken } from '../unbroken';
import type { ReportTexts } from './reportTexts';

/** One line of the overview: what it is, before and after. */
interface Total {
  readonly name: string;
  /** What the name means, for a hover. */
  readonly meaning: string;
  readonly before: number | null;
  readonly after: number | null;
  readonly format: (value: number) => string;
}

/** The model before and after, as a table, and how it was verified. */
export function totalsSection(subject: Subject, texts: ReportTexts): readonly HTMLElement[] {
  const { overview, verification } = subject;
  return [totalsTable(overview, texts), ...(verification ? verified(verification, overview, texts) : [])];
}

function totalsTable(
  { before, after, basis, weightError, certainty }: Overview,
  texts: ReportTexts,
): HTMLElement {
  const isPlain = basis === 'none';
  const lines: Total[] = [
    {
      name: texts.parameters,
      meaning: texts.parametersMeaning,
      before: before.parameters,
      after: after?.parameters ?? null,
      format: formatCount,
    },
    {
      name: texts.macs,
      meaning: texts.macsMeaning,
      before: before.macs,
      after: after?.macs ?? null,
      format: formatMacs,
    },
    {
      name: texts.fileSize,
      meaning: texts.fileSizeMeaning,
      before: before.bytes,
      after: after?.bytes ?? null,
      format: formatBytes,
    },
    {
      name: texts.activations,
      meaning: texts.activationsMeaning,
      before: before.activationBytes,
      after: after?.activationBytes ?? null,
      format: formatBytes,
    },
  ];
  // A plan does not say how long anything takes.
  if (basis === 'measured') {
    lines.push({
      name: texts.time,
      meaning: texts.timeMeaning,
      before: before.ms,
      after: after?.ms ?? null,
      format: formatMs,
    });
  }
  const word = basis === 'measured' ? texts.measured : texts.predicted;
  const titles = isPlain ? [texts.model] : [texts.before, fill(texts.afterBasis, word), texts.change];
  const rows = lines.map((line) => lineOf(line, isPlain, texts));
  if (basis === 'predicted') {
    const error = weightError === null ? texts.unknown : formatError(weightError, certainty);
    rows.push(
      element(
        'tr',
        {},
        element('th', { scope: 'row', title: texts.weightErrorMeaning }, texts.weightError),
        element('td', {}),
        element('td', { class: 'number after' }, error),
        element('td', {}),
      ),
    );
  }
  const table = element(
    'table',
    { class: 'data totals' },
    element('caption', { class: 'hidden' }, texts.overview),
    element(
      'thead',
      {},
      element(
        'tr',
        {},
        element('td', {}),
        ...titles.map((title) => element('th', { scope: 'col', class: 'number' }, title)),
      ),
    ),
    element('tbody', {}, ...rows),
  );
  return element(
    'div',
    { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': texts.overview },
    table,
  );
}

function lineOf(
  { name, meaning, before, after, format }: Total,
  isPlain: boolean,
  texts: ReportTexts,
): HTMLElement {
  const text = (value: number | null) => (value === null ? texts.unknown : format(value));
  const known = before !== null && after !== null;
  const head = element('th', { scope: 'row', title: meaning }, name);
  if (isPlain) return element('tr', {}, head, element('td', { class: 'number after' }, text(before)));
  const kind = !known || after === before ? '' : after > before ? 'worse' : 'better';
  return element(
    'tr',
    {},
    head,
    element('td', { class: 'number' }, text(before)),
    element('td', { class: 'number after' }, text(after)),
    element('td', { class: `number ${kind}` }, known ? formatChange(before, after, 2) : ''),
  );
}

/** What the numbers say about speed and accuracy, and how they were measured. */
function verified(
  of: NonNullable<Subject['verification']>,
  { before, after }: Overview,
  texts: ReportTexts,
): readonly HTMLElement[] {
  const {
    outputError,
    decisions,
    accuracy,
    engine,
    inputs,
    assumedDims,
    factoredWith,
    calibration,
    problems,
  } = of;
  const sizes = Object.entries(assumedDims).map(([name, size]) => `${name} = ${size}`);
  const said = [fill(texts.outputErrorIs, formatPercent(outputError.relative))];
  if (before.ms && after?.ms) {
    const { kind, times } = speedOf(before.ms, after.ms);
    said.unshift(fill({ faster: texts.faster, slower: texts.slower, same: texts.sameSpeed }[kind], times));
  }
  const told = telling(decisions);
  if (told) said.push(decisionsText(told, texts.decisionsAre));
  if (accuracy) said.push(accuracyText(accuracy, texts));
  const largest = Number(outputError.max.toPrecision(3));
  const details = fill(texts.outputErrorDetails, outputError.cosine.toFixed(4), largest);
  const how = [fill(texts.measuredWith, engine), fill(texts.inputIs, inputs)];
  if (sizes.length > 0) how.push(fill(texts.assumedSizes, sizes.join(', ')));
  how.push(
    calibration
      ? fill(
          texts.calibratedOn,
          fillCount(texts.sampleCount, calibration.fit),
          nameOf(calibration.source),
          calibration.heldBack,
        )
      : texts.uncalibrated,
    fill(texts.factoredWith, factoredWith),
  );
  return [
    element('p', {}, element('strong', {}, unbroken(said.join(' '))), ` ${details}`),
    element('p', { class: 'how' }, unbroken(how.join(' '))),
    ...problems.map((problem) => element('p', { class: 'problem' }, problem.message)),
  ];
}
