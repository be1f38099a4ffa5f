import { linearScale, type Scale, ticks } from './scale';
import { label, line, type Shape } from './shape';

/** The place of a chart's axes. */
export interface PlotFrame {
  readonly width: number;
  readonly height: number;
  readonly x: Scale;
  readonly y: Scale;
  /** In pixels: the plot itself. */
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

const LEFT = 46;
const RIGHT = 20;
const TOP = 10;
const BOTTOM = 22;
/** Labels of an axis are never closer, in pixels. */
const LEAST_GAP_X = 48;
const LEAST_GAP_Y = 26;

/** A frame for values from `x[0]` to `x[1]` and, upwards, `y[0]` to `y[1]`. */
export function plotFrame(
  width: number,
  height: number,
  x: readonly [number, number],
  y: readonly [number, number],
): PlotFrame {
  const [left, right, top, bottom] = [LEFT, Math.max(LEFT + 10, width - RIGHT), TOP, height - BOTTOM];
  return {
    width,
    height,
    left,
    right,
    top,
    bottom,
    x: linearScale(x[0], x[1], left, right),
    y: linearScale(y[0], y[1], bottom, top),
  };
}

/** Axes with their labels, and lines across the plot at those of the upward one. */
export function axes(
  { x, y, left, right, top, bottom }: PlotFrame,
  { xText, yText }: { xText(value: number): string; yText(value: number): string },
): readonly Shape[] {
  const shapes: Shape[] = [];
  for (const value of ticks(y.from, y.to, Math.max(1, Math.floor((bottom - top) / LEAST_GAP_Y)))) {
    const at = y.at(value);
    shapes.push(line('grid', left, at, right, at), label('tick', left - 6, at + 4, yText(value), 'end'));
  }
  shapes.push(line('axis', left, top, left, bottom), line('axis', left, bottom, right, bottom));
  for (const value of ticks(x.from, x.to, Math.max(1, Math.floor((right - left) / LEAST_GAP_X)))) {
    const at = x.at(value);
    shapes.push(
      line('axis', at, bottom, at, bottom + 4),
      label('tick', at, bottom + 17, xText(value), 'middle'),
    );
  }
  return shapes;
}
