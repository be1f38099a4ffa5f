import type { TradeOff, TradeOffPoint } from '../../src/core/compress/budget/tradeOff';
import { formatPercent } from '../../src/core/format';
import { axes, type PlotFrame, plotFrame } from './plotFrame';
import { ticks } from './scale';
import { curve, dot, line, type Picture } from './shape';

export const TRADE_OFF_HEIGHT = 170;

/** A plan on the chart: what share of the cost it leaves, at which error of the weights. */
export interface PlanPoint {
  readonly share: number;
  readonly error: number;
}

/** The axes of error against cost: both as shares, the cost up to that of the model as it is. */
export function tradeOffFrame(
  { points, before }: TradeOff,
  plan: PlanPoint | null,
  width: number,
): PlotFrame {
  const most = Math.max(0.01, plan?.error ?? 0, ...points.map(({ weightError }) => weightError));
  // Up to the next round value, so that the highest point has its label above it.
  const step = ticks(0, most, 5);
  const gap = step.length > 1 ? step[1]! - step[0]! : most;
  const least = Math.min(plan?.share ?? 1, (points[0]?.cost ?? 0) / before);
  return plotFrame(
    width,
    TRADE_OFF_HEIGHT,
    [Math.min(least, 0.99), 1],
    [0, Math.ceil(most / gap - 1e-9) * gap],
  );
}

/** Error against cost of the whole model, with the plan as a point and the wanted cost as a line. */
export function tradeOffChart(
  of: TradeOff,
  plan: PlanPoint | null,
  wanted: number | null,
  width: number,
): Picture {
  const frame = tradeOffFrame(of, plan, width);
  const { x, y, top, bottom } = frame;
  const path = of.points.map(({ cost, weightError }) => [x.at(cost / of.before), y.at(weightError)] as const);
  return {
    width,
    height: TRADE_OFF_HEIGHT,
    shapes: [
      ...axes(frame, { xText: formatPercent, yText: formatPercent }),
      curve('curve', path),
      ...path.map(([a, b]) => dot('point', a, b, 1.5)),
      ...(wanted === null ? [] : [line('chosen', x.at(wanted), top, x.at(wanted), bottom)]),
      ...(plan ? [dot('planned', x.at(plan.share), y.at(plan.error), 5)] : []),
    ],
  };
}

/** The plan that costs most of those that cost no more than this share; the cheapest where all cost more. */
export function pointWithin({ points, before }: TradeOff, share: number): TradeOffPoint | undefined {
  return points.findLast(({ cost }) => cost <= share * before * (1 + 1e-9)) ?? points[0];
}
