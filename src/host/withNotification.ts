import * as vscode from 'vscode';
import type { CallOptions, Progress } from '../worker/engine';

/** The progress of a call, of one of several files where it is named. */
export type FileProgress = Progress & { readonly file?: string };

/** What happens under a notification. */
export interface Notified {
  readonly title: string;
  /** What the status bar says when it was cancelled. */
  readonly cancelled: string;
  /** Cancels, as the button does. */
  readonly signal?: AbortSignal | undefined;
}

/** Runs `work` under a notification with progress and a Cancel button. */
export async function withNotification<T>(
  { title, cancelled, signal: outer }: Notified,
  work: (call: Required<CallOptions>) => Promise<T>,
): Promise<T> {
  const options = { location: vscode.ProgressLocation.Notification, title, cancellable: true };
  return vscode.window.withProgress(options, async (notification, token) => {
    const abort = new AbortController();
    const cancel = () => {
      abort.abort(new DOMException('Cancelled.', 'AbortError'));
      vscode.window.setStatusBarMessage(cancelled, 3000);
    };
    if (outer?.aborted) cancel();
    outer?.addEventListener('abort', cancel, { once: true });
    token.onCancellationRequested(cancel);
    let shown = 0;
    const onProgress = (progress: FileProgress) => {
      const percent = 100 * progress.done;
      const message = [progress.file, phaseText(progress)].filter((part) => part).join(': ');
      notification.report({ message, increment: Math.max(0, percent - shown) });
      shown = Math.max(shown, percent);
    };
    return work({ signal: abort.signal, onProgress });
  });
}

function phaseText({ phase, layer }: Progress): string {
  switch (phase) {
    case 'read':
      return vscode.l10n.t('reading data');
    case 'suggest':
      return layer ? vscode.l10n.t('choosing ranks, {0}', layer) : vscode.l10n.t('choosing ranks');
    case 'measure':
      return layer
        ? vscode.l10n.t('measuring activations, {0}', layer)
        : vscode.l10n.t('measuring activations on the calibration data');
    case 'try':
      return layer ? vscode.l10n.t('trying layers, {0}', layer) : vscode.l10n.t('trying layers');
    case 'time':
      return layer ? vscode.l10n.t('timing layers, {0}', layer) : vscode.l10n.t('timing layers');
    case 'fit':
      return layer
        ? vscode.l10n.t('fitting {0} to the calibration data', layer)
        : vscode.l10n.t('fitting to the calibration data');
    case 'factor':
      return layer ? vscode.l10n.t('factoring {0}', layer) : vscode.l10n.t('factoring');
    case 'write':
      return vscode.l10n.t('writing');
    case 'verify':
      return vscode.l10n.t('running both models to compare them');
  }
}
