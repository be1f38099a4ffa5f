import * as vscode from 'vscode';
import { type Calibrations, rememberCalibrations } from './host/calibration/calibrations';
import { createChooseCalibration } from './host/calibration/chooseCalibration';
import { createChooseForPlan } from './host/calibration/chooseForPlan';
import { createGoalData } from './host/calibration/goalData';
import { commandTable } from './host/commands';
import { type ComparePanels, createComparePanels } from './host/compareModels/comparePanels';
import { createCompress } from './host/compress';
import { type Dimensions, rememberDimensions } from './host/dimensions';
import { createEngineHost, type EngineHost } from './host/engine';
import { createFailures } from './host/failures';
import { createFirstSteps } from './host/firstSteps';
import { createLanguageModelTools, type LanguageModelTools } from './host/languageModel/tools';
import { createModelEditors, type ModelEditors } from './host/modelEditor/modelEditors';
import { watchModelFiles } from './host/modelFiles';
import { createModels, type Models } from './host/models';
import { createApplySuggestions } from './host/plans/applySuggestions';
import { createChooseWays } from './host/plans/chooseWays';
import { createCompareMethods } from './host/plans/compareMethods';
import { createCompletions } from './host/plans/completions';
import { createPlanDiagnostics } from './host/plans/diagnostics';
import { createFixPlan } from './host/plans/fixPlan';
import { createPlanHovers } from './host/plans/hovers';
import { createPlanLenses } from './host/plans/lenses';
import { createOpenPlan } from './host/plans/openPlan';
import { createPlanActions } from './host/plans/planActions';
import { createPlanChanges } from './host/plans/planChanges';
import { createPlanDocuments, type PlanDocuments } from './host/plans/planDocuments';
import { createPlanFiles } from './host/plans/planFiles';
import { registerPlanSchema } from './host/plans/planSchema';
import { createPlanStatus, type PlanStatus } from './host/plans/planStatus';
import { createQuickFixes } from './host/plans/quickFixes';
import { createReplan } from './host/plans/replan';
import { previewTargets } from './host/previewTargets';
import { registerCommands } from './host/registerCommands';
import { createReportView, type ReportView } from './host/reportView';
import type { Row } from './host/rows';
import { createSampleFile } from './host/sampleFile';
import { registerSkippedDecoration } from './host/skippedDecoration';
import { createSuggestions } from './host/suggestions';
import { createTree, type Tree } from './host/tree';

/** What the tests inside the extension host get hold of. No interface for other extensions. */
export interface Internals {
  readonly layers: vscode.TreeDataProvider<Row>;
  readonly tree: Pick<Tree, 'selection'>;
  readonly report: ReportView;
  readonly host: EngineHost;
  readonly plans: PlanDocuments;
  readonly planStatus: PlanStatus;
  readonly models: Models;
  readonly dimensions: Dimensions;
  readonly modelEditors: ModelEditors;
  readonly comparePanels: ComparePanels;
  readonly tools: LanguageModelTools;
  readonly calibrations: Calibrations;
}

/** Builds the parts and joins them. No work is done before a view or a command asks for it. */
export function activate(context: vscode.ExtensionContext): Internals {
  const own = <T extends vscode.Disposable>(part: T): T => {
    context.subscriptions.push(part);
    return part;
  };
  const { workspaceState, extensionUri } = context;
  const log = own(vscode.window.createOutputChannel('Ranksmith', { log: true }));
  const failures = createFailures(log);
  const dimensions = rememberDimensions(workspaceState);
  const host = own(createEngineHost(extensionUri, log, context.globalStorageUri));
  const { engine } = host;
  const files = own(watchModelFiles());
  const calibrations = own(rememberCalibrations(workspaceState));
  const models = own(createModels(engine, files, dimensions, failures));
  const plans = own(createPlanDocuments({ engine, models, files, failures, calibrations }));
  own(createPlanDiagnostics(plans));
  const suggestions = own(createSuggestions(models));
  const planFiles = own(createPlanFiles(plans));
  const tree = own(createTree(models, suggestions, planFiles, dimensions, calibrations, workspaceState));
  const changes = own(createPlanChanges({ engine, models }));
  const report = own(
    createReportView({
      extension: extensionUri,
      state: workspaceState,
      engine,
      models,
      suggestions,
      plans,
      planFiles,
      changes,
      tree,
      failures,
    }),
  );
  const modelEditors = own(createModelEditors({ engine, models, tree, failures, extension: extensionUri }));
  const lastReport = report.last;
  const comparePanels = own(
    createComparePanels({ engine, models, failures, calibrations, extension: extensionUri, lastReport }),
  );
  own(registerPlanSchema(extensionUri));
  own(createPlanLenses(plans));
  own(createPlanHovers({ plans, engine, models, failures }));
  const planStatus = own(createPlanStatus(plans));
  const planActions = createPlanActions({ plans, models, tree });
  own(registerSkippedDecoration());
  const preview = previewTargets(engine, models);
  const choose = createChooseCalibration({ engine, models, failures, calibrations });
  const onData = { calibrations, goalData: createGoalData(calibrations, choose) };
  const chooseForPlan = createChooseForPlan({ engine, models, calibrations, choose });
  const chooseWays = createChooseWays({ engine, models, planFiles, preview, ...onData });
  const compress = createCompress({
    engine,
    models,
    suggestions,
    chooseWays,
    calibrations,
    dimensions,
    report,
    failures,
  });
  const tools = own(createLanguageModelTools({ engine, models, compress }));
  const openPlan = createOpenPlan({ engine, models, suggestions, preview, ...onData });
  const applySuggestions = createApplySuggestions({ models, suggestions, changes });
  const compareMethods = createCompareMethods({ engine, models, suggestions, planFiles, changes });
  own(createCompletions({ plans, engine, models, failures, calibrations }));
  own(createQuickFixes({ plans, engine, models, failures }));
  const replan = createReplan({ engine, models, suggestions, ...onData });
  const fixPlan = createFixPlan(plans);
  const steps = own(createFirstSteps({ models, tree, changes }));
  const sampleFile = createSampleFile(extensionUri, context.globalStorageUri);
  const first = { report, steps, sampleFile, extensionId: context.extension.id };
  const planCommands = { openPlan, applySuggestions, compareMethods, changes, planActions, replan, fixPlan };
  const calibration = { chooseCalibration: choose, chooseForPlan };
  const table = commandTable({
    ...calibration,
    host,
    models,
    tree,
    dimensions,
    compress,
    ...planCommands,
    ...first,
    comparePanels,
    log,
  });
  own(registerCommands(table, failures));
  return {
    layers: tree.provider,
    tree,
    report,
    host,
    plans,
    planStatus,
    calibrations,
    models,
    dimensions,
    modelEditors,
    comparePanels,
    tools,
  };
}
