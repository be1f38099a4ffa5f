import type { Analysis } from '../../src/core/compress/analysis';
import type { ModelInspection } from '../../src/core/compress/modelStructure';
import { plural } from '../../src/core/counted';
import {
  formatBytes,
  formatCount,
  formatMacs,
  formatMacsOf,
  formatNumber,
  formatShape,
} from '../../src/core/format';
import { element } from '../element';
import { fill, fillPart } from '../fill';
import { dataTable } from '../table/dataTable';
import type { TableState } from '../table/virtualTable';
import { layersSection } from './layersSection';
import type { ModelAction, ToModelPage } from './messages';
import type { ModelTexts } from './modelTexts';

/** What the page keeps, and what it does when something is clicked. */
export interface ModelPageOptions {
  readonly filter: string;
  readonly table: TableState | undefined;
  onFilter(text: string): void;
  onTable(state: TableState): void;
  onAction(action: ModelAction): void;
  onLayer(name: string): void;
}

/** A model at a glance: figures, problems, structure, layers. */
export function modelPage(
  { name, place, view, texts }: ToModelPage,
  options: ModelPageOptions,
): readonly HTMLElement[] {
  const title = element(
    'header',
    {},
    element('h1', { title: place }, name),
    ...(place ? [element('p', { class: 'place' }, place)] : []),
  );
  const button = (action: ModelAction, text: string, isFirst = false) =>
    element(
      'button',
      { class: isFirst ? 'button' : 'button secondary', onclick: () => options.onAction(action) },
      text,
    );
  switch (view.kind) {
    case 'reading':
      return [title, element('p', { class: 'note', role: 'status' }, texts.reading)];
    case 'failed':
      return [
        title,
        element('p', { class: 'problem error', role: 'alert' }, view.message),
        element('p', { class: 'note' }, texts.failed),
        element('div', { class: 'buttons' }, button('openWith', texts.openWith)),
      ];
    case 'ready': {
      const { analysis, structure } = view.inspection;
      const buttons = [
        button('compress', texts.compress, true),
        button('plan', texts.plan),
        button('report', texts.report),
        button('compare', texts.compare),
        ...(analysis.freeDims.length > 0 || Object.keys(analysis.assumedDims).length > 0
          ? [button('dimensions', texts.dimensions)]
          : []),
      ];
      return [
        title,
        element('p', { class: 'headline' }, headline(analysis, texts)),
        element('div', { class: 'buttons' }, ...buttons),
        ...problems(view.inspection, texts),
        element(
          'section',
          { 'aria-label': texts.overview },
          element('h2', {}, texts.overview),
          element('dl', { class: 'facts' }, ...facts(view.inspection, texts)),
        ),
        values(structure.inputs, texts.inputs, texts),
        values(structure.outputs, texts.outputs, texts),
        operators(view.inspection, texts),
        ...dataFiles(view.inspection, texts),
        ...metadata(view.inspection, texts),
        layersSection(analysis, texts, options),
      ];
    }
  }
}

function headline(analysis: Analysis, texts: ModelTexts): string {
  const macs = formatMacsOf(analysis);
  const { stored } = analysis.parameters;
  return [
    fill(plural(stored, ...texts.someParameters), formatCount(stored)),
    macs === formatMacs(null) ? texts.noMacs : fill(texts.someMacs, macs),
    formatBytes(analysis.bytes),
  ].join(' · ');
}

function problems({ analysis, structure }: ModelInspection, texts: ModelTexts): readonly HTMLElement[] {
  const found = [
    ...structure.dataFiles.flatMap(({ trouble }) => (trouble === undefined ? [] : [trouble])),
    ...analysis.problems.map(({ message }) => message),
    ...structure.problems.map(({ message }) => message),
  ];
  if (found.length === 0) return [];
  return [
    element(
      'section',
      { 'aria-label': texts.problems },
      element('h2', {}, `${texts.problems} (${formatNumber(found.length)})`),
      element('ul', { class: 'problems' }, ...found.map((text) => element('li', { class: 'problem' }, text))),
    ),
  ];
}

function facts({ analysis, structure }: ModelInspection, texts: ModelTexts): readonly HTMLElement[] {
  const { parameters } = analysis;
  const unknown = (text: string | null) => text ?? texts.unknown;
  const pairs = (record: Readonly<Record<string, string | number>>, join: string) =>
    Object.entries(record)
      .map(([key, value]) => `${key}${join}${value}`)
      .join(', ');
  const types = Object.fromEntries(
    Object.entries(analysis.bytesByType).map(([type, bytes]) => [type, formatBytes(bytes)]),
  );
  const opsets = Object.fromEntries(
    Object.entries(structure.opsets).map(([domain, version]) => [domain || texts.standardDomain, version]),
  );
  const entries: readonly (readonly [string, string])[] = [
    [
      texts.parameters,
      [
        formatCount(parameters.stored),
        ...(parameters.used === parameters.stored
          ? []
          : [fill(texts.parametersUsed, formatCount(parameters.used))]),
        ...(parameters.statistics === 0
          ? []
          : [fill(plural(parameters.statistics, ...texts.statistics), formatCount(parameters.statistics))]),
      ].join(', '),
    ],
    [texts.macs, formatMacsOf(analysis) === formatMacs(null) ? texts.unknown : formatMacsOf(analysis)],
    [texts.flops, unknown(analysis.flops === null ? null : formatCount(analysis.flops))],
    [texts.otherOps, unknown(analysis.otherOps === null ? null : formatCount(analysis.otherOps))],
    [texts.assumed, pairs(analysis.assumedDims, ' = ')],
    [
      texts.size,
      formatBytes(analysis.bytes) +
        (analysis.bytes > 0 && pairs(types, ' ') ? ` (${pairs(types, ' ')})` : ''),
    ],
    [
      texts.activations,
      unknown(analysis.activationBytes === null ? null : formatBytes(analysis.activationBytes)),
    ],
    [texts.opsets, pairs(opsets, ' ')],
    [texts.irVersion, String(structure.irVersion)],
    [texts.producer, [structure.producer, structure.producerVersion].filter(Boolean).join(' ')],
    [texts.domain, structure.domain],
    [texts.modelVersion, structure.version === 0 ? '' : String(structure.version)],
    [texts.graph, structure.graph],
    [
      texts.nodes,
      structure.bodies === 0
        ? formatNumber(structure.nodes)
        : fillPart(texts.nodesWithBodies, structure.nodes, structure.bodies),
    ],
    [texts.initializers, formatNumber(structure.initializers)],
    [texts.functions, structure.functions === 0 ? '' : formatNumber(structure.functions)],
    [
      texts.description,
      [structure.description, structure.hasTraining ? texts.training : ''].filter(Boolean).join(' '),
    ],
  ];
  return entries
    .filter(([, value]) => value !== '')
    .map(([name, value]) => element('div', {}, element('dt', {}, name), element('dd', {}, value)));
}

function values(list: ModelInspection['structure']['inputs'], title: string, texts: ModelTexts): HTMLElement {
  return element(
    'section',
    { 'aria-label': title },
    element('h2', {}, title),
    list.length === 0
      ? element('p', { class: 'note' }, texts.none)
      : dataTable(
          title,
          titled(texts.name, texts.type, texts.shape),
          list.map(({ name, type, shape }) => [
            name,
            type === 'unknown' ? texts.unknown : type,
            shape === null ? texts.unknown : formatShape(shape),
          ]),
        ),
  );
}

function operators({ structure }: ModelInspection, texts: ModelTexts): HTMLElement {
  const most = Math.max(1, ...structure.operators.map(({ count }) => count));
  const items = structure.operators.map(({ op, domain, count }) => {
    const bar = element('span', { class: 'bar', 'aria-hidden': 'true' });
    bar.style.width = `${(100 * count) / most}%`;
    const name = domain ? `${domain}:${op}` : op;
    return element(
      'li',
      { title: `${name}: ${formatNumber(count)}` },
      bar,
      element('span', { class: 'op' }, name),
      element('span', { class: 'count' }, formatNumber(count)),
    );
  });
  return element(
    'section',
    { 'aria-label': texts.operators },
    element('h2', {}, texts.operators),
    element('ul', { class: 'operators' }, ...items),
  );
}

function dataFiles({ structure }: ModelInspection, texts: ModelTexts): readonly HTMLElement[] {
  if (structure.dataFiles.length === 0) return [];
  const rows = structure.dataFiles.map(({ location, size, tensors, bytes, trouble }) => [
    location,
    size === null ? '–' : formatBytes(size),
    `${formatNumber(tensors)} (${formatBytes(bytes)})`,
    trouble ?? texts.present,
  ]);
  return [
    element(
      'section',
      { 'aria-label': texts.dataFiles },
      element('h2', {}, texts.dataFiles),
      dataTable(texts.dataFiles, titled(texts.file, texts.size, texts.tensors, texts.state), rows),
    ),
  ];
}

function metadata({ structure }: ModelInspection, texts: ModelTexts): readonly HTMLElement[] {
  const { metadata: entries, omittedMetadata } = structure;
  if (entries.length === 0 && omittedMetadata === 0) return [];
  return [
    element(
      'section',
      { 'aria-label': texts.metadata },
      element('h2', {}, texts.metadata),
      dataTable(
        texts.metadata,
        titled(texts.key, texts.value),
        entries.map(({ key, value }) => [key, value]),
      ),
      ...(omittedMetadata === 0
        ? []
        : [element('p', { class: 'note' }, fill(texts.omitted, omittedMetadata))]),
    ),
  ];
}

/** Columns of text. */
const titled = (...titles: readonly string[]) => titles.map((title) => ({ title }));
