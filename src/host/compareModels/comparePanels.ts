import * as vscode from 'vscode';
import type { CompareView, FromComparePage, ToComparePage } from '../../../webview/comparePage/messages';
import { comparisonCsv } from '../../core/compress/compare/comparisonCsv';
import type { ModelComparison } from '../../core/compress/compare/modelComparison';
import type { CompressionReport } from '../../core/compress/report';
import { EDITORS, PANELS } from '../../ids';
import type { CallOptions, Engine } from '../../worker/engine';
import { type Calibrations, requestOf } from '../calibration/calibrations';
import { dataName } from '../calibration/calibrationText';
import { enginePath, fileUri } from '../enginePath';
import { withEngineTexts } from '../engineText';
import type { Failures } from '../failures';
import { nameOf, placeOf } from '../fileNames';
import type { Models } from '../models';
import { onDisk } from '../onDisk';
import { pageHtml, pageOptions } from '../pageHtml';
import { watchFiles } from '../watchFiles';
import { withNotification } from '../withNotification';
import { compareTexts } from './compareTexts';
import { isReportOf, withReport } from './withReport';

/** Two models, the first as it was and the second as it became. */
export interface Pair {
  readonly before: vscode.Uri;
  readonly after: vscode.Uri;
}

/** The editor tabs that compare two models. */
export interface ComparePanels extends vscode.Disposable {
  /** Opens a tab for two models, or shows the one that is open. Resolves when it knows what differs, or why nobody can say. */
  open(pair: Pair): Promise<CompareView>;
  /** What the tab of a pair shows; undefined where none is open. */
  viewOf(pair: Pair): CompareView | undefined;
  /** Runs both models of an open tab, as its button does. */
  run(pair: Pair): Promise<void>;
  swap(pair: Pair): Promise<void>;
}

interface Parts {
  readonly engine: Engine;
  readonly models: Models;
  readonly failures: Failures;
  readonly extension: vscode.Uri;
  /** The last compression. */
  lastReport(): CompressionReport | null;
  readonly calibrations: Calibrations;
}

interface Panel {
  readonly panel: vscode.WebviewPanel;
  pair: Pair;
  view: CompareView;
  /** Of the files when they were read. */
  stamp: string;
  /** Counts readings: an answer to an older one is dropped. */
  version: number;
  watcher: vscode.Disposable;
  abort: AbortController;
}

const keyOf = ({ before, after }: Pair) => `${before}\n${after}`;

export function createComparePanels(parts: Parts): ComparePanels {
  const { engine, models, failures, extension, lastReport, calibrations } = parts;
  const panels = new Set<Panel>();
  const find = (pair: Pair) => [...panels].find((each) => keyOf(each.pair) === keyOf(pair));

  /** What a pair is run on: the data of the one, or else of the other. */
  const dataOf = ({ before, after }: Pair) => calibrations.of(before) ?? calibrations.of(after);

  function send({ panel, pair, view }: Panel): void {
    const { before, after } = pair;
    const data = dataOf(pair);
    const side = (uri: vscode.Uri) => ({ name: nameOf(uri), place: placeOf(uri) });
    const message: ToComparePage = {
      kind: 'show',
      pair: { before: enginePath(before), after: enginePath(after) },
      before: side(before),
      after: side(after),
      view: withEngineTexts(view),
      texts: compareTexts(data ? dataName(data) : undefined),
    };
    void panel.webview.postMessage(message);
  }

  function show(open: Panel, view: CompareView): void {
    open.view = view;
    send(open);
  }

  const ready = (comparison: ModelComparison): CompareView => ({
    kind: 'ready',
    ...withReport(comparison, lastReport()),
  });

  const request = ({ before, after }: Pair) => ({
    before: enginePath(onDisk(before)),
    after: enginePath(onDisk(after)),
    dims: models.request(before).dims ?? {},
  });

  /** What the files say at once; then, with their weights read, whether what looks the same is. */
  async function read(open: Panel): Promise<void> {
    const version = ++open.version;
    open.abort.abort();
    open.abort = new AbortController();
    const { signal } = open.abort;
    open.stamp = await stampOf(open.pair);
    for (const weights of [false, true]) {
      const compare = async () => engine.compareModels({ ...request(open.pair), weights }, { signal });
      const outcome = await failures.orSentence(compare());
      if (open.version !== version) return;
      if ('message' in outcome) {
        show(open, { kind: 'failed', message: outcome.message });
        return;
      }
      show(open, ready(outcome.value));
    }
  }

  async function run(open: Panel): Promise<void> {
    const { version, pair, view } = open;
    const data = dataOf(pair);
    const report = lastReport();
    // What was held back when it was compressed is held back again.
    const isMade = report && view.kind === 'ready' && isReportOf(report, view.comparison);
    const how = {
      ...(data ? { calibration: requestOf(data) } : {}),
      ...(isMade && report.reproduce ? { seed: report.reproduce.seed } : {}),
    };
    const title = vscode.l10n.t('Run {0} and {1}', nameOf(pair.before), nameOf(pair.after));
    const notified = { title, cancelled: vscode.l10n.t('The models were not run') };
    const compare = (call: CallOptions) =>
      engine.compareModels({ ...request(pair), ...how, weights: true, run: true }, call);
    const comparison = await withNotification(notified, compare);
    if (open.version === version) show(open, ready(comparison));
  }

  async function exportCsv({ view, pair }: Panel): Promise<void> {
    if (view.kind !== 'ready') return;
    const name = `${nameOf(pair.before)}-${nameOf(pair.after)}.csv`.replaceAll('.onnx', '');
    const target = await vscode.window.showSaveDialog({
      defaultUri: vscode.Uri.joinPath(pair.after, '..', name),
      filters: { CSV: ['csv'] },
    });
    if (!target) return;
    await vscode.workspace.fs.writeFile(target, new TextEncoder().encode(comparisonCsv(view.comparison)));
  }

  /** Shows another pair in a tab. */
  async function setPair(open: Panel, pair: Pair): Promise<void> {
    open.pair = pair;
    open.panel.title = vscode.l10n.t('{0} ↔ {1}', nameOf(pair.before), nameOf(pair.after));
    open.watcher.dispose();
    // Events of what happened before the files were read arrive late.
    const readIfOther = async () => {
      if ((await stampOf(open.pair)) !== open.stamp) await read(open);
    };
    open.watcher = watchFiles([pair.before, pair.after], () => void readIfOther());
    await read(open);
  }

  function swapped(open: Panel): Promise<void> {
    const { before, after } = open.pair;
    return setPair(open, { before: after, after: before });
  }

  function act(open: Panel, message: FromComparePage): Promise<unknown> | undefined {
    if (message.kind === 'open') {
      return Promise.resolve(
        vscode.commands.executeCommand('vscode.openWith', open.pair[message.side], EDITORS.model),
      );
    }
    if (message.kind === 'ready') {
      send(open);
      return undefined;
    }
    switch (message.action) {
      case 'swap':
        return swapped(open);
      case 'run':
        return run(open);
      case 'export':
        return exportCsv(open);
    }
  }

  /** Fills a tab, a new one or one that was there before a restart. */
  function fill(
    panel: vscode.WebviewPanel,
    pair: Pair,
  ): { readonly open: Panel; readonly done: Promise<void> } {
    const open: Panel = {
      panel,
      pair,
      view: { kind: 'reading' },
      version: 0,
      stamp: '',
      watcher: new vscode.Disposable(() => {}),
      abort: new AbortController(),
    };
    panels.add(open);
    panel.iconPath = vscode.Uri.joinPath(extension, 'media', 'icon.png');
    panel.webview.options = pageOptions(extension);
    panel.onDidDispose(() => {
      panels.delete(open);
      open.version = Number.NaN;
      open.abort.abort();
      open.watcher.dispose();
    });
    panel.webview.onDidReceiveMessage((message: FromComparePage) => {
      act(open, message)?.catch(failures.show);
    });
    panel.webview.html = pageHtml(panel.webview, extension, 'comparePage');
    return { open, done: setPair(open, pair) };
  }

  const serializer = vscode.window.registerWebviewPanelSerializer(PANELS.compare, {
    async deserializeWebviewPanel(panel, state: { readonly pair?: ToComparePage['pair'] } | undefined) {
      const pair = state?.pair;
      if (!pair) panel.dispose();
      else fill(panel, { before: fileUri(pair.before), after: fileUri(pair.after) });
    },
  });

  const subscription = calibrations.onDidChange((model) => {
    const isOf = ({ before, after }: Pair) => [before, after].some((uri) => `${uri}` === `${model}`);
    for (const open of panels) if (isOf(open.pair)) send(open);
  });

  return {
    async open(pair) {
      const present = find(pair);
      if (present) {
        present.panel.reveal();
        await read(present);
        return present.view;
      }
      const panel = vscode.window.createWebviewPanel(PANELS.compare, '', vscode.ViewColumn.Active);
      const { open, done } = fill(panel, pair);
      await done;
      return open.view;
    },
    viewOf: (pair) => find(pair)?.view,
    run: async (pair) => {
      const open = find(pair);
      if (open) await run(open);
    },
    swap: async (pair) => {
      const open = find(pair);
      if (open) await swapped(open);
    },
    dispose() {
      subscription.dispose();
      serializer.dispose();
      for (const { panel } of panels) panel.dispose();
    },
  };
}

/** Sizes and times of two files: changes whenever one of them does. */
async function stampOf({ before, after }: Pair): Promise<string> {
  const stats = [before, after].map((uri) =>
    vscode.workspace.fs.stat(uri).then(
      ({ size, mtime }) => `${size}:${mtime}`,
      () => 'missing',
    ),
  );
  return (await Promise.all(stats)).join('|');
}
