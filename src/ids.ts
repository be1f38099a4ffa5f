/** Every name the manifest and the code have in common, once. A test holds both against each other. */

export const COMMANDS = {
  analyze: 'ranksmith.analyzeModel',
  applySuggestion: 'ranksmith.applySuggestion',
  chooseCalibration: 'ranksmith.chooseCalibration',
  compareMethods: 'ranksmith.compareMethods',
  compareModels: 'ranksmith.compareModels',
  compress: 'ranksmith.compressModel',
  exportReport: 'ranksmith.exportReport',
  fixPlan: 'ranksmith.fixPlan',
  getStarted: 'ranksmith.getStarted',
  openModel: 'ranksmith.openModel',
  openPlan: 'ranksmith.openPlan',
  openReport: 'ranksmith.openReport',
  openSample: 'ranksmith.openSample',
  refresh: 'ranksmith.refresh',
  replan: 'ranksmith.replan',
  restartEngine: 'ranksmith.restartEngine',
  planActions: 'ranksmith.planActions',
  reveal: 'ranksmith.revealInLayers',
  revealInPlan: 'ranksmith.revealInPlan',
  revealInExplorer: 'ranksmith.revealInExplorer',
  revealPlannedLayer: 'ranksmith.revealPlannedLayer',
  setDimensions: 'ranksmith.setDimensions',
  showLog: 'ranksmith.showLog',
  showReport: 'ranksmith.showReport',
  sortByMacs: 'ranksmith.sortByMacs',
  sortByParameters: 'ranksmith.sortByParameters',
  sortByPosition: 'ranksmith.sortByPosition',
  undoPlanChange: 'ranksmith.undoPlanChange',
} as const;

export type CommandId = (typeof COMMANDS)[keyof typeof COMMANDS];

export const VIEW_CONTAINER = 'ranksmith';

export const VIEWS = { layers: 'ranksmith.layers', report: 'ranksmith.report' } as const;

/** Custom editors, by what they are of. */
export const EDITORS = { model: 'ranksmith.model' } as const;

/** Pages that open as editor tabs of their own. */
export const PANELS = { compare: 'ranksmith.compare', report: 'ranksmith.report' } as const;

/** Tools for language models. */
export const TOOLS = {
  analyze: 'ranksmith_analyze_model',
  suggest: 'ranksmith_suggest_ranks',
  compress: 'ranksmith_compress_model',
} as const;

export const SETTINGS = { suggestionEnergy: 'ranksmith.suggestionEnergy' } as const;

/** Context keys of `when` clauses. */
export const CONTEXTS = {
  /** Whether the workspace has been searched for models. */
  searched: 'ranksmith.searched',
  /** The order of the layers: position, parameters or macs. */
  order: 'ranksmith.order',
  /** Whether the Layers view has changed a plan, so that it can take that back. */
  canUndo: 'ranksmith.canUndo',
} as const;

/** The walkthrough of the first minutes. */
export const WALKTHROUGH = 'ranksmith.firstMinutes';

/** Context keys that say what has been done in this window: each completes a step of the walkthrough. */
export const STEPS = {
  /** A model was read. */
  open: 'ranksmith.did.openModel',
  /** A layer was selected in the Layers view. */
  look: 'ranksmith.did.selectLayer',
  /** A rank was put into a plan from a view, or a plan made. */
  accept: 'ranksmith.did.changePlan',
  /** A model was compressed. */
  compress: 'ranksmith.did.compress',
  /** A report was opened. */
  report: 'ranksmith.did.showReport',
} as const;

/** `viewItem` values of the rows of the Layers view. */
export const ROWS = {
  model: 'model',
  /** A model that has symbolic dimensions. */
  dynamicModel: 'model.dynamic',
  /** Weights without a graph: analysed, never compressed. */
  checkpoint: 'checkpoint',
  brokenModel: 'broken',
  layer: 'layer',
  /** A layer with a suggestion that is not in the plan yet. */
  suggestedLayer: 'layer.suggested',
  /** A layer that no plan can change: it can't be factored, or its file has no graph. */
  fixedLayer: 'fixed',
} as const;

/** The scheme of the address that the schema of plans has. */
export const SCHEMA_SCHEME = 'ranksmith-schema';
