import * as vscode from 'vscode';
import { isCheckpoint } from '../core/checkpoint/isCheckpoint';
import type { Analysis } from '../core/compress/analysis';
import { COMMANDS, ROWS } from '../ids';
import type { Calibration } from './calibration/calibrations';
import { dataName } from './calibration/calibrationText';
import { isSuggested, layerDescription, layerLabel } from './layerText';
import { modelDescription, modelLabel, planText } from './modelText';
import { basename, dirname } from './paths';
import type { ModelPlan } from './plans/planFiles';
import type { LayerRow, ModelRow, NoticeRow, Order, Row } from './rows';
import { SKIPPED_SCHEME } from './skippedDecoration';

/** How rows look, given what their neighbours are. */
export interface RowStyle {
  readonly order: Order;
  /** Model files of the same name, which need their folder to be told apart. */
  readonly ambiguous: ReadonlySet<string>;
  /** The only model is shown expanded. */
  readonly expanded: boolean;
  /** Whether somebody gave sizes to dimensions of this model. */
  hasSizes(uri: vscode.Uri): boolean;
  /** The plan beside a model. */
  planOf(model: vscode.Uri): ModelPlan | undefined;
  /** The calibration data chosen for a model. */
  dataOf(model: vscode.Uri): Calibration | null | undefined;
}

/** A row as the tree shows it; the tooltip comes when it is asked for. */
export function rowItem(row: Row, style: RowStyle): vscode.TreeItem {
  switch (row.kind) {
    case 'model':
      return modelItem(row, style);
    case 'layer':
      return layerItem(row, style);
    case 'notice':
      return noticeItem(row);
  }
}

function modelItem({ model }: ModelRow, style: RowStyle): vscode.TreeItem {
  const { ambiguous, expanded, hasSizes, planOf, dataOf } = style;
  const { uri, state } = model;
  const name = basename(uri.fsPath);
  const item = new vscode.TreeItem(
    name,
    expanded ? vscode.TreeItemCollapsibleState.Expanded : vscode.TreeItemCollapsibleState.Collapsed,
  );
  item.id = uri.toString();
  const place = dirname(vscode.workspace.asRelativePath(uri));
  const folder = ambiguous.has(name) && place !== '.' ? place : undefined;
  const plan = planOf(uri);
  const data = dataOf(uri);
  const describe = (text: string | undefined) =>
    [folder, plan && planText(plan), data && dataName(data), text].filter((part) => part).join(' · ');
  switch (state.kind) {
    case 'unread':
      item.iconPath = new vscode.ThemeIcon('file-binary');
      // Whoever shows a row has it read.
      item.description = describe(vscode.l10n.t('reading…'));
      item.contextValue = isCheckpoint(uri.path) ? ROWS.checkpoint : ROWS.model;
      break;
    case 'failed':
      item.iconPath = new vscode.ThemeIcon('warning', new vscode.ThemeColor('list.warningForeground'));
      item.description = describe(vscode.l10n.t('can’t be read'));
      item.contextValue = ROWS.brokenModel;
      break;
    case 'ready': {
      const { analysis } = state;
      item.iconPath = new vscode.ThemeIcon('file-binary');
      item.description = describe(modelDescription(analysis));
      if (analysis.format !== 'onnx') item.contextValue = ROWS.checkpoint;
      else item.contextValue = hasSizes(model.uri) || isDynamic(analysis) ? ROWS.dynamicModel : ROWS.model;
      break;
    }
  }
  const spoken = state.kind === 'ready' ? describe(modelLabel(state.analysis)) : item.description;
  item.accessibilityInformation = { label: [name, spoken].filter((part) => part).join(', ') };
  return item;
}

function isDynamic({ freeDims, assumedDims }: Analysis): boolean {
  return freeDims.length > 0 || Object.keys(assumedDims).length > 0;
}

/** What stands for an operator; anything else is a plain symbol. */
const OPERATOR_ICONS: Readonly<Record<string, string>> = {
  Conv: 'layers',
  ConvTranspose: 'layers',
  Gemm: 'symbol-array',
  MatMul: 'symbol-array',
};

function layerItem({ model, layer, title, analysis }: LayerRow, style: RowStyle): vscode.TreeItem {
  const planned = style.planOf(model.uri)?.entries.get(layer.name);
  const item = new vscode.TreeItem(title);
  item.id = `${model.uri.toString()}#${layer.name}`;
  item.description = layerDescription(layer, analysis, style.order, planned);
  item.accessibilityInformation = { label: `${title}, ${layerLabel(layer, analysis, planned)}` };
  const skipped = layer.status === 'skipped';
  if (skipped || analysis.format !== 'onnx') item.contextValue = ROWS.fixedLayer;
  else if (!layer.suggestion || isSuggested(planned, layer)) item.contextValue = ROWS.layer;
  else item.contextValue = ROWS.suggestedLayer;
  item.iconPath = new vscode.ThemeIcon(
    OPERATOR_ICONS[layer.op] ?? 'symbol-misc',
    skipped ? new vscode.ThemeColor('disabledForeground') : undefined,
  );
  if (skipped) item.resourceUri = vscode.Uri.from({ scheme: SKIPPED_SCHEME, path: `/${layer.name}` });
  return item;
}

function noticeItem({ model, notice }: NoticeRow): vscode.TreeItem {
  const item = new vscode.TreeItem('');
  item.id = `${model.uri.toString()}?${notice.kind}`;
  switch (notice.kind) {
    case 'unreadable':
    case 'no-suggestions':
      item.label = notice.message;
      item.iconPath = new vscode.ThemeIcon('error', new vscode.ThemeColor('list.errorForeground'));
      item.accessibilityInformation = { label: vscode.l10n.t('{0} Enter tries again.', notice.message) };
      item.command = {
        command: COMMANDS.refresh,
        title: vscode.l10n.t('Try Again'),
        arguments: [{ kind: 'model', model }],
      };
      break;
    case 'no-layers':
      item.label = vscode.l10n.t('No layer with constant weights');
      item.iconPath = new vscode.ThemeIcon('info');
      break;
    case 'free-dimensions': {
      item.label = vscode.l10n.t('Set dimensions to count MACs…');
      item.description = notice.names.join(', ');
      item.iconPath = new vscode.ThemeIcon('symbol-ruler');
      item.command = {
        command: COMMANDS.setDimensions,
        title: vscode.l10n.t('Set Dimensions…'),
        arguments: [{ kind: 'model', model }],
      };
    }
  }
  return item;
}
