type Child = Node | string;

/**
 * An element with attributes, listeners (`onclick`) and children. Strings become text, never markup: names in
 * models can hold anything.
 */
export function element(
  tag: string,
  properties: Readonly<Record<string, string | ((event: Event) => void)>> = {},
  ...children: readonly Child[]
): HTMLElement {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (typeof value === 'function') made.addEventListener(name.replace(/^on/, ''), value);
    else made.setAttribute(name, value);
  }
  made.append(...children);
  return made;
}
