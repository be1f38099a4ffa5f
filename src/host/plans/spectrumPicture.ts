import { PICTURE_COLOURS, type PictureColours, type PictureTheme } from './pictureColours';

/** What a rank on a curve stands for, with the words for it. */
export interface PictureMark {
  readonly kind: 'planned' | 'suggested' | 'breakEven' | 'evbmf';
  readonly rank: number;
  readonly label: string;
}

/** How an error falls with a rank. */
export interface PictureCurve {
  /** A short word in front of the axis of ranks. */
  readonly rankTitle: string;
  readonly fullRank: number;
  /** By ascending rank, errors from 0 to 1. At least one. */
  readonly points: readonly { readonly rank: number; readonly error: number }[];
  readonly marks: readonly PictureMark[];
}

export interface SpectrumPicture {
  /** One beside the other, at least one. */
  readonly curves: readonly PictureCurve[];
  readonly errorTitle: string;
  /** For who can't see it. */
  readonly description: string;
  readonly theme: PictureTheme;
}

/** In CSS pixels; a hover is never narrower than 500. */
export const PICTURE_WIDTH = 460;
const MOST_BESIDE = 3;
const GAP = 8;
const LEFT = 50;
const RIGHT = 18;
const TOP = 24;
const PLOT_HEIGHT = 92;
/** Below the plot: the ranks. */
const AXIS_HEIGHT = 24;
const LEGEND_LINE = 18;
const FONT_SIZE = 12;
/** Labels of ranks are never closer. */
const LEAST_TICK_GAP = 42;

/**
 * Errors against ranks as an SVG image: a panel for each curve, with its marks, and a legend below. A pure function; the
 * image has no script, no link and no style sheet, and any text is escaped.
 */
export function spectrumPicture({ curves, errorTitle, description, theme }: SpectrumPicture): string {
  const colours = PICTURE_COLOURS[theme];
  const beside = Math.min(curves.length, MOST_BESIDE);
  const panelWidth = (PICTURE_WIDTH - GAP * (beside - 1)) / beside;
  const columns = beside === 1 ? 2 : 1;
  const legendLines = Math.max(...curves.map(({ marks }) => Math.ceil(marks.length / columns)));
  const panelHeight = TOP + PLOT_HEIGHT + AXIS_HEIGHT + LEGEND_LINE * legendLines + 4;
  const height = panelHeight * Math.ceil(curves.length / beside);
  const panels = curves.map((curve, i) => {
    const x = (i % beside) * (panelWidth + GAP);
    const y = Math.floor(i / beside) * panelHeight;
    const body = panel(curve, { width: panelWidth, columns, errorTitle, colours });
    return `<g transform="translate(${fixed(x)} ${fixed(y)})">${body}</g>`;
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${PICTURE_WIDTH}" height="${height}" viewBox="0 0 ${PICTURE_WIDTH} ${height}" role="img" font-family="system-ui, -apple-system, 'Segoe UI', Ubuntu, sans-serif" font-size="${FONT_SIZE}">`,
    `<title>${escaped(description)}</title>`,
    `<rect x="0.5" y="0.5" width="${PICTURE_WIDTH - 1}" height="${height - 1}" rx="4" fill="${colours.ground}" stroke="${colours.border}"/>`,
    ...panels,
    '</svg>',
  ].join('');
}

interface PanelStyle {
  readonly width: number;
  /** Of the legend. */
  readonly columns: number;
  readonly errorTitle: string;
  readonly colours: PictureColours;
}

function panel(
  { rankTitle, fullRank, points, marks }: PictureCurve,
  { width, columns, errorTitle, colours }: PanelStyle,
): string {
  const plotWidth = width - LEFT - RIGHT;
  const x = (rank: number) => LEFT + (plotWidth * clamp(rank, fullRank)) / Math.max(fullRank, 1);
  const y = (error: number) => TOP + PLOT_HEIGHT * (1 - clamp(error, 1));
  const bottom = TOP + PLOT_HEIGHT;
  const { text, axis, grid } = colours;
  const parts = [label(8, 15, errorTitle, text)];
  for (const error of [0, 0.5, 1]) {
    const at = y(error);
    if (error > 0) parts.push(line(LEFT, at, LEFT + plotWidth, at, grid));
    parts.push(label(LEFT - 6, at + 4, `${100 * error} %`, text, 'end'));
  }
  const breakEven = marks.find(({ kind }) => kind === 'breakEven');
  if (breakEven) {
    const from = x(breakEven.rank);
    parts.push(
      `<rect x="${fixed(from)}" y="${TOP}" width="${fixed(LEFT + plotWidth - from)}" height="${PLOT_HEIGHT}" fill="${colours.shade}"/>`,
    );
  }
  parts.push(line(LEFT, TOP, LEFT, bottom, axis), line(LEFT, bottom, LEFT + plotWidth, bottom, axis));
  for (const rank of ticks(fullRank, plotWidth)) {
    parts.push(line(x(rank), bottom, x(rank), bottom + 4, axis));
    parts.push(label(x(rank), bottom + 17, String(rank), text, 'middle'));
  }
  parts.push(label(LEFT - 8, bottom + 17, rankTitle, text, 'end'));
  parts.push(curveOf(points, x, y, colours.curve));
  const legendTop = bottom + AXIS_HEIGHT;
  const columnWidth = (width - 16) / columns;
  for (const [i, mark] of marks.entries()) {
    parts.push(markOf(mark.kind, x(mark.rank), y(errorAt(points, mark.rank)), bottom, colours));
    const left = 16 + (i % columns) * columnWidth;
    const middle = legendTop + Math.floor(i / columns) * LEGEND_LINE + LEGEND_LINE / 2;
    parts.push(symbol(mark.kind, left, middle, colours), label(left + 12, middle + 4, mark.label, text));
  }
  return parts.join('');
}

/** The error at a rank, between the points a straight line. */
export function errorAt(points: PictureCurve['points'], rank: number): number {
  const after = points.findIndex((point) => point.rank >= rank);
  if (after < 0) return points.at(-1)!.error;
  const right = points[after]!;
  const left = points[after - 1];
  if (!left || right.rank === rank) return right.error;
  return left.error + ((right.error - left.error) * (rank - left.rank)) / (right.rank - left.rank);
}

/** Ranks to be named below the axis: round ones as far as there is room, and the full rank. */
export function ticks(fullRank: number, width: number): readonly number[] {
  const most = Math.max(1, Math.floor(width / LEAST_TICK_GAP));
  const least = fullRank / most;
  const magnitude = 10 ** Math.floor(Math.log10(Math.max(least, 1)));
  const step = [1, 2, 5, 10].map((each) => each * magnitude).find((each) => each >= least) ?? fullRank;
  const found: number[] = [];
  for (
    let rank = 0;
    rank < fullRank && ((fullRank - rank) * width) / fullRank >= LEAST_TICK_GAP;
    rank += step
  )
    found.push(rank);
  return [...(found.length > 0 ? found : fullRank > 0 ? [0] : []), fullRank];
}

function curveOf(
  points: PictureCurve['points'],
  x: (rank: number) => number,
  y: (error: number) => number,
  colour: string,
): string {
  const [first, ...others] = points;
  if (others.length === 0)
    return `<circle class="curve" cx="${fixed(x(first!.rank))}" cy="${fixed(y(first!.error))}" r="2.5" fill="${colour}"/>`;
  const path = points.map(({ rank, error }) => `${fixed(x(rank))},${fixed(y(error))}`).join(' ');
  return `<polyline class="curve" points="${path}" fill="none" stroke="${colour}" stroke-width="2" stroke-linejoin="round"/>`;
}

/** A mark in the plot: a line at the rank, and its symbol on the curve; where something ends, a line from top to bottom. */
function markOf(
  kind: PictureMark['kind'],
  x: number,
  y: number,
  bottom: number,
  colours: PictureColours,
): string {
  const isEnd = kind === 'breakEven' || kind === 'evbmf';
  const stroke = line(x, isEnd ? TOP : y, x, bottom, colours[kind], DASHES[kind]);
  return `<g class="${kind}">${stroke}${isEnd ? '' : symbol(kind, x, y, colours)}</g>`;
}

const DASHES = { planned: '', suggested: '3 2', breakEven: '6 3', evbmf: '2 3' } as const;

/** Told apart by shape, not only by colour. */
function symbol(kind: PictureMark['kind'], x: number, y: number, colours: PictureColours): string {
  const { [kind]: colour, ground } = colours;
  switch (kind) {
    case 'planned':
      return `<circle cx="${fixed(x)}" cy="${fixed(y)}" r="4" fill="${colour}"/>`;
    case 'suggested': {
      // Around the planned one, where they are the same.
      const points = [
        [x, y - 7],
        [x + 7, y],
        [x, y + 7],
        [x - 7, y],
      ].map(([a, b]) => `${fixed(a!)},${fixed(b!)}`);
      return `<polygon points="${points.join(' ')}" fill="none" stroke="${ground}" stroke-width="3"/><polygon points="${points.join(' ')}" fill="none" stroke="${colour}" stroke-width="1.5"/>`;
    }
    default:
      return line(x, y - 7, x, y + 7, colour, DASHES[kind]);
  }
}

function line(x1: number, y1: number, x2: number, y2: number, colour: string, dash = ''): string {
  const width = dash === '' ? 1 : 1.5;
  const pattern = dash === '' ? '' : ` stroke-dasharray="${dash}"`;
  return `<line x1="${fixed(x1)}" y1="${fixed(y1)}" x2="${fixed(x2)}" y2="${fixed(y2)}" stroke="${colour}" stroke-width="${width}"${pattern}/>`;
}

function label(x: number, y: number, text: string, colour: string, anchor = 'start'): string {
  return `<text x="${fixed(x)}" y="${fixed(y)}" fill="${colour}" text-anchor="${anchor}">${escaped(text)}</text>`;
}

function clamp(value: number, most: number): number {
  return Math.min(Math.max(value, 0), most);
}

function fixed(value: number): string {
  return String(Number(value.toFixed(1)));
}

/** Text as the content of an XML element; what XML can't hold (1.0, production 2) becomes a question mark. */
function escaped(text: string): string {
  const names: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' };
  return text
    .replace(/[&<>]/g, (each) => names[each]!)
    .replace(/[\p{Cc}\p{Surrogate}\ufffe\uffff]/gu, (each) => (/\s/.test(each) ? ' ' : '?'));
}
