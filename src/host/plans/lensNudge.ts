import * as vscode from 'vscode';

/** Long enough for an answer to have arrived before the nudge does. */
const AFTER_MS = 10;

/** Makes VS Code show the lenses it was last given at once. */
export interface LensNudge extends vscode.Disposable {
  nudge(): void;
}

/**
 * VS Code asks for lenses a quarter of a second after an edit, and changes the text of those it shows already only another
 * quarter later, when it has resolved them, even if there is nothing to resolve. When the providers of lenses change it
 * draws anew what it was given last, without waiting: so a provider without any documents comes and goes.
 */
export function createLensNudge(): LensNudge {
  const nothing: vscode.DocumentSelector = { scheme: 'ranksmith-nothing' };
  let registration: vscode.Disposable | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  return {
    nudge() {
      clearTimeout(timer);
      timer = setTimeout(() => {
        if (registration) {
          registration.dispose();
          registration = undefined;
        } else {
          registration = vscode.languages.registerCodeLensProvider(nothing, { provideCodeLenses: () => [] });
        }
      }, AFTER_MS);
    },
    dispose() {
      clearTimeout(timer);
      registration?.dispose();
    },
  };
}
