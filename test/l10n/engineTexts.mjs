import {
  isBinaryExpression,
  isCallExpression,
  isCaseClause,
  isElementAccessExpression,
  isExportDeclaration,
  isImportDeclaration,
  isLiteralTypeNode,
  isNewExpression,
  isNoSubstitutionTemplateLiteral,
  isPropertyAssignment,
  isStringLiteral,
  isTemplateExpression,
} from 'typescript/unstable/ast';
import { visitSources } from './syntax.mjs';

/** Files whose sentences can reach the editor. */
const isEngine = (file) => /^src\/(core|worker)\//.test(file);
/**
 * Files without such sentences: tables of operators, numerics (whose errors are bugs), and what prints files and the terminal's
 * lines, which are English everywhere.
 */
const isMute = (file) =>
  /^src\/core\/(tensor|onnx\/shapes|onnx\/gradient|compress\/printReport)\/|\/(otherOps|cost|comparisonCsv|description|passCosts|memoryFiles|lapack\w*)\.ts$/.test(
    file,
  );
/** What a bug says, and calls whose texts are names to a machine. */
const unseen =
  /(^|\.)(counted|Error|RangeError|TypeError|LinalgError|DOMException|RegExp|linalgError|requireThat|join|split|includes|startsWith|endsWith|begins|replace|replaceAll|get|has|test|createHash|digest|toString|update|toLocaleString|encode|op|super)$/;
/** Single words that stand alone in the code before they become part of a sentence. */
const WORDS =
  'MACs|bytes|parameters|time|numbers|texts|a text|a number|rank|ranks|unknown|scalar|input|output'.split(
    '|',
  );

const isIn = (ancestors, property, source) =>
  ancestors.some((each) => isPropertyAssignment(each) && each.name.getText(source) === property);

const textOf = (node) => {
  if (isStringLiteral(node) || isNoSubstitutionTemplateLiteral(node)) return node.text;
  if (!isTemplateExpression(node)) return undefined;
  return node.head.text + node.templateSpans.map(({ literal }, i) => `{${i}}${literal.text}`).join('');
};

/** What `counted(n, 'sample')` gives, as a text by itself: for one, and for several. */
const countedTexts = ([, one, several]) => [
  `1 ${one.text}`,
  `{0} ${several === undefined ? `${one.text}s` : several.text}`,
];

/** Whether a text has words: two of them, or one beside a value. Lists of operators are names. */
const isSentence = (text) =>
  !/^[A-Z]\w*(\s+[A-Z]\w*)*$/.test(text) &&
  (/\p{L}{2,}[”"]?[,;:]? [“"]?\p{L}{2,}/u.test(text) ||
    /(^|[ "])\p{L}\p{Ll}+[,;:]? ["“(]?\{|\}["”)]?[,;:]? ["“(]?\p{Ll}{2,}/u.test(text));

/**
 * Every sentence, and part of one, that core and worker make: text with {0}, {1}, … for what is put in → the places of its use.
 * They travel as English text, also in files; `createSentences` finds them again. What is none after all has
 * `// no text` at the end of its line.
 */
export function engineTexts() {
  const texts = new Map(WORDS.map((word) => [word, ['a word']]));
  const add = (text, place) => texts.set(text, [...(texts.get(text) ?? []), `${place.file}:${place.line}`]);
  visitSources('tsconfig.json', isEngine, (node, ancestors, place) => {
    const isCounted = isCallExpression(node) && node.expression.getText(place.source) === 'counted';
    if (isCounted && !isMute(place.file)) for (const each of countedTexts(node.arguments)) add(each, place);
    const text = textOf(node);
    if (text === undefined || !/\p{L}{2,}/u.test(text)) return;
    const parent = ancestors.at(-1);
    if (
      isImportDeclaration(parent) ||
      isExportDeclaration(parent) ||
      isLiteralTypeNode(parent) ||
      isCaseClause(parent) ||
      isElementAccessExpression(parent)
    )
      return;
    const isCompared = (each) =>
      isBinaryExpression(each) && /^([!=]==?|in)$/.test(each.operatorToken.getText(place.source));
    if (isCompared(parent)) return;
    // The names of what computes are told everywhere.
    if (isMute(place.file) && !isIn(ancestors, 'name', place.source)) return;
    const owner = ancestors.findLast(
      (each) => isCallExpression(each) || isNewExpression(each) || isPropertyAssignment(each),
    );
    if (owner && !isPropertyAssignment(owner) && unseen.test(owner.expression.getText(place.source))) return;
    if (owner && isPropertyAssignment(owner) && /^(kind|code)$/.test(owner.name.getText(place.source)))
      return;
    // A word that a template chooses, such as `${plural(n, 'is', 'are')}`.
    const outer = ancestors.findLast(
      (each) =>
        isTemplateExpression(each) ||
        (isCallExpression(each) && each.expression.getText(place.source) !== 'plural'),
    );
    const isPart = outer !== undefined && isTemplateExpression(outer) && isSentence(textOf(outer));
    if (!isSentence(text) && !isPart) return;
    const line = place.source.text.split('\n')[place.line - 1];
    if (/\/\/ no text\b/.test(line)) return;
    add(text, place);
  });
  return texts;
}
