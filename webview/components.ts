import { provideVSCodeDesignSystem, vsCodeButton, vsCodeLink } from '@vscode/webview-ui-toolkit';

/**
 * The one door to the UI toolkit: defines the custom elements the page is made of. To replace the toolkit,
 * define elements of the same names here.
 */
export function defineComponents(): void {
  provideVSCodeDesignSystem().register(vsCodeButton(), vsCodeLink());
}
