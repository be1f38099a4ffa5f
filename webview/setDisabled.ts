/** Makes a button of the toolkit able or unable to be pressed: it takes that as an attribute without a value. */
export function setDisabled(of: HTMLElement, isDisabled: boolean): void {
  of.toggleAttribute('disabled', isDisabled);
}
