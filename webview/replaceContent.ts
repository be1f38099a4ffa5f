/**
 * Puts other elements in the place of what a page shows. Whoever uses the keyboard keeps their place: what takes the place of
 * the element with the focus gets it, and in a field the cursor stays where it was.
 */
export function replaceContent(page: HTMLElement, ...elements: readonly HTMLElement[]): void {
  const before = document.activeElement;
  const name = before && page.contains(before) ? nameOf(before) : undefined;
  const selection = before instanceof HTMLInputElement ? selectionOf(before) : undefined;
  page.replaceChildren(...elements);
  if (name === undefined) return;
  const after = [...page.querySelectorAll<HTMLElement>(before!.localName)].find(
    (each) => nameOf(each) === name,
  );
  after?.focus({ preventScroll: true });
  if (selection && after instanceof HTMLInputElement) after.setSelectionRange(...selection);
}

/** What an element is known by when it is made anew; what a button says may have changed. */
function nameOf(element: Element): string {
  const label = element.closest('label') ?? element;
  return (
    element.getAttribute('data-action') ??
    element.getAttribute('aria-label') ??
    label.textContent?.trim() ??
    ''
  );
}

/** Where the cursor is; boxes to tick have none. */
function selectionOf({ selectionStart, selectionEnd }: HTMLInputElement): [number, number] | undefined {
  return selectionStart === null || selectionEnd === null ? undefined : [selectionStart, selectionEnd];
}
