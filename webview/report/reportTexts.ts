import type { CountText } from '../fill';
/** Every text of the report page, in the user's language; `{0}`, `{1}` … stand for values. */
export interface ReportTexts {
  readonly empty: string;
  readonly compress: string;
  readonly compressByPlan: string;
  readonly undo: string;
  /** In front of the choice between what is predicted and what was measured. */
  readonly show: string;
  readonly asItIs: string;
  readonly predicted: string;
  readonly measured: string;
  readonly asItIsMeaning: string;
  readonly predictedMeaning: string;
  readonly measuredMeaning: string;
  /** {0} the plan, {1} its goal */
  readonly byPlan: string;
  /** {0} the goal */
  readonly forGoal: string;
  /** {0} the file of the model */
  readonly fromFile: string;
  readonly measuringWeights: string;
  readonly problems: string;

  readonly goalParameters: string;
  readonly goalMacs: string;
  readonly goalBytes: string;
  readonly goalTime: string;
  readonly goalMs: string;
  readonly goalError: string;
  readonly goalAccuracy: CountText;
  readonly goalRatio: string;
  readonly goalEvbmf: string;
  readonly goalEvbmfWeakened: string;
  readonly goalEnergy: string;
  readonly goalRank: string;

  readonly overview: string;
  readonly model: string;
  readonly before: string;
  readonly after: string;
  /** {0} predicted or measured */
  readonly afterBasis: string;
  readonly change: string;
  readonly parameters: string;
  readonly parametersMeaning: string;
  readonly macs: string;
  readonly macsMeaning: string;
  readonly fileSize: string;
  readonly fileSizeMeaning: string;
  readonly activations: string;
  readonly activationsMeaning: string;
  readonly time: string;
  readonly timeMeaning: string;
  readonly unknown: string;
  readonly weightError: string;
  readonly weightErrorMeaning: string;
  readonly outputError: string;
  /** {0} times */
  readonly faster: string;
  readonly slower: string;
  readonly sameSpeed: string;
  /** {0} a share */
  readonly outputErrorIs: string;
  /** {0} the share that is as before, {1} of how many */
  readonly decisionsAre: CountText;
  /** {0} share of right answers before, {1} after, {2} how many samples, {3} the file of labels */
  readonly accuracyIs: string;
  /** {0} cosine, {1} largest difference */
  readonly outputErrorDetails: string;
  readonly measuredWith: string;
  readonly inputIs: string;
  readonly assumedSizes: string;
  readonly factoredWith: string;
  /** {0} how many samples, {1} the data, {2} samples held back */
  readonly calibratedOn: string;
  readonly uncalibrated: string;

  readonly chart: string;
  readonly chartBy: string;
  /** {0} how many layers, {1} the measure, {2} largest layer, {3} its share */
  readonly chartSummary: string;
  /** {0} how many of how many layers */
  readonly chartFactored: string;
  /** {0} name, {1} before */
  readonly barBefore: string;
  /** {0} name, {1} before, {2} after, {3} change */
  readonly barChange: string;

  readonly layer: string;
  /** Where no layer is selected. */
  readonly chooseLayer: string;
  /** {0} its operator and the shape of its weight, {1} what is to be said of it */
  readonly aboutLayer: string;
  readonly computing: string;
  readonly spectrum: string;
  readonly weightErrorByRank: string;
  /** {0} rank name */
  readonly rankLabel: string;
  /** {0} rank, {1} of the full rank, {2} weight error, {3} parameters, {4} MACs */
  readonly rankValue: string;
  readonly rankValueWithoutMacs: string;
  readonly rankHint: string;
  /** {0} method and ranks, {1} weight error */
  readonly spectrumSummary: string;
  readonly markPlanned: string;
  readonly markWritten: string;
  readonly markSuggested: string;
  readonly markBreakEven: string;
  readonly markEvbmf: string;
  readonly noCurve: string;
  readonly notFactorable: string;
  readonly setting: string;
  readonly thisLayer: string;
  readonly wholeModel: string;
  /** {0} method and ranks */
  readonly withSetting: string;
  readonly apply: string;
  readonly reset: string;
  readonly compareMethods: string;
  readonly revealInPlan: string;
  readonly larger: string;
  readonly otherRanks: string;

  readonly tradeOff: string;
  readonly tradeOffAsk: string;
  readonly tradeOffMeasure: string;
  /** {0} unit */
  readonly tradeOffBy: string;
  /** {0} unit, {1} error at half, {2} least share, {3} error there */
  readonly tradeOffSummary: string;
  /** {0} share of the cost, {1} its error */
  readonly tradeOffPlan: string;
  readonly tradeOffSlider: string;
  /** {0} share, {1} unit, {2} error, {3} how many layers are factored */
  readonly tradeOffValue: string;
  readonly tradeOffHint: string;
  readonly tradeOffCalibrated: string;
  readonly replan: string;
  readonly share: string;
  readonly factoredLayers: string;
  readonly factoredCount: CountText;

  readonly layers: string;
  readonly filter: string;
  /** {0} shown, {1} of how many */
  readonly filtered: CountText;
  /** {0} how many of how many layers */
  readonly factored: string;
  readonly layerCount: CountText;
  readonly sampleCount: CountText;
  readonly exportAs: string;
  readonly exportMarkdown: string;
  readonly exportCsv: string;
  readonly exportJson: string;
  readonly exportNetron: string;
  readonly method: string;
  readonly rank: string;
  readonly operator: string;
  readonly note: string;
  readonly asTable: string;
  readonly methodDense: string;
}
