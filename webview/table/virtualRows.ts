export interface VirtualRowsOptions {
  /** What scrolls, takes the keyboard, and may have a head above the rows. */
  readonly box: HTMLElement;
  /** What the rows go into: a containing block. */
  readonly body: HTMLElement;
  /** In pixels; the style sheet must agree. */
  readonly rowHeight: number;
  /** What of the box's top hides rows that scroll under it, in pixels. */
  readonly headHeight?: () => number;
  /** Makes the row at a place. */
  row(place: number): HTMLElement;
  /** Says of a row whether it is the active one, each time when that may have changed. */
  mark(row: HTMLElement, isActive: boolean, place: number): void;
  /** Another row was made active: by a click, the keyboard, or `activate`. */
  onActivate?(place: number): void;
  /** A click. */
  onClick?(place: number): void;
  /** Enter, Space, or a double click. */
  onOpen?(place: number): void;
  onScroll?(top: number): void;
}

/** Rows of which only those in sight are elements, so that there can be ten thousand. */
export interface VirtualRows {
  readonly count: () => number;
  /** The active row; −1 for none. */
  readonly active: () => number;
  /** Makes everything anew: other rows, or the same in another way. `active` is the row that is active then. */
  show(count: number, active: number): void;
  /** Scrolls, once the box is in the page. */
  scrollTo(top: number): void;
  /** Makes a row active and brings it into sight. */
  activate(place: number): void;
  /** Makes no row active. */
  leave(): void;
  /** Makes the rows in sight, and takes away those that are not. */
  draw(): void;
}

/** Rows above and below those in sight. */
const SPARE = 8;
/** The height of a box that is not in the page yet. */
const DEFAULT_HEIGHT = 600;

/** Boxes so far: ids of rows are unique in the page. */
let boxes = 0;

/**
 * Makes the rows of a list or a table as they come into sight. By keyboard: arrows, Page Up and Down, Home and End move the
 * active row, Enter or Space opens it.
 */
export function virtualRows(options: VirtualRowsOptions): VirtualRows {
  const { box, body, rowHeight, headHeight = () => 0, row, mark, onActivate, onClick, onOpen } = options;
  const id = `rows${boxes++}`;
  const made = new Map<number, HTMLElement>();
  let count = 0;
  let active = -1;

  function rowAt(place: number): HTMLElement {
    const item = row(place);
    item.id = `${id}-${place}`;
    item.style.top = `${place * rowHeight}px`;
    item.addEventListener('click', () => {
      activate(place);
      onClick?.(place);
    });
    item.addEventListener('dblclick', () => onOpen?.(place));
    return item;
  }

  function draw(): void {
    const height = box.clientHeight || DEFAULT_HEIGHT;
    const first = Math.max(0, Math.floor(box.scrollTop / rowHeight) - SPARE);
    const end = Math.min(count, Math.ceil((box.scrollTop + height) / rowHeight) + SPARE);
    for (const [place, item] of made) {
      if (place >= first && place < end) continue;
      item.remove();
      made.delete(place);
    }
    for (let place = first; place < end; place++) {
      if (made.has(place)) continue;
      const item = rowAt(place);
      made.set(place, item);
      // Screen readers go by the order of the elements.
      const next = [...made.keys()].filter((other) => other > place).sort((a, b) => a - b)[0];
      body.insertBefore(item, next === undefined ? null : made.get(next)!);
    }
    for (const [place, item] of made) mark(item, place === active, place);
    if (made.has(active)) box.setAttribute('aria-activedescendant', `${id}-${active}`);
    else box.removeAttribute('aria-activedescendant');
  }

  function activate(place: number): void {
    active = Math.max(0, Math.min(count - 1, place));
    const top = active * rowHeight;
    const height = box.clientHeight - headHeight();
    if (top < box.scrollTop) box.scrollTop = top;
    else if (top + rowHeight > box.scrollTop + height) box.scrollTop = top + rowHeight - height;
    draw();
    onActivate?.(active);
  }

  box.addEventListener('keydown', (event) => {
    if (event.target !== box || event.ctrlKey || event.metaKey || event.altKey || count === 0) return;
    const page = Math.max(1, Math.floor((box.clientHeight - headHeight()) / rowHeight) - 1);
    const moves: Readonly<Record<string, number>> = {
      ArrowDown: active + 1,
      ArrowUp: active < 0 ? count - 1 : active - 1,
      PageDown: Math.max(0, active) + page,
      PageUp: active - page,
      Home: 0,
      End: count - 1,
    };
    const to = moves[event.key];
    if (to !== undefined) activate(to);
    else if ((event.key === 'Enter' || event.key === ' ') && onOpen && active >= 0) onOpen(active);
    else return;
    event.preventDefault();
  });
  let isWaiting = false;
  box.addEventListener('scroll', () => {
    if (isWaiting) return;
    isWaiting = true;
    requestAnimationFrame(() => {
      isWaiting = false;
      draw();
      options.onScroll?.(box.scrollTop);
    });
  });
  new ResizeObserver(() => draw()).observe(box);

  return {
    count: () => count,
    active: () => active,
    activate,
    draw,
    show(wanted, next) {
      count = wanted;
      active = Math.min(next, count - 1);
      body.style.height = `${count * rowHeight}px`;
      for (const item of made.values()) item.remove();
      made.clear();
      draw();
    },
    scrollTo(top) {
      requestAnimationFrame(() => {
        box.scrollTop = top;
        draw();
      });
    },
    leave() {
      active = -1;
      draw();
    },
  };
}
