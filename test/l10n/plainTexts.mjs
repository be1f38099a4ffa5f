import {
  isBinaryExpression,
  isCallExpression,
  isCaseClause,
  isExportDeclaration,
  isImportDeclaration,
  isLiteralTypeNode,
  isNewExpression,
  isNoSubstitutionTemplateLiteral,
  isPropertyAssignment,
  isStringLiteral,
  isTemplateExpression,
} from 'typescript/unstable/ast';
import { isTranslation } from './hostTexts.mjs';
import { visitSources } from './syntax.mjs';

/** Where something of a person reads: properties of VS Code's interfaces, of rows and of pages. */
const shown =
  /^(title|label|placeHolder|placeholder|detail|description|documentation|tooltip|prompt|message|saveLabel|openLabel|cancelled|ariaLabel|aria-label|aria-description|aria-roledescription|alt|meaning|value|textContent|innerText|summary|caption)$/;
const assigned = new RegExp(`\\.(${shown.source.slice(2, -2)}|text)$`);

/** Calls and classes whose texts nobody but a developer reads, or which are names to a machine. */
const unseen =
  /(^|\.)(info|warn|error|debug|trace|log|executeCommand|registerCommand|getConfiguration|createOutputChannel|getExtension|startsWith|endsWith|includes|split|join|replace|replaceAll|indexOf|lastIndexOf|test|match|matchAll|get|set|has|delete|update|querySelector|querySelectorAll|closest|matches|matchMedia|addEventListener|removeEventListener|getElementById|createElement|createElementNS|toggle|add|remove|contains|getPropertyValue|setProperty|affectsConfiguration|createHash|digest|toString|Collator|ThemeIcon|ThemeColor|Error|TypeError|RangeError|DOMException|RegExp|joinPath|parse|from)$/;

/** Attributes that are no text. */
const machine =
  /^(class|className|role|type|id|for|style|d|points|viewBox|transform|href|src|slot|font|cursor|kind|command|when|event|key|data-.*|aria-(hidden|live|controls|labelledby|describedby|orientation|sort|pressed|expanded|selected|checked|current|haspopup|valuenow|valuemin|valuemax|rowindex|rowcount|colindex|colcount|disabled|invalid|atomic|busy|owns|activedescendant|multiselectable|setsize|posinset|level|relevant))$/;

/** Names that are the same in every language, and what is no language at all. */
const names =
  /^(Ranksmith|ONNX|ONNX Runtime|JSON|MACs?|FLOPs?|HTML|CSV|Markdown|Esc|Home|End|Enter|Escape|Tab|Page(Up|Down)|Arrow(Left|Right|Up|Down))$/;

const text = (node, _source) => {
  if (isStringLiteral(node) || isNoSubstitutionTemplateLiteral(node)) return node.text;
  if (!isTemplateExpression(node)) return undefined;
  return [node.head, ...node.templateSpans.map(({ literal }) => literal)].map((part) => part.text).join('…');
};

/** Two words, or one that begins as a sentence does. */
/** Without markup, icons and values. */
const bare = (value) => value.replace(/<[^>]*>|\$\([\w~-]+\)/g, ' ').trim();
const isProse = (value) => /\p{L}{2,}[,;:]? \p{L}{2,}/u.test(value) || /^\p{Lu}\p{Ll}{2,}/u.test(value);
const isWord = (value) => /\p{L}{2,}/u.test(value) && !/^[\w-]+(\.[\w-]+)+$|^\w+=[\w.]+$/.test(value);

/**
 * Texts in the sources of a project that look as if somebody would read them, but are not taken from a table of texts:
 * "src/host/tree.ts:12: …". What is none after all has `// no text` at the end of its line.
 */
export function plainTexts(project, wanted) {
  const found = [];
  visitSources(project, wanted, (node, ancestors, place) => {
    const { source } = place;
    const value = bare(text(node, source) ?? '');
    if (value === '' || names.test(value)) return;
    const parent = ancestors.at(-1);
    if (isImportDeclaration(parent) || isExportDeclaration(parent) || isLiteralTypeNode(parent)) return;
    if (
      isCaseClause(parent) ||
      (isBinaryExpression(parent) && /^[!=]==?$/.test(parent.operatorToken.getText(source)))
    )
      return;
    if (isTranslation(parent, source) && parent.arguments[0] === node) return;
    const owner = [...ancestors]
      .reverse()
      .find(
        (each) =>
          isPropertyAssignment(each) ||
          isCallExpression(each) ||
          isNewExpression(each) ||
          isBinaryExpression(each),
      );
    let isShown = false;
    if (owner && isPropertyAssignment(owner)) {
      if (owner.name === node) return;
      const name = owner.name.getText(source).replace(/^['"]|['"]$/g, '');
      if (machine.test(name)) return;
      isShown = shown.test(name);
    } else if (owner && (isCallExpression(owner) || isNewExpression(owner))) {
      const callee = owner.expression.getText(source);
      if (unseen.test(callee)) return;
      const attribute = /\.setAttribute$/.test(callee) ? text(owner.arguments[0], source) : undefined;
      if (attribute !== undefined) {
        if (owner.arguments[0] === node || !shown.test(attribute)) return;
        isShown = true;
      }
      isShown ||=
        /\.show(Information|Warning|Error)Message$|\.setStatusBarMessage$|TreeItem$|CodeAction$|Diagnostic$/.test(
          callee,
        );
    } else if (owner && owner.operatorToken?.getText(source) === '=') {
      isShown = assigned.test(owner.left.getText(source));
      if (/\.(className|innerHTML|html|command|id)$/.test(owner.left.getText(source))) return;
    }
    if (!(isProse(value) || (isShown && isWord(value)))) return;
    const line = source.text.split('\n')[place.line - 1];
    if (/\/\/ no text\b/.test(line)) return;
    found.push(`${place.file}:${place.line}: ${value.replace(/\s+/g, ' ').slice(0, 90)}`);
  });
  return found;
}
