import { element } from '../element';
import type { PageContext } from './pageContext';

/** A table that stands beside a chart, closed until somebody wants the figures. */
export interface TableToggle {
  readonly element: HTMLElement;
  /** What it holds; made only while it is open. */
  show(make: () => HTMLElement): void;
}

/** Whether it is open is kept under `key`. */
export function tableToggle({ texts, kept, keep }: PageContext, key: string): TableToggle {
  let make: (() => HTMLElement) | undefined;
  const holder = element('div');
  const details = element(
    'details',
    { class: 'as-table' },
    element('summary', {}, texts.asTable),
    holder,
  ) as HTMLDetailsElement;
  details.open = kept().open?.includes(key) ?? false;
  const draw = () => holder.replaceChildren(...(details.open && make ? [make()] : []));
  details.addEventListener('toggle', () => {
    const others = (kept().open ?? []).filter((each) => each !== key);
    keep({ open: details.open ? [...others, key] : others });
    draw();
  });
  return {
    element: details,
    show(next) {
      make = next;
      draw();
    },
  };
}
