/**
 * A text as Markdown that shows it literally: names in models can hold anything. MarkdownString.appendText
 * would do, but makes every space unbreakable.
 */
export function markdown(text: string): string {
  return text.replace(/\s+/g, ' ').replace(/[!-/:-@[-`{-~]/g, '\\$&');
}

/**
 * A table of Markdown: texts in the first column, numbers in the others. The cells are Markdown. Hovers draw tables without
 * any room between columns.
 */
export function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | &ensp;')} |`;
  const columns = head.map((_, i) => (i === 0 ? '---' : '--:'));
  return [line(head), `|${columns.join('|')}|`, ...rows.map(line)].join('\n');
}
