import { counted } from '../../counted';
import {
  formatBytes,
  formatChange,
  formatCount,
  formatError,
  formatKept,
  formatMacs,
  formatMs,
  formatNumber,
  formatPercent,
  formatRanks,
} from '../../format';
import { factoredCount, type Overview, type OverviewLayer } from '../overview';
import { printTarget } from '../plan';
import { type CompressionReport, telling } from '../report';

/** A model before and after as a Markdown document (with GitHub's tables). Names can hold anything: they are text, never markup. */
export function printMarkdown(overview: Overview, report?: CompressionReport): string {
  const { basis, file, compressed, layers } = overview;
  const sections = [
    `# ${markdownText(nameOf(compressed ?? file))}`,
    BASES[basis],
    ...factsOf(overview),
    totalsOf(overview),
    `## Layers (${layers.length})`,
    layersOf(overview),
    ...(report ? verificationOf(report) : []),
  ];
  return `${sections.join('\n\n')}\n`;
}

const BASES: Readonly<Record<Overview['basis'], string>> = {
  none: 'The model as it is; nothing is planned.',
  predicted: '**Predicted**: what a plan is expected to give. Nothing has been written or measured yet.',
  measured: '**Measured**: every figure was read back from the written file.',
};

function factsOf({ file, compressed, plan, goal, basis, ...overview }: Overview): readonly string[] {
  const facts: string[] = [];
  if (compressed !== null) facts.push(`* Original: ${markdownText(nameOf(file))}`);
  if (plan !== null) facts.push(`* Plan: ${markdownText(nameOf(plan))}`);
  if (goal) facts.push(`* Goal: \`${printTarget(goal)}\``);
  if (basis !== 'none') {
    const count = factoredCount({ file, compressed, plan, goal, basis, ...overview });
    facts.push(`* Layers factored: ${count} of ${overview.layers.length}`);
  }
  return facts.length > 0 ? [facts.join('\n')] : [];
}

function totalsOf({ before, after, basis }: Overview): string {
  const line = (
    name: string,
    a: number | null,
    b: number | null | undefined,
    format: (v: number) => string,
  ) => {
    const text = (value: number | null | undefined) => (value == null ? 'unknown' : format(value));
    if (basis === 'none') return [name, text(a)];
    return [name, text(a), text(b), a === null || b == null ? '' : formatChange(a, b)];
  };
  const lines = [
    line('Parameters', before.parameters, after?.parameters, formatCount),
    line('MACs', before.macs, after?.macs, formatCount),
    line('File size', before.bytes, after?.bytes, formatBytes),
    line('Peak activation memory', before.activationBytes, after?.activationBytes, formatBytes),
  ];
  if (before.ms !== null) lines.push(line('Time', before.ms, after?.ms, formatMs));
  const head = basis === 'none' ? ['', 'Model'] : ['', 'Before', `After (${basis})`, 'Change'];
  return table(head, lines, (column) => column > 0);
}

interface Column {
  readonly title: string;
  readonly isNumber?: boolean;
  readonly text: (layer: OverviewLayer) => string;
}

function layersOf({ layers, basis }: Overview): string {
  const change = <T>(
    layer: OverviewLayer,
    of: (figures: OverviewLayer['before']) => T,
    format: (v: T) => string,
  ) => {
    const [a, b] = [of(layer.before), layer.after && of(layer.after)];
    return b === null || a === b ? format(a) : `${format(a)} → ${format(b)}`;
  };
  const columns: Column[] = [
    { title: 'Layer', text: ({ name }) => markdownText(name) },
    { title: 'Operator', text: ({ op }) => markdownText(op) },
    {
      title: 'Method',
      text: ({ method, ranks }) => (ranks ? `${method} ${formatRanks(ranks)}` : (method ?? '')),
    },
    { title: 'Parameters', isNumber: true, text: (l) => change(l, (f) => f.parameters, formatCount) },
    { title: 'MACs', isNumber: true, text: (l) => change(l, (f) => f.macs, formatMacs) },
  ];
  if (layers.some(({ before }) => before.ms !== null)) {
    const ms = (value: number | null) => (value === null ? '' : formatMs(value));
    columns.push({ title: 'Time', isNumber: true, text: (l) => change(l, (f) => f.ms, ms) });
  }
  const percent = (value: number | null) => (value === null ? '' : formatPercent(value));
  if (basis !== 'none')
    columns.push({
      title: 'Weight error',
      isNumber: true,
      text: (l) => (l.weightError === null ? '' : formatError(l.weightError, l.certainty)),
    });
  if (layers.some(({ outputError }) => outputError !== null))
    columns.push({ title: 'Output error', isNumber: true, text: (l) => percent(l.outputError) });
  columns.push({ title: 'Note', text: ({ note }) => markdownText(note ?? '') });
  return table(
    columns.map(({ title }) => title),
    layers.map((layer) => columns.map(({ text }) => text(layer))),
    (column) => columns[column]!.isNumber === true,
  );
}

function verificationOf({
  outputError,
  engine,
  inputs,
  factoredWith,
  reproduce,
  ...rest
}: CompressionReport) {
  const { onFitted, accuracy, calibration, problems, assumedDims } = rest;
  const decisions = telling(rest.decisions);
  const facts = [
    `* Output error: ${formatPercent(outputError.relative)} (cosine ${outputError.cosine.toFixed(4)}, largest difference ${Number(outputError.max.toPrecision(3))})`,
    ...(decisions
      ? [
          `* Decisions: ${formatKept(decisions.kept, decisions.count)} of ${formatNumber(decisions.count)} as before`,
        ]
      : []),
    ...(onFitted
      ? [
          `* On samples fitted to: output error ${formatPercent(onFitted.outputError.relative)}${onFitted.decisions ? `, ${formatKept(onFitted.decisions.kept, onFitted.decisions.count)} of ${counted(onFitted.decisions.count, 'decision')} as before` : ''}`,
        ]
      : []),
    ...(accuracy
      ? [
          `* Accuracy: ${formatPercent(accuracy.before)} → ${formatPercent(accuracy.after)} of ${counted(accuracy.samples, 'labelled sample')}`,
        ]
      : []),
    `* Engine: ${markdownText(engine)}`,
    `* Input: ${markdownText(inputs)}`,
  ];
  const sizes = Object.entries(assumedDims).map(([name, size]) => `${name} = ${size}`);
  if (sizes.length > 0) facts.push(`* Assumed sizes: ${markdownText(sizes.join(', '))}`);
  facts.push(
    calibration
      ? `* Calibration: ${markdownText(nameOf(calibration.source))}, ${counted(calibration.fit, 'sample')} fitted to, ${formatNumber(calibration.heldBack)} held back`
      : '* Calibration: none',
    `* Factored with: ${markdownText(factoredWith)}`,
  );
  const sections = ['## Verification', facts.join('\n')];
  if (problems.length > 0) {
    sections.push('## Problems', problems.map(({ message }) => `* ${markdownText(message)}`).join('\n'));
  }
  if (reproduce) {
    const hashes = [
      `* Ranksmith ${reproduce.version}, seed ${reproduce.seed}`,
      `* Original: SHA-256 \`${reproduce.original}\``,
      `* Result: SHA-256 \`${reproduce.compressed}\``,
      ...(reproduce.plan === null ? [] : [`* Plan: SHA-256 \`${reproduce.plan}\``]),
      ...(calibration ? [`* Calibration data: SHA-256 \`${calibration.sha256}\``] : []),
    ];
    sections.push('## How to reproduce', codeBlock(reproduce.command), hashes.join('\n'));
  }
  return sections;
}

/** A block of code whose fence is longer than any run of backticks in it. */
function codeBlock(text: string): string {
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = '`'.repeat(longest + 1);
  return `${fence}sh\n${text}\n${fence}`;
}

function table(
  head: readonly string[],
  lines: readonly (readonly string[])[],
  isNumber: (column: number) => boolean,
): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map((_, i) => (isNumber(i) ? '--:' : ':--'))), ...lines.map(line)].join('\n');
}

/** Text as Markdown shows it literally, on one line: also in a cell of a table. */
export function markdownText(text: string): string {
  return text
    .replace(/\s+/g, ' ')
    .replace(/[\\`*_[\]|~]/g, '\\$&')
    .replace(/[&<>]/g, (character) => ENTITIES[character]!);
}

/** HTML in Markdown is HTML; a backslash in front does not help everywhere. */
const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' };

function nameOf(path: string): string {
  return path.split(/[\\/]/).at(-1) ?? path;
}
