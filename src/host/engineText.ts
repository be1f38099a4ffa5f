import { l10n } from 'vscode';
import { createSentences } from '../core/sentences';

/** What the keys of the engine's texts end with in the bundles: a comment, in VS Code's format. */
const MARK = '/engine';

let translate: ((text: string) => string) | undefined;

/**
 * A sentence of the engine, or of a plan or report, in the language of the editor: refusals, reasons, remarks, warnings. The
 * names in it stay. For what people read only: files and language models get the English.
 */
export function engineText(text: string): string {
  if (!l10n.bundle) return text;
  translate ??= createSentences(
    Object.fromEntries(
      Object.entries(l10n.bundle).flatMap(([key, value]) =>
        key.endsWith(MARK) ? [[key.slice(0, -MARK.length), value]] : [],
      ),
    ),
  );
  return translate(text);
}

/** Members of the engine's answers that hold sentences. */
const SENTENCES = new Set([
  'message',
  'reason',
  'noSuggestion',
  'note',
  'refusal',
  'uncalibrated',
  'warnings',
  'notes',
  'problems',
  'inputs',
  'engine',
  'factoredWith',
]);

/** An answer of the engine with all its sentences as `engineText` has them, for a page. */
export function withEngineTexts<T>(answer: T): T {
  if (!l10n.bundle) return answer;
  const walk = (value: unknown, isSentence: boolean): unknown => {
    if (typeof value === 'string') return isSentence ? engineText(value) : value;
    if (Array.isArray(value)) return value.map((each) => walk(each, isSentence));
    if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype)
      return value;
    return Object.fromEntries(
      Object.entries(value).map(([key, each]) => [key, walk(each, SENTENCES.has(key))]),
    );
  };
  return walk(answer, false) as T;
}
