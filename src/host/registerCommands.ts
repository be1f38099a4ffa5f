import * as vscode from 'vscode';
import type { Failures } from './failures';

/**
 * Registers a table of commands. What a command throws ends here: it is told to the user, and the command gives
 * undefined to whoever called it.
 */
export function registerCommands(
  table: Readonly<Record<string, (...args: never[]) => unknown>>,
  failures: Failures,
): vscode.Disposable {
  const registrations = Object.entries(table).map(([id, run]) =>
    vscode.commands.registerCommand(id, async (...args: unknown[]) => {
      try {
        return await run(...(args as never[]));
      } catch (error) {
        failures.show(error);
        return undefined;
      }
    }),
  );
  return vscode.Disposable.from(...registrations);
}
