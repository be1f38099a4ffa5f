import { element } from '../element';

/** A small table of text; the first column names the row. */
export function plainTable(
  caption: string,
  titles: readonly string[],
  rows: readonly (readonly string[])[],
): HTMLElement {
  const head = titles.map((title) => element('th', { scope: 'col' }, title));
  const body = rows.map((cells) =>
    element(
      'tr',
      {},
      ...cells.map((cell, i) => (i === 0 ? element('th', { scope: 'row' }, cell) : element('td', {}, cell))),
    ),
  );
  return element(
    'div',
    { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': caption },
    element(
      'table',
      { class: 'plain' },
      element('caption', { class: 'hidden' }, caption),
      element('thead', {}, element('tr', {}, ...head)),
      element('tbody', {}, ...body),
    ),
  );
}
