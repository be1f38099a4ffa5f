import './virtualList.css';
import { element } from '../element';
import { virtualRows } from './virtualRows';

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

/** A list to select from; the active row, which the keyboard moves, need not be the selected one. */
export function virtualList({ label, rowHeight, row, onSelect, onScroll }: ListOptions): VirtualList {
  let selected = -1;
  const body = element('div', { class: 'list-body', role: 'presentation' });
  const box = element(
    'div',
    { role: 'listbox', class: 'virtual-list', tabindex: '0', 'aria-label': label },
    body,
  );
  const rows = virtualRows({
    box,
    body,
    rowHeight,
    row(index) {
      const { title, content } = row(index);
      const item = element(
        'div',
        {
          role: 'option',
          class: 'item',
          'aria-setsize': String(rows.count()),
          'aria-posinset': String(index + 1),
          title,
        },
        ...content,
      );
      item.style.height = `${rowHeight}px`;
      return item;
    },
    mark(item, isActive, index) {
      item.setAttribute('aria-selected', String(index === selected));
      item.classList.toggle('active', isActive);
    },
    onClick: onSelect,
    onOpen: onSelect,
    ...(onScroll ? { onScroll } : {}),
  });
  box.addEventListener('focus', () => {
    if (rows.active() < 0 && rows.count() > 0) rows.activate(Math.max(0, selected));
  });

  return {
    element: box,
    show(count, scroll) {
      selected = Math.min(selected, count - 1);
      rows.show(count, rows.active());
      if (scroll !== undefined) rows.scrollTo(scroll);
    },
    select(index) {
      const next = index ?? -1;
      if (next === selected) return;
      selected = next;
      if (selected >= 0) rows.activate(selected);
      else rows.draw();
    },
  };
}
