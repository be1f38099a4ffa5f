import './dataTable.css';
import { element } from '../element';

/** A column of numbers stands right. */
export interface DataColumn {
  readonly title: string;
  readonly isNumber?: boolean;
}

/** A table of a few rows of text, such as the figures behind a chart. The first column names the row. */
export function dataTable(
  caption: string,
  columns: readonly DataColumn[],
  rows: readonly (readonly string[])[],
): HTMLElement {
  const css = columns.map(({ isNumber }) => (isNumber ? { class: 'number' } : {}));
  const head = columns.map(({ title }, i) =>
    title === '' ? element('td', css[i]!) : element('th', { scope: 'col', ...css[i]! }, title),
  );
  const body = rows.map((cells) =>
    element(
      'tr',
      {},
      ...cells.map((cell, i) =>
        element(i === 0 ? 'th' : 'td', { ...(i === 0 ? { scope: 'row' } : {}), ...css[i]! }, cell),
      ),
    ),
  );
  return element(
    'div',
    { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': caption },
    element(
      'table',
      { class: 'data' },
      element('caption', { class: 'hidden' }, caption),
      element('thead', {}, element('tr', {}, ...head)),
      element('tbody', {}, ...body),
    ),
  );
}
