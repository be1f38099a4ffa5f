import type { ErrorCurve } from '../../src/core/compress/planReview';
import { formatNumber, formatPercent } from '../../src/core/format';
import { axes, type PlotFrame, plotFrame } from './plotFrame';
import { interpolate } from './scale';
import { curve, diamond, dot, line, type Picture, rectangle, type Shape } from './shape';

/** A rank that stands out on a curve. */
export interface RankMark {
  readonly kind: 'chosen' | 'suggested' | 'planned' | 'evbmf' | 'breakEven';
  readonly rank: number;
}

export const SPECTRUM_HEIGHT = 150;

/** The axes of the error of a layer against a rank. */
export function spectrumFrame({ fullRank }: Pick<ErrorCurve, 'fullRank'>, width: number): PlotFrame {
  return plotFrame(width, SPECTRUM_HEIGHT, [0, Math.max(1, fullRank)], [0, 1]);
}

/** The error at a rank of a curve. */
export function errorAt({ points }: Pick<ErrorCurve, 'points'>, rank: number): number {
  return interpolate(
    points.map(({ rank: each, error }) => [each, error] as const),
    rank,
  );
}

/** How the error falls with a rank, with what stands out; beyond break-even the ground is shaded. */
export function spectrumChart(of: ErrorCurve, marks: readonly RankMark[], width: number): Picture {
  const frame = spectrumFrame(of, width);
  const { x, y, top, bottom, right } = frame;
  const breakEven = marks.find(({ kind }) => kind === 'breakEven');
  const shade = breakEven
    ? [rectangle('shade', x.at(breakEven.rank), top, right - x.at(breakEven.rank), bottom - top)]
    : [];
  const path = of.points.map(({ rank, error }) => [x.at(rank), y.at(error)] as const);
  return {
    width,
    height: SPECTRUM_HEIGHT,
    shapes: [
      ...shade,
      ...axes(frame, { xText: formatNumber, yText: formatPercent }),
      curve('curve', path),
      ...marks.flatMap((mark) => markShapes(of, mark, frame)),
    ],
  };
}

/** Kinds are told apart by shape, not by colour alone. */
function markShapes(of: ErrorCurve, { kind, rank }: RankMark, frame: PlotFrame): readonly Shape[] {
  const { x, y, top, bottom } = frame;
  const [at, height] = [x.at(rank), y.at(errorAt(of, rank))];
  switch (kind) {
    case 'breakEven':
    case 'evbmf':
      return [line(kind, at, top, at, bottom)];
    case 'suggested':
      return [line(kind, at, height, at, bottom), diamond(kind, at, height, 11)];
    case 'planned':
      return [line(kind, at, height, at, bottom), dot(kind, at, height, 4)];
    case 'chosen':
      return [line(kind, at, top, at, bottom)];
  }
}
