import { element } from './element';

interface FilterOptions {
  readonly label: string;
  readonly value: string;
  /** Filters, and says how much is left. Called once at the beginning. */
  onFilter(text: string): string;
}

/** A field to filter a table by; says aloud what is left. */
export function filterBox({ label, value, onFilter }: FilterOptions): HTMLElement {
  const status = element('span', { class: 'note', role: 'status' }, onFilter(value));
  const input = element('input', {
    type: 'search',
    class: 'filter',
    placeholder: label,
    'aria-label': label,
    oninput: (event) => {
      status.textContent = onFilter((event.target as HTMLInputElement).value);
    },
  });
  (input as HTMLInputElement).value = value;
  return element('div', { class: 'filter-line' }, input, status);
}
