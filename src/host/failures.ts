import * as vscode from 'vscode';
import { ModelError } from '../core/onnx/modelError';
import { COMMANDS } from '../ids';
import { enginePath } from './enginePath';
import { engineText } from './engineText';

/** What an error means to a person. */
type Failure =
  /** Somebody cancelled: nothing to say. */
  | { readonly kind: 'cancelled' }
  /** Expected: the sentence says it all. */
  | { readonly kind: 'refused'; readonly message: string }
  /** Our mistake: the stack belongs into the log. */
  | { readonly kind: 'bug'; readonly message: string; readonly stack: string };

/** What becomes of errors: a sentence in its place, or a notification. Bugs are logged with their stack. */
export interface Failures {
  /** The value, or the sentence that stands in its place. */
  orSentence<T>(work: Promise<T>): Promise<{ readonly value: T } | { readonly message: string }>;
  /** A sentence of the engine as it is shown: in the user's language, with paths as the explorer has them. */
  sentence(message: string): string;
  /** Tells the user what went wrong with a command. Returns at once, and says nothing of a cancelled one. */
  show(error: unknown): void;
  /** Shows an error sentence with a way to the log. */
  tell(message: string): void;
}

export function createFailures(log: vscode.LogOutputChannel): Failures {
  const sentence = (error: unknown): string | undefined => {
    const failure = failureOf(error);
    switch (failure.kind) {
      case 'cancelled':
        return undefined;
      case 'refused':
        log.warn(failure.message);
        return shown(failure.message);
      case 'bug':
        log.error(failure.stack);
        return vscode.l10n.t('Ranksmith hit a bug: {0}', failure.message);
    }
  };
  return {
    orSentence: (work) =>
      work.then(
        (value) => ({ value }),
        (error) => ({ message: sentence(error) ?? vscode.l10n.t('Cancelled.') }),
      ),
    sentence: shown,
    show(error) {
      const message = sentence(error);
      if (message !== undefined) tell(message);
    },
    tell,
  };
}

const shown = (message: string) => withoutFolders(engineText(message));

function tell(message: string): void {
  const showLog = vscode.l10n.t('Show Log');
  void vscode.window.showErrorMessage(message, showLog).then((choice) => {
    if (choice === showLog) void vscode.commands.executeCommand(COMMANDS.showLog);
  });
}

/** Paths inside the workspace as the explorer shows them: the full ones would fill a notification. */
function withoutFolders(message: string): string {
  const folders = vscode.workspace.workspaceFolders ?? [];
  return folders
    .flatMap(({ uri }) => [`${enginePath(uri)}/`, `${enginePath(uri)}\\`])
    .reduce((text, folder) => text.replaceAll(folder, ''), message);
}

function failureOf(error: unknown): Failure {
  if (error instanceof ModelError) return { kind: 'refused', message: error.message };
  if (!(error instanceof Error)) return { kind: 'bug', message: String(error), stack: String(error) };
  if (error.name === 'AbortError') return { kind: 'cancelled' };
  return { kind: 'bug', message: error.message, stack: error.stack ?? error.message };
}
