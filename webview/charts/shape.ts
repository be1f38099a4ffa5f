/** An element of a picture, as plain data: charts are pure functions, and tests need no page. */
export interface Shape {
  readonly tag: 'g' | 'line' | 'path' | 'polyline' | 'rect' | 'circle' | 'polygon' | 'text';
  readonly attributes: Readonly<Record<string, string | number>>;
  /** Only of groups. */
  readonly children?: readonly Shape[];
  /** Only of texts: it is shown literally. */
  readonly text?: string;
}

/** A picture: its size in CSS pixels, and what is in it. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly shapes: readonly Shape[];
}

export function group(name: string, ...children: readonly Shape[]): Shape {
  return { tag: 'g', attributes: { class: name }, children };
}

export function line(name: string, x1: number, y1: number, x2: number, y2: number): Shape {
  return { tag: 'line', attributes: { class: name, ...rounded({ x1, y1, x2, y2 }) } };
}

/** A line through all points; a dot where there is but one. */
export function curve(name: string, points: readonly (readonly [x: number, y: number])[]): Shape {
  const [first, ...others] = points;
  if (first && others.length === 0) return dot(name, first[0], first[1], 2.5);
  const path = points.map(([x, y]) => `${round(x)},${round(y)}`).join(' ');
  return { tag: 'polyline', attributes: { class: name, points: path } };
}

export function rectangle(name: string, x: number, y: number, width: number, height: number): Shape {
  return { tag: 'rect', attributes: { class: name, ...rounded({ x, y, width, height }) } };
}

export function dot(name: string, cx: number, cy: number, r: number): Shape {
  return { tag: 'circle', attributes: { class: name, ...rounded({ cx, cy, r }) } };
}

/** A square on its corner. */
export function diamond(name: string, x: number, y: number, radius: number): Shape {
  const corners = [
    [x, y - radius],
    [x + radius, y],
    [x, y + radius],
    [x - radius, y],
  ];
  return {
    tag: 'polygon',
    attributes: { class: name, points: corners.map(([a, b]) => `${round(a!)},${round(b!)}`).join(' ') },
  };
}

export function label(
  name: string,
  x: number,
  y: number,
  text: string,
  anchor: 'start' | 'middle' | 'end' = 'start',
): Shape {
  return { tag: 'text', attributes: { class: name, ...rounded({ x, y }), 'text-anchor': anchor }, text };
}

function rounded(values: Readonly<Record<string, number>>): Readonly<Record<string, number>> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, round(value)]));
}

function round(value: number): number {
  return Number(value.toFixed(1));
}
