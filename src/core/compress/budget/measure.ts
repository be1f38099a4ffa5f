import type { FormedLayer } from '../layer';
import type { Pick } from '../makePlan';
import type { Cost } from '../method';

/**
 * What a layer costs in the unit of a budget; null where it is not known. `cost` is that of the layer as it is, or
 * after `pick`; a measure that goes by more than sizes, as measured milliseconds do, looks at the pick.
 */
export type CostMeasure = (layer: FormedLayer, cost: Cost, pick: Pick | undefined) => number | null;

/** Elements of the weight or its factors. */
export const parametersMeasure: CostMeasure = (_, { parameters }) => parameters;

/** Multiply-adds of one inference. */
export const macsMeasure: CostMeasure = (_, { macs }) => macs;

/** Bytes of the weight or its factors. */
export const bytesMeasure: CostMeasure = ({ elementBytes }, { parameters }) =>
  elementBytes === undefined ? null : parameters * elementBytes;
