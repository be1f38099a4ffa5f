import type { Picture, Shape } from './shape';

const NAMESPACE = 'http://www.w3.org/2000/svg';

/** A picture as an element. It is hidden from screen readers: its text summary and its table stand beside it. */
export function svgElement({ width, height, shapes }: Picture): SVGElement {
  const svg = document.createElementNS(NAMESPACE, 'svg');
  svg.setAttribute('width', String(width));
  svg.setAttribute('height', String(height));
  svg.setAttribute('viewBox', `0 0 ${width} ${height}`);
  svg.setAttribute('aria-hidden', 'true');
  svg.append(...shapes.map(shapeElement));
  return svg;
}

function shapeElement({ tag, attributes, children = [], text }: Shape): SVGElement {
  const made = document.createElementNS(NAMESPACE, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, String(value));
  made.append(...children.map(shapeElement));
  if (text !== undefined) made.textContent = text;
  return made;
}
