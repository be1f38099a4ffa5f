import { counted } from '../counted';
import { formatNumber } from '../format';
/** A JSON value whose objects are maps: no key, whatever it is called, can reach a prototype. */
export type Json = null | boolean | number | string | readonly Json[] | ReadonlyMap<string, Json>;

/** What {@link parseJson} throws: what is wrong, and at which character. */
export class JsonError extends Error {
  constructor(
    readonly position: number,
    what: string,
  ) {
    super(what);
    this.name = 'JsonError';
  }
}

const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const SPACE = /[ \t\n\r]*/y;
// biome-ignore lint/suspicious/noControlCharactersInRegex: JSON forbids them in strings.
const PLAIN_STRING = /"[^"\\\u0000-\u001f]*"/y;
/** Far beyond real headers: what a small file may make of the memory is bounded by these. */
const MAX_CONTAINERS = 1_000_000;
const MAX_VALUES = 10_000_000;
const WORDS: readonly (readonly [string, Json])[] = [
  ['true', true],
  ['false', false],
  ['null', null],
];

/**
 * Parses JSON (RFC 8259) more strictly than `JSON.parse`: a key that stands twice in an object, and nesting
 * beyond `maxDepth`, are a {@link JsonError}.
 */
export function parseJson(text: string, maxDepth: number): Json {
  let at = 0;
  let containers = 0;
  let values = 0;

  const skip = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at;
    const found = pattern.exec(text)?.[0];
    if (found !== undefined) at += found.length;
    return found;
  };
  const fail = (what: string): never => {
    throw new JsonError(at, what);
  };
  const take = (character: string): boolean => {
    skip(SPACE);
    if (text[at] !== character) return false;
    at++;
    return true;
  };

  const string = (): string => {
    const plain = skip(PLAIN_STRING);
    if (plain !== undefined) return plain.slice(1, -1);
    const start = at;
    const quoted = quotedString();
    try {
      return JSON.parse(quoted) as string;
    } catch {
      at = start;
      return fail('a string holds a character or an escape that JSON does not allow');
    }
  };
  /** Finds the closing quote by hand: a regular expression with alternatives keeps a state per character. */
  const quotedString = (): string => {
    const start = at;
    if (text[at] !== '"') fail('a string was expected');
    for (let i = at + 1; i < text.length; i++) {
      const code = text.charCodeAt(i);
      if (code === 0x5c) i++;
      else if (code === 0x22) {
        at = i + 1;
        return text.slice(start, at);
      }
    }
    return fail('a string has no end');
  };

  const object = (depth: number): Json => {
    const entries = new Map<string, Json>();
    if (take('}')) return entries;
    do {
      skip(SPACE);
      const start = at;
      const key = string();
      if (entries.has(key)) {
        at = start;
        fail(`the name ${JSON.stringify(shorten(key))} stands there a second time`);
      }
      if (!take(':')) fail('a colon was expected');
      entries.set(key, value(depth + 1));
    } while (take(','));
    if (!take('}')) fail('a comma or the end of an object was expected');
    return entries;
  };
  const array = (depth: number): Json => {
    const items: Json[] = [];
    if (take(']')) return items;
    do items.push(value(depth + 1));
    while (take(','));
    if (!take(']')) fail('a comma or the end of a list was expected');
    return items;
  };
  const value = (depth: number): Json => {
    if (depth > maxDepth) fail(`values nest deeper than ${counted(maxDepth, 'level')}`);
    if (++values > MAX_VALUES) fail(`more than ${counted(MAX_VALUES, 'value')} begin`);
    skip(SPACE);
    if (text[at] === '"') return string();
    if ((text[at] === '{' || text[at] === '[') && ++containers > MAX_CONTAINERS) {
      fail(`more than ${formatNumber(MAX_CONTAINERS)} objects and lists begin`);
    }
    if (take('{')) return object(depth);
    if (take('[')) return array(depth);
    const number = skip(NUMBER);
    if (number !== undefined) return Number(number);
    for (const [word, meaning] of WORDS) {
      if (text.startsWith(word, at)) {
        at += word.length;
        return meaning;
      }
    }
    return fail('a value was expected');
  };

  const result = value(1);
  skip(SPACE);
  if (at < text.length) fail('something stands behind the end');
  return result;
}

/** A name short enough for a sentence. */
export function shorten(name: string): string {
  return name.length > 200 ? `${name.slice(0, 200)}…` : name;
}
