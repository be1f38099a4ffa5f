import * as vscode from 'vscode';
import { CONTEXTS, VIEWS } from '../ids';
import type { Calibrations } from './calibration/calibrations';
import type { Dimensions } from './dimensions';
import { enginePath } from './enginePath';
import { layerTooltip } from './layerText';
import { markdown } from './markdown';
import type { Model, Models } from './models';
import { modelTooltip } from './modelText';
import { basename } from './paths';
import type { PlanFiles } from './plans/planFiles';
import { planUri } from './plans/planUri';
import { rowItem } from './rowItem';
import { type LayerRow, type ModelRow, type Order, type Row, rowsOf } from './rows';
import type { Suggestions } from './suggestions';

const ORDER = 'ranksmith.order';

/** The Layers view. */
export interface Tree extends vscode.Disposable {
  readonly provider: vscode.TreeDataProvider<Row>;
  /** The rows that are selected. */
  selection(): readonly Row[];
  readonly onDidSelect: vscode.Event<readonly Row[]>;
  /** Selects a layer where the view is in sight; the focus stays where it is. */
  select(model: Model, layer: string): Promise<void>;
  /** Shows a model in the view, expanded, or one of its layers. */
  reveal(model: Model, layer?: string): Promise<void>;
  sort(order: Order): Promise<void>;
}

/** Rows arrive in bursts of well under a second. */
const REVEAL_TRIES = 20;
const REVEAL_PAUSE_MS = 100;

export function createTree(
  models: Models,
  suggestions: Suggestions,
  planFiles: PlanFiles,
  dimensions: Dimensions,
  calibrations: Calibrations,
  state: vscode.Memento,
): Tree {
  const changed = new vscode.EventEmitter<Row | Row[] | undefined>();
  const selected = new vscode.EventEmitter<readonly Row[]>();
  /** VS Code knows rows by identity. */
  const modelRows = new WeakMap<Model, ModelRow>();
  /** The layers that were last shown below a model. */
  const layerRows = new WeakMap<Model, readonly LayerRow[]>();
  let listed: readonly Model[] = [];
  let ambiguous: ReadonlySet<string> = new Set();
  let order = state.get<Order>(ORDER, 'position');

  const rowOf = (model: Model): ModelRow => {
    const row = modelRows.get(model) ?? { kind: 'model', model };
    modelRows.set(model, row);
    return row;
  };

  const hasSizes = (uri: vscode.Uri) => Object.keys(dimensions.of(uri)).length > 0;

  const provider: vscode.TreeDataProvider<Row> = {
    onDidChangeTreeData: changed.event,
    async getChildren(row) {
      if (!row) {
        listed = await models.list();
        ambiguous = repeated(listed.map((model) => basename(model.uri.fsPath)));
        void vscode.commands.executeCommand('setContext', CONTEXTS.searched, true);
        return listed.map(rowOf);
      }
      if (row.kind !== 'model') return [];
      await models.read(row.model);
      suggestions.want(row.model);
      const rows = rowsOf(row.model, order);
      layerRows.set(
        row.model,
        rows.filter((each) => each.kind === 'layer'),
      );
      return [...rows];
    },
    getParent: (row) => (row.kind === 'model' ? undefined : rowOf(row.model)),
    getTreeItem(row) {
      // Its description is what makes a model be read; it arrives with the change event.
      if (row.kind === 'model') void models.read(row.model);
      const expanded = listed.length === 1;
      return rowItem(row, {
        order,
        ambiguous,
        expanded,
        hasSizes,
        planOf: planFiles.of,
        dataOf: calibrations.of,
      });
    },
    resolveTreeItem(item, row) {
      const text = tooltipOf(row, planFiles, calibrations);
      item.tooltip = text === undefined ? undefined : new vscode.MarkdownString(text, true);
      return item;
    },
  };

  const view = vscode.window.createTreeView(VIEWS.layers, {
    treeDataProvider: provider,
    canSelectMany: true,
    showCollapseAll: true,
  });
  const setOrder = (wanted: Order) => {
    order = wanted;
    return vscode.commands.executeCommand('setContext', CONTEXTS.order, order);
  };
  void setOrder(order);
  const subscriptions = vscode.Disposable.from(
    changed,
    selected,
    view,
    view.onDidChangeSelection(({ selection }) => selected.fire(selection)),
    models.onDidChange((model) => changed.fire(model && rowOf(model))),
    calibrations.onDidChange((uri) => {
      const model = listed.find((each) => each.uri.toString() === uri.toString());
      if (model) changed.fire(rowOf(model));
    }),
    planFiles.onDidChange(({ uri, layers, isOther }) => {
      const model = listed.find((each) => planUri(each.uri).toString() === uri.toString());
      if (!model) return;
      // A model's row takes all below it along.
      if (isOther) changed.fire(rowOf(model));
      else changed.fire((layerRows.get(model) ?? []).filter(({ layer }) => layers.has(layer.name)));
    }),
    view.onDidCollapseElement(({ element }) => {
      if (element.kind === 'model') suggestions.drop(element.model);
    }),
  );
  /** VS Code looks a row up twice and fails when rows arrive in between ("Data tree node not found"): then again. */
  const revealRow = async (row: Row, how: Parameters<typeof view.reveal>[1]): Promise<void> => {
    for (let left = REVEAL_TRIES - 1; ; left--) {
      try {
        return await view.reveal(row, how);
      } catch (error) {
        if (left === 0 || !/TreeError/.test(String(error))) throw error;
        await new Promise((resolve) => setTimeout(resolve, REVEAL_PAUSE_MS));
      }
    }
  };

  /** VS Code knows a row that is shown by its identity. */
  const layerRow = (model: Model, layer: string): Row | undefined =>
    [...(layerRows.get(model) ?? []), ...rowsOf(model, order)].find(
      (each) => each.kind === 'layer' && each.layer.name === layer,
    );

  return {
    provider,
    dispose: () => subscriptions.dispose(),
    selection: () => view.selection,
    onDidSelect: selected.event,
    async select(model, layer) {
      const isSelected = view.selection.some(
        (row) => row.kind === 'layer' && row.model === model && row.layer.name === layer,
      );
      if (!view.visible || isSelected) return;
      await models.read(model);
      const row = layerRow(model, layer);
      if (row) await revealRow(row, { select: true, focus: false });
    },
    async reveal(model, layer) {
      const how = { select: true, focus: true };
      // A view that is not there yet comes up with its rows as they are by default: expanding is for the second time.
      if (!view.visible) await revealRow(rowOf(model), how);
      await revealRow(rowOf(model), { ...how, expand: true });
      if (layer === undefined) return;
      await models.read(model);
      const row = layerRow(model, layer);
      if (row) await revealRow(row, how);
    },
    async sort(wanted) {
      await setOrder(wanted);
      await state.update(ORDER, order);
      changed.fire(undefined);
    },
  };
}

function tooltipOf(row: Row, planFiles: PlanFiles, calibrations: Calibrations): string | undefined {
  switch (row.kind) {
    case 'layer':
      return layerTooltip(row.layer, row.analysis, planFiles.of(row.model.uri)?.entries.get(row.layer.name));
    case 'model': {
      const { state, uri } = row.model;
      if (state.kind === 'ready')
        return modelTooltip(enginePath(uri), state.analysis, planFiles.of(uri), calibrations.of(uri));
      return state.kind === 'failed' ? markdown(state.message) : undefined;
    }
    case 'notice':
      return undefined;
  }
}

function repeated(names: readonly string[]): ReadonlySet<string> {
  return new Set(names.filter((name, i) => names.indexOf(name) !== i));
}
