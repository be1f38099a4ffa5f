/**
 * A text as Markdown that shows it literally: names in models can hold anything. MarkdownString.appendText
 * would do, but makes every space unbreakable.
 */
export function markdown(text: string): string {
  return text.replace(/\s+/g, ' ').replace(/[!-/:-@[-`{-~]/g, '\\$&');
}
