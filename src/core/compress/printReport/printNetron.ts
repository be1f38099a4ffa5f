import { formatRanks } from '../../format';
import type { Overview, OverviewLayer } from '../overview';
import type { CompressionReport, LayerReport } from '../report';

/** One line in Netron's side bar. */
interface NetronItem {
  readonly kind: 'model' | 'node';
  /** Name of the node; empty for the model. */
  readonly target: string;
  readonly name: string;
  /** How Netron shows the value: `attribute` as it is. */
  readonly type: 'attribute';
  readonly value: number | string;
}

/**
 * The figures as what Netron calls an attachment (`netron:attachment`): opened beside the model, its `metadata` and `metrics`
 * appear with the nodes they name. With a report the nodes are those of the written file; of several that stand for one layer
 * each has the figures of the whole. A node without a name can't be referred to and is left out.
 */
export function printNetron(overview: Overview, report?: CompressionReport): string {
  const { basis, before, after, layers } = overview;
  const figures = after ?? before;
  const metrics: NetronItem[] = [];
  const metadata: NetronItem[] = [];
  const add = (to: NetronItem[], target: string, name: string, value: number | string | null | undefined) => {
    if (value === null || value === undefined) return;
    to.push({ kind: target === '' ? 'model' : 'node', target, name, type: 'attribute', value });
  };
  add(metadata, '', 'ranksmith', basis === 'none' ? 'as it is' : basis);
  add(metadata, '', 'original', after && nameOf(overview.file));
  if (report) {
    add(metadata, '', 'engine', report.engine);
    add(metadata, '', 'reproduce', report.reproduce?.command);
    add(metrics, '', 'output error', report.outputError.relative);
    add(metrics, '', 'accuracy before', report.accuracy?.before);
    add(metrics, '', 'accuracy', report.accuracy?.after);
    add(
      metrics,
      '',
      'decisions as before',
      report.decisions && report.decisions.kept / report.decisions.count,
    );
  }
  add(metrics, '', 'parameters', figures.parameters);
  add(metrics, '', 'MACs', figures.macs);
  add(metrics, '', 'bytes', figures.bytes);
  add(metrics, '', 'peak activation bytes', figures.activationBytes);
  add(metrics, '', 'ms', figures.ms);
  for (const [i, layer] of layers.entries()) {
    for (const target of targetsOf(layer, report?.layers[i])) {
      add(metadata, target, 'layer', layer.name);
      add(metadata, target, 'method', layer.method);
      add(metadata, target, 'ranks', layer.ranks && formatRanks(layer.ranks));
      add(metadata, target, 'note', layer.note);
      add(metrics, target, 'parameters', (layer.after ?? layer.before).parameters);
      add(metrics, target, 'MACs', (layer.after ?? layer.before).macs);
      add(metrics, target, 'ms', (layer.after ?? layer.before).ms);
      add(metrics, target, 'parameters before', layer.after && layer.before.parameters);
      add(metrics, target, 'MACs before', layer.after && layer.before.macs);
      add(metrics, target, 'weight error', layer.weightError);
      add(metrics, target, 'output error', layer.outputError);
    }
  }
  return `${JSON.stringify({ signature: 'netron:attachment', metadata, metrics }, undefined, 2)}\n`;
}

/** Netron knows a node by the first line of its name. */
function targetsOf(layer: OverviewLayer, written: LayerReport | undefined): readonly string[] {
  const names = written?.nodes ?? [layer.name];
  return [...new Set(names.map((name) => name.split('\n')[0]!))].filter((name) => name !== '');
}

function nameOf(path: string): string {
  return path.split(/[\\/]/).at(-1) ?? path;
}
