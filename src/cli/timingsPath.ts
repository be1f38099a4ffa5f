import { homedir } from 'node:os';
import { join } from 'node:path';

/** Where times that were measured on this machine are kept for this user: in the folder that the system has for caches. */
export function timingsPath(
  { XDG_CACHE_HOME, LOCALAPPDATA }: NodeJS.ProcessEnv = process.env,
  platform = process.platform,
): string {
  return join(XDG_CACHE_HOME || systemFolder(LOCALAPPDATA, platform), 'ranksmith', 'timings.json');
}

function systemFolder(local: string | undefined, platform: NodeJS.Platform): string {
  if (platform === 'win32') return local || join(homedir(), 'AppData', 'Local');
  return platform === 'darwin' ? join(homedir(), 'Library', 'Caches') : join(homedir(), '.cache');
}
