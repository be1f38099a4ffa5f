import { isCallExpression, isNoSubstitutionTemplateLiteral, isStringLiteral } from 'typescript/unstable/ast';
import { visitSources } from './syntax.mjs';

const isHost = (file) => /^src\/(host\/.*|extension)\.ts$/.test(file);
/** Tables of texts for a page, which puts the values in. */
const isForPage = (file) => /Texts\.ts$/.test(file);
const isPlain = (node) => isStringLiteral(node) || isNoSubstitutionTemplateLiteral(node);

/** Whether a call is one of `vscode.l10n.t`, which is `l10n.t` where only that is imported. */
export const isTranslation = (node, source) =>
  isCallExpression(node) && /^(vscode\.)?l10n\.t$/.test(node.expression.getText(source));

/**
 * Every text that the host hands to `vscode.l10n.t`: `texts` maps it to the places of its use; `faults` are calls that no tool
 * can read, because the text is not written out there or its placeholders are not {0}, {1}, … for as many values.
 */
export function hostTexts() {
  const texts = new Map();
  const faults = [];
  visitSources('tsconfig.json', isHost, (node, _, place) => {
    if (!isTranslation(node, place.source)) return;
    const where = `${place.file}:${place.line}`;
    const [text, ...values] = node.arguments;
    if (!text || !isPlain(text)) {
      faults.push(`${where} does not write its text out`);
      return;
    }
    const wanted = placeholders(text.text);
    const given = values.map((_, i) => `{${i}}`);
    const isTemplate = isForPage(place.file) && values.length === 0;
    if (!isTemplate && wanted.join() !== given.join())
      faults.push(`${where} has ${wanted.join() || 'none'} for ${given.length} values`);
    texts.set(text.text, [...(texts.get(text.text) ?? []), where]);
  });
  return { texts, faults };
}

/** The placeholders of a text, once each, in order of their numbers. */
export const placeholders = (text) =>
  [...new Set(text.match(/\{\d+\}/g) ?? [])].sort((a, b) => a.slice(1, -1) - b.slice(1, -1));
