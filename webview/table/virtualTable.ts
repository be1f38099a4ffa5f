import './virtualTable.css';
import { element } from '../element';
import { virtualRows } from './virtualRows';

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
  /** Enter, Space, or a double click. */
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
/**
 * A sortable table in a box that scrolls, by keyboard too (`virtualRows`); headers are buttons. Screen readers are told of all
 * rows (`aria-rowcount`), whatever is in the page.
 */
export function virtualTable<R>(options: TableOptions<R>): VirtualTable<R> {
  const { label, columns, minWidth, rowClass, onOpen, onClick, onState } = options;
  const template = columns.map(({ width }) => width).join(' ');
  let all: readonly R[] = [];
  let sorted: readonly number[] = [];
  let sorting = options.state?.sorting ?? null;
  let kept = options.state;

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

  const rows = virtualRows({
    box,
    body,
    rowHeight: ROW_HEIGHT,
    headHeight: () => head.offsetHeight,
    row: rowAt,
    mark: (row, isActive) => row.setAttribute('aria-selected', String(isActive)),
    onActivate: remember,
    onScroll: remember,
    ...(onClick ? { onClick: (place: number) => onClick(all[sorted[place]!]!) } : {}),
    ...(onOpen ? { onOpen: (place: number) => onOpen(all[sorted[place]!]!) } : {}),
  });

  function remember(): void {
    kept = { sorting, scroll: box.scrollTop, active: sorted[rows.active()] ?? -1 };
    onState?.(kept);
  }

  function sortBy(index: number): void {
    const { id: column, numeric = false } = columns[index]!;
    // First the way that is looked for, then the other, then the order of the model.
    if (sorting?.column !== column) sorting = { column, descending: numeric };
    else if (sorting.descending === numeric) sorting = { column, descending: !numeric };
    else sorting = null;
    arrange(sorted[rows.active()]);
    box.scrollTop = 0;
    rows.draw();
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
    for (const [i, { id: each }] of columns.entries()) {
      const isSorted = sorting?.column === each;
      headers[i]!.setAttribute(
        'aria-sort',
        !isSorted ? 'none' : sorting!.descending ? 'descending' : 'ascending',
      );
    }
    box.setAttribute('aria-rowcount', String(all.length + 1));
    rows.show(all.length, activeRow === undefined ? -1 : sorted.indexOf(activeRow));
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
        class: `row ${rowClass?.(data) ?? ''}`,
        'aria-rowindex': String(place + 2),
      },
      ...cells,
    );
    row.style.gridTemplateColumns = template;
    return row;
  }

  return {
    element: box,
    select(isWanted) {
      const place = sorted.findIndex((index) => isWanted(all[index]!));
      if (place === rows.active()) return;
      if (place >= 0) return rows.activate(place);
      rows.leave();
      remember();
    },
    show(next) {
      const before = kept;
      all = next;
      arrange(before && before.active >= 0 && before.active < next.length ? before.active : undefined);
      if (before) rows.scrollTo(before.scroll);
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
