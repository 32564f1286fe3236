// Where sessions keep their checkpoints: a folder of the user, and in it one folder for each
// notebook. The temporary folder would not outlive a reboot.
import { homedir } from 'node:os';
import { basename, join } from 'node:path';
import { realNotebook, shortHash } from './session-folder.ts';

/** SLUICE_STATE names another folder. Tests that have a session folder of their own use that. */
export function stateRoot(env: NodeJS.ProcessEnv = process.env): string {
  const { SLUICE_STATE: own, SLUICE_SESSIONS: sessions } = env;
  if (own !== undefined && own !== '') return own;
  if (sessions !== undefined) return join(sessions, 'state');
  if (process.platform === 'darwin') return join(homedir(), 'Library', 'Application Support', 'sluice');
  if (process.platform === 'win32') return join(env['LOCALAPPDATA'] ?? join(homedir(), 'AppData', 'Local'), 'sluice');
  return join(env['XDG_STATE_HOME'] ?? join(homedir(), '.local', 'state'), 'sluice');
}

/** The folder of a notebook's checkpoints. A person can recognise the notebook by its name. */
export function stateFolder(notebook: string, env: NodeJS.ProcessEnv = process.env): string {
  const path = realNotebook(notebook);
  const name = basename(path)
    .replace(/\.sluice\.ts$/, '')
    .replace(/[^\w-]/g, '_')
    .slice(0, 40);
  return join(stateRoot(env), `${name}-${shortHash(path)}`);
}
