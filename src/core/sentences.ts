/**
 * A translator of sentences that were made from templates: `templates` maps "Its weight holds {0}." to the same in another
 * language. What the engine says travels, and is stored in plans and reports, as English text, so that files don't depend
 * on whose editor wrote them; whoever shows it finds the template again. What is put in is translated too where it comes from
 * a template by itself, but not in quotes: there stand names. A text that no template fits comes back as it is.
 */
export function createSentences(templates: Readonly<Record<string, string>>): (text: string) => string {
  const whole = new Map<string, Found>();
  const patterns: Pattern[] = [];
  for (const [template, translation] of Object.entries(templates)) {
    if (/\{\d+\}/.test(template)) patterns.push(patternOf(template, translation));
    else whole.set(template, { text: translation, letters: lettersOf(template) });
  }

  const find = (text: string, depth: number): Found | undefined =>
    whole.get(text) ?? (depth > DEEPEST ? undefined : fitted(text, depth)) ?? inARow(text, depth);

  /** What explains the most of a text: several templates may fit it. */
  const fitted = (text: string, depth: number): Found | undefined => {
    let best: Found | undefined;
    for (const pattern of patterns) {
      if (pattern.letters < FEWEST_LETTERS && text.length > SHORT) continue;
      const values = valuesIn(text, pattern.chunks);
      const found = values && filled(pattern, values, depth);
      if (found && (!best || found.letters > best.letters)) best = found;
    }
    return best;
  };

  const filled = (
    { chunks, numbers, letters, translation }: Pattern,
    values: readonly string[],
    depth: number,
  ) => {
    let explained = letters;
    const own = values.map((value, i) => {
      const isName = chunks[i]!.endsWith('"') && chunks[i + 1]!.startsWith('"');
      const found =
        isName || value === '' ? undefined : (find(value, depth + 1) ?? withHint(value, depth + 1));
      explained += found?.letters ?? 0;
      return found?.text ?? value;
    });
    const text = translation.replace(/\{(\d+)\}/g, (_, number) => own[numbers.indexOf(Number(number))]!);
    return { text, letters: explained };
  };

  /** Several sentences in a row, if the first of them is known. */
  const inARow = (text: string, depth: number): Found | undefined => {
    for (const { index } of text.matchAll(/\. (?=\p{Lu})/gu)) {
      const first = text.slice(0, index + 1);
      const one = whole.get(first) ?? (depth > DEEPEST ? undefined : fitted(first, depth));
      if (!one) continue;
      const rest = text.slice(index + 2);
      const other = find(rest, depth + 1);
      return { text: one.text + (other?.text ?? rest), letters: one.letters + (other?.letters ?? 0) };
    }
    return undefined;
  };

  /** A value with a hint behind it: "1 × 28 × 28; its channels stand last". */
  const withHint = (text: string, depth: number): Found | undefined => {
    for (const { index } of text.matchAll(/ (?=\p{Lu})|[;,] /gu)) {
      const found = find(text.slice(index), depth + 1);
      if (found) return { text: text.slice(0, index) + found.text, letters: found.letters };
    }
    return undefined;
  };

  const known = new Map<string, string>();
  return (text) => {
    const before = known.get(text);
    if (before !== undefined) return before;
    const translated = find(text, 0)?.text ?? text;
    if (known.size >= MOST_KNOWN) known.clear();
    known.set(text, translated);
    return translated;
  };
}

/** A translation, and how many letters of the original come from templates. */
interface Found {
  readonly text: string;
  readonly letters: number;
}

/** A template taken apart: a value stands between every two chunks. */
interface Pattern {
  readonly chunks: readonly string[];
  /** Which value stands where. */
  readonly numbers: readonly number[];
  /** How many letters are its own. */
  readonly letters: number;
  readonly translation: string;
}

/** How deep values may come from templates themselves. */
const DEEPEST = 6;
/** Texts that are remembered with their translation. */
const MOST_KNOWN = 20_000;
/** With fewer letters of its own, a template is one of short texts only: "{0} of {1}". */
const FEWEST_LETTERS = 4;
const SHORT = 40;

function patternOf(template: string, translation: string): Pattern {
  const chunks = template.split(/\{\d+\}/);
  const numbers = [...template.matchAll(/\{(\d+)\}/g)].map(([, number]) => Number(number));
  return { chunks, numbers, letters: lettersOf(chunks.join('')), translation };
}

const lettersOf = (text: string) => text.replace(/\P{L}/gu, '').length;

/** What stands between the chunks, each found as early as can be; undefined where they don't follow each other. */
function valuesIn(text: string, chunks: readonly string[]): readonly string[] | undefined {
  const first = chunks[0]!;
  const last = chunks.at(-1)!;
  if (!text.startsWith(first) || !text.endsWith(last)) return undefined;
  const values: string[] = [];
  let at = first.length;
  for (const chunk of chunks.slice(1, -1)) {
    let next = text.indexOf(chunk, at);
    // The dot of a sentence, not that of a number or of a file's ending.
    while (next >= 0 && chunk.endsWith('.') && /^\S/.test(text.slice(next + chunk.length)))
      next = text.indexOf(chunk, next + 1);
    if (next < 0) return undefined;
    values.push(text.slice(at, next));
    at = next + chunk.length;
  }
  const end = text.length - last.length;
  if (end < at) return undefined;
  values.push(text.slice(at, end));
  return values;
}
