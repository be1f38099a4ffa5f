import * as vscode from 'vscode';

/** A question that was asked in a dialog. */
export interface Asked {
  readonly question: string;
  readonly detail: string;
  readonly buttons: readonly string[];
}

/** Answers all dialogs with this button while something is done, undefined: they are closed. Resolves with what was asked. */
export async function answering(
  button: string | undefined,
  work: () => Promise<void>,
): Promise<readonly Asked[]> {
  const asked: Asked[] = [];
  // In tests VS Code opens no dialog: it throws.
  const window: { showWarningMessage: unknown } = vscode.window;
  const real = window.showWarningMessage;
  window.showWarningMessage = async (
    question: string,
    { detail = '' }: vscode.MessageOptions,
    ...buttons: readonly string[]
  ) => {
    asked.push({ question, detail, buttons });
    return button;
  };
  try {
    await work();
  } finally {
    window.showWarningMessage = real;
  }
  return asked;
}
