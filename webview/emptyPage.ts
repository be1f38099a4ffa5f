import { element } from './element';
import type { ReportTexts } from './report/reportTexts';

/** What is shown before a model was looked at, and for one that can't be read. */
export function emptyPage(
  texts: ReportTexts,
  problem: string | undefined,
  onCompress: () => void,
): readonly HTMLElement[] {
  if (problem !== undefined) return [element('p', { class: 'problem', role: 'alert' }, problem)];
  const button = element('vscode-button', { onclick: onCompress }, texts.compress);
  return [element('p', {}, texts.empty), element('div', { class: 'buttons' }, button)];
}
