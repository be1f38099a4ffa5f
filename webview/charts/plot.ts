import './plot.css';
import { element } from '../element';
import type { Picture } from './shape';
import { svgElement } from './svgElement';

/** A box that holds a chart as wide as itself, with what is put over it. */
export interface Plot {
  readonly element: HTMLElement;
  readonly width: () => number;
  draw(picture: Picture): void;
}

/** Where the box has no width yet. */
const DEFAULT_WIDTH = 280;

/** `onResize` is called when the chart has to be drawn for another width. */
export function plot(onResize: () => void, ...over: readonly HTMLElement[]): Plot {
  const holder = element('div', { class: 'plot-picture' });
  const box = element('div', { class: 'plot' }, holder, ...over);
  let width = 0;
  new ResizeObserver(() => {
    if (box.clientWidth === width || box.clientWidth === 0) return;
    width = box.clientWidth;
    onResize();
  }).observe(box);
  return {
    element: box,
    width: () => box.clientWidth || DEFAULT_WIDTH,
    draw: (picture) => holder.replaceChildren(svgElement(picture)),
  };
}
