/** A text whose numbers stay with their units when lines are broken. */
export function unbroken(text: string): string {
  return text.replace(/(\d) (?=[%kMGTPB×m])/g, '$1\u00a0').replace(/× (?=\d)/g, '×\u00a0');
}
