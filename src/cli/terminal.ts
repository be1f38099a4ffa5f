import { ModelError } from '../core/onnx/modelError';
import type { CallOptions, Progress } from '../worker/engine';

/** Where a command writes to, and how it hears Ctrl-C. */
export interface Terminal {
  /** A line on standard output. */
  print(text: string): void;
  /** A line on standard error. */
  complain(text: string): void;
  /** Progress (on a terminal only) and cancellation for a call. */
  callOptions(label: string): CallOptions;
  /** Takes the progress line away. */
  clearProgress(): void;
  close(): void;
}

const PHASES: Record<Progress['phase'], string> = {
  read: 'reading data',
  suggest: 'singular values',
  measure: 'measuring activations',
  try: 'trying layers',
  time: 'timing layers',
  factor: 'factoring',
  fit: 'fitting',
  write: 'writing',
  verify: 'running both models',
};

/** The terminal this process has. Progress goes to standard error, and only if that is a TTY. */
export function processTerminal(): Terminal {
  const { stderr } = process;
  const abort = new AbortController();
  const onInterrupt = () => abort.abort(new DOMException('Cancelled.', 'AbortError'));
  process.once('SIGINT', onInterrupt);
  process.once('SIGTERM', onInterrupt);
  let shown = false;
  const clearProgress = () => {
    if (shown) stderr.write('\r\x1b[K');
    shown = false;
  };
  return {
    print(text) {
      clearProgress();
      process.stdout.write(`${text}\n`);
    },
    complain(text) {
      clearProgress();
      stderr.write(`${text}\n`);
    },
    callOptions(label) {
      const { signal } = abort;
      if (!stderr.isTTY) return { signal };
      return {
        signal,
        onProgress({ phase, layer, done }) {
          const line = `${label}  ${Math.round(100 * done)} %  ${PHASES[phase]}${layer ? `  ${layer}` : ''}`;
          stderr.write(`\r\x1b[K${line.slice(0, (stderr.columns ?? 80) - 1)}`);
          shown = true;
        },
      };
    },
    clearProgress,
    close() {
      clearProgress();
      process.off('SIGINT', onInterrupt);
      process.off('SIGTERM', onInterrupt);
    },
  };
}

/** An error as the JSON output carries it. Refusals keep their code; a cancelled call is "cancelled". */
export function errorOf(error: unknown): { readonly code: string; readonly message: string } {
  if (error instanceof ModelError) return { code: error.code, message: error.message };
  if (error instanceof Error && error.name === 'AbortError') {
    return { code: 'cancelled', message: 'Cancelled; nothing was written.' };
  }
  // A bug: the stack is what helps.
  return { code: 'internal', message: (error as Error).stack ?? String(error) };
}

/** The sentence of a refusal, and what a person at a terminal can do about it. */
export function hinted({ code, message }: ReturnType<typeof errorOf>, command: 'compress' | 'plan'): string {
  if (code === 'target-exists') return `${message} Add --overwrite to replace it.`;
  if (command === 'plan') return message;
  if (code === 'inaccurate') return `${message} Add --allow-inaccurate to write it all the same.`;
  return code === 'slower' ? `${message} Add --allow-slower to write it all the same.` : message;
}
