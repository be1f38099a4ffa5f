import { element } from './element';

export interface ListOptions {
  readonly label: string;
  /** In pixels; the style sheet must agree. */
  readonly rowHeight: number;
  /** What a row holds, and what a hover says of it. */
  row(index: number): { readonly title: string; readonly content: readonly Node[] };
  /** A click, Enter or Space. */
  onSelect(index: number): void;
  onScroll?(top: number): void;
}

/** A list that makes elements only for the rows in sight, so that it can have ten thousand. */
export interface VirtualList {
  readonly element: HTMLElement;
  /** Makes everything anew: other rows, or the same in another way. */
  show(count: number, scroll?: number): void;
  /** Selects a row and brings it into sight; null: none. */
  select(index: number | null): void;
}

/** Rows above and below those in sight. */
const SPARE = 6;

/** Lists so far: ids of rows are unique in the page. */
let lists = 0;

/** By keyboard: arrows, Page Up and Down, Home and End move the active row, Enter or Space selects it. */
export function virtualList({ label, rowHeight, row, onSelect, onScroll }: ListOptions): VirtualList {
  const id = `list${lists++}`;
  const made = new Map<number, HTMLElement>();
  let count = 0;
  let active = -1;
  let selected = -1;
  const body = element('div', { class: 'list-body', role: 'presentation' });
  const box = element(
    'div',
    { role: 'listbox', class: 'virtual-list', tabindex: '0', 'aria-label': label },
    body,
  );

  const rowAt = (index: number) => {
    const { title, content } = row(index);
    const item = element(
      'div',
      {
        role: 'option',
        id: `${id}-${index}`,
        class: 'item',
        'aria-setsize': String(count),
        'aria-posinset': String(index + 1),
        title,
        onclick: () => {
          activate(index);
          onSelect(index);
        },
      },
      ...content,
    );
    item.style.top = `${index * rowHeight}px`;
    item.style.height = `${rowHeight}px`;
    return item;
  };

  function draw(): void {
    const height = box.clientHeight || 400;
    const first = Math.max(0, Math.floor(box.scrollTop / rowHeight) - SPARE);
    const end = Math.min(count, Math.ceil((box.scrollTop + height) / rowHeight) + SPARE);
    for (const [index, item] of made) {
      if (index >= first && index < end) continue;
      item.remove();
      made.delete(index);
    }
    for (let index = first; index < end; index++) {
      if (made.has(index)) continue;
      const item = rowAt(index);
      made.set(index, item);
      // Screen readers go by the order of the elements.
      const next = [...made.keys()].filter((other) => other > index).sort((a, b) => a - b)[0];
      body.insertBefore(item, next === undefined ? null : made.get(next)!);
    }
    for (const [index, item] of made) {
      item.setAttribute('aria-selected', String(index === selected));
      item.classList.toggle('active', index === active);
    }
    if (made.has(active)) box.setAttribute('aria-activedescendant', `${id}-${active}`);
    else box.removeAttribute('aria-activedescendant');
  }

  function activate(index: number): void {
    active = Math.max(0, Math.min(count - 1, index));
    const top = active * rowHeight;
    if (top < box.scrollTop) box.scrollTop = top;
    else if (top + rowHeight > box.scrollTop + box.clientHeight) {
      box.scrollTop = top + rowHeight - box.clientHeight;
    }
    draw();
  }

  box.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || count === 0) return;
    const page = Math.max(1, Math.floor(box.clientHeight / rowHeight) - 1);
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
    else if ((event.key === 'Enter' || event.key === ' ') && active >= 0) onSelect(active);
    else return;
    event.preventDefault();
  });
  box.addEventListener('focus', () => {
    if (active < 0 && count > 0) activate(Math.max(0, selected));
  });
  let isWaiting = false;
  box.addEventListener('scroll', () => {
    if (isWaiting) return;
    isWaiting = true;
    requestAnimationFrame(() => {
      isWaiting = false;
      draw();
      onScroll?.(box.scrollTop);
    });
  });
  new ResizeObserver(() => draw()).observe(box);

  return {
    element: box,
    show(wanted, scroll) {
      count = wanted;
      active = Math.min(active, count - 1);
      selected = Math.min(selected, count - 1);
      body.style.height = `${count * rowHeight}px`;
      for (const item of made.values()) item.remove();
      made.clear();
      draw();
      if (scroll === undefined) return;
      // A box that is not in the page yet has no place to scroll to.
      requestAnimationFrame(() => {
        box.scrollTop = scroll;
        draw();
      });
    },
    select(index) {
      const next = index ?? -1;
      if (next === selected) return;
      selected = next;
      if (selected >= 0) activate(selected);
      else draw();
    },
  };
}
