import './virtualTable.css';
import { element } from '../element';

/** A column of a table of rows `R`. */
export interface Column<R> {
  readonly id: string;
  readonly title: string;
  /** A track of a CSS grid: "120px", "minmax(160px, 2fr)". */
  readonly width: string;
  readonly text: (row: R) => string;
  /** What a narrow column cuts off; default: the text. */
  readonly hover?: (row: R) => string;
  /** What rows are sorted by; null goes last. Default: the text. */
  readonly sortBy?: (row: R) => number | string | null;
  /** Numbers stand right, and are sorted from the largest first. */
  readonly numeric?: boolean;
}

/** By which column rows are sorted; null: in the order they came. */
export interface Sorting {
  readonly column: string;
  readonly descending: boolean;
}

/** What of a table outlives its page. */
export interface TableState {
  readonly sorting: Sorting | null;
  readonly scroll: number;
  /** The active row's place among all that were given; −1 for none. */
  readonly active: number;
}

export interface TableOptions<R> {
  readonly label: string;
  readonly columns: readonly Column<R>[];
  /** Pixels below which the table scrolls sideways, the first column staying in sight. */
  readonly minWidth: number;
  /** More classes of a row's element. */
  readonly rowClass?: (row: R) => string;
  /** Enter, or a double click. */
  readonly onOpen?: (row: R) => void;
  /** A click. */
  readonly onClick?: (row: R) => void;
  readonly onState?: (state: TableState) => void;
  readonly state?: TableState | undefined;
}

/** A table that makes elements only for the rows in sight, so that it can have ten thousand. */
export interface VirtualTable<R> {
  readonly element: HTMLElement;
  /** Shows other rows; sorting stays. */
  show(rows: readonly R[]): void;
  /** Makes the first row active for which this holds, and brings it into sight; none where there is no such row. */
  select(isWanted: (row: R) => boolean): void;
}

/** Pixels; the style sheet has the same. */
const ROW_HEIGHT = 24;
/** Rows above and below those in sight. */
const SPARE = 8;

/** Tables so far: ids of rows are unique in the page. */
let tables = 0;

/**
 * A sortable table in a box that scrolls. By keyboard: arrows, Page Up and Down, Home and End move the active row, Enter opens
 * it; headers are buttons. Screen readers are told of all rows (`aria-rowcount`), whatever is in the page.
 */
export function virtualTable<R>(options: TableOptions<R>): VirtualTable<R> {
  const { label, columns, minWidth, rowClass, onOpen, onClick, onState } = options;
  const id = `table${tables++}`;
  const template = columns.map(({ width }) => width).join(' ');
  let all: readonly R[] = [];
  let sorted: readonly number[] = [];
  let sorting = options.state?.sorting ?? null;
  /** Place among `sorted`. */
  let active = -1;
  let kept = options.state;
  const made = new Map<number, HTMLElement>();

  const headers = columns.map(({ title, numeric }, i) => {
    const button = element('button', { class: 'header', onclick: () => sortBy(i) }, title);
    return element('div', { role: 'columnheader', class: numeric ? 'cell number' : 'cell' }, button);
  });
  const head = element('div', { role: 'row', class: 'head', 'aria-rowindex': '1' }, ...headers);
  const body = element('div', { role: 'rowgroup', class: 'body' });
  const top = element('div', { role: 'rowgroup', class: 'top' }, head);
  const box = element(
    'div',
    { role: 'grid', class: 'virtual-table', tabindex: '0', 'aria-label': label, 'aria-readonly': 'true' },
    top,
    body,
  );
  head.style.gridTemplateColumns = template;
  top.style.minWidth = `${minWidth}px`;
  body.style.minWidth = `${minWidth}px`;
  box.setAttribute('aria-colcount', String(columns.length));

  const remember = () => {
    kept = { sorting, scroll: box.scrollTop, active: sorted[active] ?? -1 };
    onState?.(kept);
  };

  function sortBy(index: number): void {
    const { id: column, numeric = false } = columns[index]!;
    // First the way that is looked for, then the other, then the order of the model.
    if (sorting?.column !== column) sorting = { column, descending: numeric };
    else if (sorting.descending === numeric) sorting = { column, descending: !numeric };
    else sorting = null;
    arrange(sorted[active]);
    box.scrollTop = 0;
    draw();
    remember();
  }

  /** Sorts, and keeps the row at this place of `all` active. */
  function arrange(activeRow: number | undefined): void {
    const order = all.map((_, i) => i);
    const column = columns.find((each) => each.id === sorting?.column);
    if (column && sorting) {
      const { text, sortBy: by = text } = column;
      const values = all.map(by);
      const way = sorting.descending ? -1 : 1;
      order.sort((a, b) => compare(values[a]!, values[b]!, way) || a - b);
    }
    sorted = order;
    active = activeRow === undefined ? -1 : sorted.indexOf(activeRow);
    for (const [i, { id: each }] of columns.entries()) {
      const isSorted = sorting?.column === each;
      headers[i]!.setAttribute(
        'aria-sort',
        !isSorted ? 'none' : sorting!.descending ? 'descending' : 'ascending',
      );
    }
    box.setAttribute('aria-rowcount', String(all.length + 1));
    body.style.height = `${all.length * ROW_HEIGHT}px`;
    for (const row of made.values()) row.remove();
    made.clear();
  }

  /** Makes the rows in sight, and takes away those that are not. */
  function draw(): void {
    const height = box.clientHeight || 600;
    const first = Math.max(0, Math.floor(box.scrollTop / ROW_HEIGHT) - SPARE);
    const end = Math.min(sorted.length, Math.ceil((box.scrollTop + height) / ROW_HEIGHT) + SPARE);
    for (const [place, row] of made) {
      if (place >= first && place < end) continue;
      row.remove();
      made.delete(place);
    }
    for (let place = first; place < end; place++) {
      if (made.has(place)) continue;
      const row = rowAt(place);
      made.set(place, row);
      // Screen readers go by the order of the elements.
      const next = [...made.keys()].filter((other) => other > place).sort((a, b) => a - b)[0];
      body.insertBefore(row, next === undefined ? null : made.get(next)!);
    }
    for (const [place, row] of made) row.setAttribute('aria-selected', String(place === active));
    if (active >= 0 && made.has(active)) box.setAttribute('aria-activedescendant', `${id}-${active}`);
    else box.removeAttribute('aria-activedescendant');
  }

  function rowAt(place: number): HTMLElement {
    const data = all[sorted[place]!]!;
    const cells = columns.map(({ text, hover = text, numeric }, i) =>
      element(
        'div',
        {
          role: i === 0 ? 'rowheader' : 'gridcell',
          class: numeric ? 'cell number' : 'cell',
          title: hover(data),
        },
        text(data),
      ),
    );
    const row = element(
      'div',
      {
        role: 'row',
        id: `${id}-${place}`,
        class: `row ${rowClass?.(data) ?? ''}`,
        'aria-rowindex': String(place + 2),
        onclick: () => {
          activate(place);
          onClick?.(data);
        },
        ondblclick: () => onOpen?.(data),
      },
      ...cells,
    );
    row.style.gridTemplateColumns = template;
    row.style.top = `${place * ROW_HEIGHT}px`;
    return row;
  }

  function activate(place: number): void {
    active = Math.max(0, Math.min(sorted.length - 1, place));
    const top = active * ROW_HEIGHT;
    const height = box.clientHeight - head.offsetHeight;
    if (top < box.scrollTop) box.scrollTop = top;
    else if (top + ROW_HEIGHT > box.scrollTop + height) box.scrollTop = top + ROW_HEIGHT - height;
    draw();
    remember();
  }

  box.addEventListener('keydown', (event) => {
    if (event.target !== box || event.ctrlKey || event.metaKey || event.altKey || sorted.length === 0) return;
    const page = Math.max(1, Math.floor((box.clientHeight - head.offsetHeight) / ROW_HEIGHT) - 1);
    const moves: Readonly<Record<string, number>> = {
      ArrowDown: active + 1,
      ArrowUp: active < 0 ? sorted.length - 1 : active - 1,
      PageDown: Math.max(0, active) + page,
      PageUp: active - page,
      Home: 0,
      End: sorted.length - 1,
    };
    const to = moves[event.key];
    if (to !== undefined) activate(to);
    else if (event.key === 'Enter' && active >= 0) onOpen?.(all[sorted[active]!]!);
    else return;
    event.preventDefault();
  });
  let waiting = false;
  box.addEventListener('scroll', () => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      draw();
      remember();
    });
  });
  new ResizeObserver(() => draw()).observe(box);

  return {
    element: box,
    select(isWanted) {
      const place = sorted.findIndex((index) => isWanted(all[index]!));
      if (place === active) return;
      if (place >= 0) return activate(place);
      active = -1;
      draw();
      remember();
    },
    show(rows) {
      const before = kept;
      all = rows;
      arrange(before && before.active >= 0 && before.active < rows.length ? before.active : undefined);
      draw();
      // A box that is not in the page yet has no place to scroll to.
      requestAnimationFrame(() => {
        if (before) box.scrollTop = before.scroll;
        draw();
      });
    },
  };
}

const collator = new Intl.Collator('en', { numeric: true });

function compare(a: number | string | null, b: number | string | null, way: number): number {
  if (a === null || b === null) return a === b ? 0 : a === null ? 1 : -1;
  return (
    way * (typeof a === 'number' && typeof b === 'number' ? a - b : collator.compare(String(a), String(b)))
  );
}
