/** An element of an XML document. */
export interface XmlElement {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: readonly (XmlElement | string)[];
}

const NAME = '[A-Za-z_][\\w.-]*';
const TAG = new RegExp(`<(/?)(${NAME})((?:\\s+${NAME}="[^"<]*")*)\\s*(/?)>`, 'y');
const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

/**
 * Reads a document of elements, attributes in double quotes and text, and nothing else. Throws at whatever is not well-formed,
 * or not that plain.
 */
export function parseXml(text: string): XmlElement {
  const root = { name: '', attributes: {}, children: [] as (XmlElement | string)[] };
  const open = [root];
  let at = 0;
  while (at < text.length) {
    const parent = open.at(-1)!;
    if (text[at] !== '<') {
      const end = text.indexOf('<', at) < 0 ? text.length : text.indexOf('<', at);
      if (open.length === 1) throw new Error(`Text outside the root: ${text.slice(at, end)}`);
      parent.children.push(decoded(text.slice(at, end)));
      at = end;
      continue;
    }
    TAG.lastIndex = at;
    const match = TAG.exec(text);
    if (!match) throw new Error(`No tag: ${text.slice(at, at + 80)}`);
    at = TAG.lastIndex;
    const [, closes, name, attributes, isEmpty] = match as unknown as [
      string,
      string,
      string,
      string,
      string,
    ];
    if (closes) {
      if (name !== parent.name || attributes || isEmpty)
        throw new Error(`</${name}> closes <${parent.name}>`);
      open.pop();
      continue;
    }
    if (open.length === 1 && root.children.length > 0) throw new Error(`A second root <${name}>`);
    const element = { name, attributes: attributesOf(attributes), children: [] };
    parent.children.push(element);
    if (!isEmpty) open.push(element);
  }
  if (open.length > 1) throw new Error(`<${open.at(-1)!.name}> is not closed`);
  return root.children[0] as XmlElement;
}

function attributesOf(text: string): Readonly<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const [, name, value] of text.matchAll(new RegExp(`(${NAME})="([^"]*)"`, 'g'))) {
    if (Object.hasOwn(found, name!)) throw new Error(`${name} is there twice`);
    found[name!] = decoded(value!);
  }
  return found;
}

/** XML 1.0, productions 2, 14 and 66–68; control characters are discouraged by §2.2 where they are allowed. */
function decoded(text: string): string {
  if (/[\p{Cc}\p{Surrogate}\ufffe\uffff]|\]\]>/u.test(text.replace(/[\t\n\r]/g, '')))
    throw new Error(`Characters that can't be in XML: ${JSON.stringify(text)}`);
  return text.replace(/&([^;]*;?)/g, (whole, rest: string) => {
    const name = rest.slice(0, -1);
    if (!rest.endsWith(';') || !Object.hasOwn(ENTITIES, name)) throw new Error(`No entity: ${whole}`);
    return ENTITIES[name]!;
  });
}

/** All elements below one, or those of a name. */
export function descendants(element: XmlElement, name?: string): readonly XmlElement[] {
  return element.children.flatMap((child) =>
    typeof child === 'string'
      ? []
      : [...(name === undefined || child.name === name ? [child] : []), ...descendants(child, name)],
  );
}

export function textOf({ children }: XmlElement): string {
  return children.map((child) => (typeof child === 'string' ? child : textOf(child))).join('');
}
