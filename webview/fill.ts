/** A text of the host's string table with values in the places of `{0}`, `{1}`, …, as `vscode.l10n.t` has them. */
export function fill(template: string, ...values: readonly (string | number)[]): string {
  return template.replace(/\{(\d+)\}/g, (all, index) => String(values[Number(index)] ?? all));
}
