import * as vscode from 'vscode';
import { isCheckpoint } from '../core/checkpoint/isCheckpoint';
import { parseTarget, type Target } from '../core/compress/plan';
import type { CompressionReport } from '../core/compress/report';
import { ModelError } from '../core/onnx/modelError';
import { COMMANDS, type CommandId, EDITORS, VIEWS, WALKTHROUGH } from '../ids';
import type { CalibrationRequest } from '../worker/engine';
import { askDimensions } from './askDimensions';
import type { ChooseCalibration } from './calibration/chooseCalibration';
import type { ChooseForPlan } from './calibration/chooseForPlan';
import type { ComparePanels } from './compareModels/comparePanels';
import { pickPair } from './compareModels/pickPair';
import type { Compress, CompressChoices } from './compress';
import type { Dimensions } from './dimensions';
import type { EngineHost } from './engine';
import type { FirstSteps } from './firstSteps';
import type { Models } from './models';
import { onDisk } from './onDisk';
import { pickModel } from './pickModel';
import type { ApplySuggestions } from './plans/applySuggestions';
import type { CompareMethods } from './plans/compareMethods';
import type { FixPlan } from './plans/fixPlan';
import type { OpenPlan } from './plans/openPlan';
import type { PlanActions } from './plans/planActions';
import type { PlanChanges } from './plans/planChanges';
import type { Replan, ReplanArgument } from './plans/replan';
import { type LayerArgument, revealInPlan } from './plans/revealInPlan';
import type { ExportArgument } from './report/exportReport';
import type { ReportView } from './reportView';
import { revealFile } from './revealFile';
import type { LayerRow, Row } from './rows';
import type { SampleFile } from './sampleFile';
import type { Tree } from './tree';

/** What *Compress Model…* takes instead of asking: for keybindings, tasks and tests. */
export interface CompressArgument {
  readonly uri: vscode.Uri;
  /** As the CLI takes it (`parameters=0.5`), or as data. */
  readonly target?: string | Target;
  /** Carry out this plan; false: ask for a goal even where there is a plan. Without it a target goes before a plan. */
  readonly plan?: vscode.Uri | false;
  readonly output?: vscode.Uri;
  readonly overwrite?: boolean;
  /** Data to calibrate on, in the place of what was chosen for the model; null: none. */
  readonly calibration?: CalibrationRequest | null;
  readonly signal?: AbortSignal;
}

interface Parts {
  readonly host: EngineHost;
  readonly models: Models;
  readonly tree: Tree;
  readonly dimensions: Dimensions;
  readonly compress: Compress;
  readonly comparePanels: ComparePanels;
  readonly chooseCalibration: ChooseCalibration;
  readonly chooseForPlan: ChooseForPlan;
  readonly openPlan: OpenPlan;
  readonly applySuggestions: ApplySuggestions;
  readonly compareMethods: CompareMethods;
  readonly changes: PlanChanges;
  readonly planActions: PlanActions;
  readonly replan: Replan;
  readonly fixPlan: FixPlan;
  readonly report: ReportView;
  readonly steps: FirstSteps;
  readonly sampleFile: SampleFile;
  readonly extensionId: string;
  readonly log: vscode.LogOutputChannel;
}

/** What a menu hands over: what was clicked, and all that was selected. */
type FromMenu = readonly [
  clicked?: vscode.Uri | Row | CompressArgument,
  selected?: readonly (vscode.Uri | Row)[],
];

/** Checkpoints hold weights only. */
const hasGraph = (uri: vscode.Uri) => !isCheckpoint(uri.path);

/** Every command of the extension, by id. */
export function commandTable(parts: Parts): Readonly<Record<CommandId, (...args: never[]) => unknown>> {
  const { host, models, tree, dimensions, compress, comparePanels, log } = parts;
  const {
    chooseCalibration,
    chooseForPlan,
    openPlan,
    applySuggestions,
    compareMethods,
    changes,
    planActions,
    replan,
    fixPlan,
  } = parts;
  const { report, steps, sampleFile, extensionId } = parts;

  /** The files a command is about; asks when it was called without any. */
  const filesOf = async (
    title: string,
    args: FromMenu,
    fits: (uri: vscode.Uri) => boolean = () => true,
  ): Promise<readonly vscode.Uri[]> => {
    const given = givenFiles(args);
    if (given.length > 0) return given;
    const picked = await pickModel(models, title, fits);
    return picked ? [picked.uri] : [];
  };

  const reveal = async (title: string, args: FromMenu, afresh: boolean) => {
    const uris = await filesOf(title, args);
    for (const uri of uris) {
      if (afresh) await models.refresh(uri);
      const model = await models.open(onDisk(uri));
      const state = await models.read(model);
      await tree.reveal(model);
      // The row says so too, but who asked for an analysis shall not have to look for the answer.
      if (afresh && state.kind === 'failed') throw new ModelError('unreadable', state.message);
    }
  };

  return {
    [COMMANDS.analyze]: (...args: FromMenu) => reveal(vscode.l10n.t('Analyse Model'), args, true),
    [COMMANDS.reveal]: (...args: FromMenu) => reveal(vscode.l10n.t('Reveal in Layers'), args, false),
    [COMMANDS.compress]: async (...args: FromMenu): Promise<readonly CompressionReport[]> => {
      const uris = await filesOf(vscode.l10n.t('Compress Model'), args, hasGraph);
      const reports = await compress(uris.map(onDisk), choicesOf(args[0]));
      if (reports.length > 0) steps.reached('compress');
      return reports;
    },
    [COMMANDS.compareModels]: async (...args: FromMenu) => {
      const pair = await pickPair(models, givenFiles(args).map(onDisk));
      if (pair) await comparePanels.open(pair);
    },
    [COMMANDS.openModel]: async (...args: FromMenu) => {
      const [uri] = await filesOf(vscode.l10n.t('Open Model Details'), args, hasGraph);
      if (uri) await vscode.commands.executeCommand('vscode.openWith', onDisk(uri), EDITORS.model);
    },
    // A link in a hover names its plan by an address in text.
    [COMMANDS.chooseCalibration]: async (item?: vscode.Uri | Row | string, selected?: readonly Row[]) => {
      const isPlan = (uri: vscode.Uri | undefined) => uri?.path.endsWith('.ranks.json') ?? false;
      const given = typeof item === 'string' ? vscode.Uri.parse(item, true) : item;
      if (given instanceof vscode.Uri && isPlan(given)) return chooseForPlan(given);
      if (!given && isPlan(vscode.window.activeTextEditor?.document.uri)) return chooseForPlan(undefined);
      const title = vscode.l10n.t('Calibration Data');
      const uris = await filesOf(title, !given ? [] : selected ? [given, selected] : [given], hasGraph);
      for (const uri of uris) if ((await chooseCalibration(onDisk(uri))) === undefined) return;
    },
    [COMMANDS.openPlan]: async (...args: FromMenu) => {
      const [uri] = await filesOf(vscode.l10n.t('Open Plan'), args, hasGraph);
      if (uri && (await openPlan(onDisk(uri))) === 'made') steps.reached('accept');
    },
    [COMMANDS.applySuggestion]: async (row?: Row, selected?: readonly Row[]) => {
      let rows = selected && selected.length > 0 ? selected : row ? [row] : tree.selection();
      if (rows.length === 0) {
        const [uri] = await filesOf(vscode.l10n.t('Apply Suggestion'), [], hasGraph);
        if (uri) rows = [{ kind: 'model', model: await models.open(onDisk(uri)) }];
      }
      await applySuggestions(rows);
    },
    [COMMANDS.compareMethods]: async (item?: LayerRow | LayerArgument) => {
      const layer = layerOf(item ?? tree.selection()[0]);
      if (layer) await compareMethods(layer);
    },
    [COMMANDS.revealInPlan]: async (item?: LayerRow | LayerArgument) => {
      const layer = layerOf(item ?? tree.selection()[0]);
      if (layer) await revealInPlan(layer);
    },
    [COMMANDS.replan]: (plan?: vscode.Uri | ReplanArgument) => replan(plan),
    [COMMANDS.fixPlan]: (plan?: vscode.Uri) => fixPlan(plan),
    [COMMANDS.undoPlanChange]: () => changes.undo(),
    // Menus add what they know: the second argument is a layer's name only where a lens or a link calls.
    [COMMANDS.revealPlannedLayer]: (plan?: vscode.Uri | string, layer?: unknown) =>
      planActions.reveal(plan, typeof layer === 'string' ? layer : undefined),
    [COMMANDS.planActions]: (plan?: vscode.Uri) => planActions.pick(plan),
    [COMMANDS.setDimensions]: async (...args: FromMenu) => {
      const [uri] = await filesOf(vscode.l10n.t('Set Dimensions'), args, hasGraph);
      if (!uri) return;
      const bindings = await askDimensions(await models.open(onDisk(uri)), models, dimensions);
      if (!bindings) return;
      await dimensions.set(uri, bindings);
      await models.refresh(uri);
    },
    [COMMANDS.revealInExplorer]: (row: Row) => revealFile(row.model.uri),
    [COMMANDS.showReport]: async (item?: vscode.Uri | Row) => {
      if (item instanceof vscode.Uri || item?.kind) report.choose(uriOf(item));
      await vscode.commands.executeCommand(`${VIEWS.report}.focus`);
      if (report.last()) steps.reached('report');
    },
    [COMMANDS.openReport]: (item?: vscode.Uri | Row) => {
      if (item instanceof vscode.Uri || item?.kind) report.choose(uriOf(item));
      report.openInEditor();
      if (report.last()) steps.reached('report');
    },
    // Menus hand over where they are: nothing that says what to export.
    [COMMANDS.exportReport]: (argument?: ExportArgument) => {
      const { format, output } = argument ?? {};
      return report.export({ ...(format ? { format } : {}), ...(output ? { output } : {}) });
    },
    [COMMANDS.getStarted]: () =>
      vscode.commands.executeCommand('workbench.action.openWalkthrough', `${extensionId}#${WALKTHROUGH}`),
    [COMMANDS.openSample]: async () => reveal('', [await sampleFile()], false),
    [COMMANDS.showLog]: () => log.show(),
    // One model, where a row is known.
    [COMMANDS.refresh]: (row?: Row) => models.refresh(row && 'kind' in row ? row.model.uri : undefined),
    [COMMANDS.restartEngine]: async () => {
      await host.stop();
      await models.refresh();
    },
    [COMMANDS.sortByPosition]: () => tree.sort('position'),
    [COMMANDS.sortByParameters]: () => tree.sort('parameters'),
    [COMMANDS.sortByMacs]: () => tree.sort('macs'),
  };
}

/** The files that were clicked or selected, each once. */
function givenFiles([clicked, selected]: FromMenu): readonly vscode.Uri[] {
  const all = selected && selected.length > 0 ? selected : clicked ? [clicked] : [];
  return [...new Map(all.map(uriOf).map((uri) => [uri.toString(), uri])).values()];
}

function uriOf(item: vscode.Uri | Row | CompressArgument): vscode.Uri {
  if (item instanceof vscode.Uri) return item;
  return 'kind' in item ? item.model.uri : item.uri;
}

function layerOf(item: Row | LayerArgument | undefined): LayerArgument | undefined {
  if (!item) return undefined;
  if ('kind' in item) {
    return item.kind === 'layer' ? { model: item.model.uri, layer: item.layer.name } : undefined;
  }
  // From a link, where an address is plain data.
  const { model, layer, plan } = item;
  return { model: vscode.Uri.from(model), layer, ...(plan ? { plan: vscode.Uri.from(plan) } : {}) };
}

function choicesOf(item: FromMenu[0]): CompressChoices {
  if (!item || item instanceof vscode.Uri || 'kind' in item) return {};
  const { target: wanted, plan, output, overwrite = false, calibration, signal } = item;
  const target = typeof wanted === 'string' ? parseTarget(wanted) : wanted;
  if (wanted !== undefined && !target) {
    throw new ModelError('unreachable-target', vscode.l10n.t('{0} is not a target.', JSON.stringify(wanted)));
  }
  return {
    ...(target ? { target } : {}),
    ...(plan === undefined ? {} : { plan }),
    ...(output ? { output: { uri: output, overwrite } } : {}),
    ...(calibration === undefined ? {} : { calibration }),
    ...(signal ? { signal } : {}),
  };
}
