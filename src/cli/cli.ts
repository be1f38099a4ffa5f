/** Entry of `ranksmith`, the engine from a terminal. Exit status: 0 done, 1 refused or failed, 2 usage. */
import { join } from 'node:path';
import type { Engine } from '../worker/engine';
import { createSession } from '../worker/session';
import { analyzeCommand } from './analyzeCommand';
import { compareCommand } from './compareCommand';
import { compressCommand } from './compressCommand';
import { planCommand } from './planCommand';
import { spectrumCommand } from './spectrumCommand';
import { processTerminal, type Terminal } from './terminal';
import { timingsPath } from './timingsPath';
import { HELP } from './usage';
import { UsageError } from './usageError';
import { verifyCommand } from './verifyCommand';

const MORE = 'ranksmith --help tells what there is.';

/** A sub-command: its arguments in, its exit status out. */
export type Command = (args: readonly string[], engine: Engine, terminal: Terminal) => Promise<number>;

const COMMANDS: Readonly<Record<string, Command>> = {
  analyze: analyzeCommand,
  compare: compareCommand,
  compress: compressCommand,
  plan: planCommand,
  spectrum: spectrumCommand,
  verify: verifyCommand,
};

async function main(args: readonly string[]): Promise<number> {
  const terminal = processTerminal();
  const [name, ...rest] = args;
  if (name === undefined || name === '--help' || name === '-h' || rest.includes('--help')) {
    terminal.print(HELP);
    return name === undefined ? 2 : 0;
  }
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (!command) {
    const known = Object.keys(COMMANDS).join(', ');
    terminal.complain(`ranksmith does not know the command "${name}", only ${known}.\n${MORE}`);
    return 2;
  }
  const session = createSession({
    folder: __dirname,
    threadScript: join(__dirname, 'factorThread.js'),
    timings: rest.includes('--no-timing-cache') ? undefined : timingsPath(),
  });
  try {
    return await command(rest, session, terminal);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    // The sentence is what matters: below a page of help nobody would find it.
    terminal.complain(`${error.message}\n${MORE}`);
    return 2;
  } finally {
    terminal.close();
    await session.close();
  }
}

main(process.argv.slice(2)).then((status) => {
  // Not process.exit: what was printed to a pipe has to drain first.
  process.exitCode = status;
});
