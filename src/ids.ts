/** Every name the manifest and the code have in common, once. A test holds both against each other. */

export const COMMANDS = {
  analyze: 'ranksmith.analyzeModel',
  compress: 'ranksmith.compressModel',
  refresh: 'ranksmith.refresh',
  restartEngine: 'ranksmith.restartEngine',
  reveal: 'ranksmith.revealInLayers',
  revealInExplorer: 'ranksmith.revealInExplorer',
  setDimensions: 'ranksmith.setDimensions',
  showLog: 'ranksmith.showLog',
  showReport: 'ranksmith.showReport',
  sortByMacs: 'ranksmith.sortByMacs',
  sortByParameters: 'ranksmith.sortByParameters',
  sortByPosition: 'ranksmith.sortByPosition',
} as const;

export type CommandId = (typeof COMMANDS)[keyof typeof COMMANDS];

export const VIEW_CONTAINER = 'ranksmith';

export const VIEWS = { layers: 'ranksmith.layers', report: 'ranksmith.report' } as const;

export const SETTINGS = { suggestionEnergy: 'ranksmith.suggestionEnergy' } as const;

/** Context keys of `when` clauses. */
export const CONTEXTS = {
  /** Whether the workspace has been searched for models. */
  searched: 'ranksmith.searched',
  /** The order of the layers: position, parameters or macs. */
  order: 'ranksmith.order',
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
} as const;
