// Runs shipped files with the editor's own Node, so that the user need not install Node.
// The editor's variables are removed, because they would change how Node starts.
import { spawn, type ChildProcess, type StdioOptions } from 'node:child_process';

export function spawnNode(file: string, parameters: readonly string[], stdio: StdioOptions): ChildProcess {
  const env: NodeJS.ProcessEnv = { ...process.env, ELECTRON_RUN_AS_NODE: '1' };
  for (const name of Object.keys(env)) if (name === 'NODE_OPTIONS' || name.startsWith('VSCODE_')) delete env[name];
  return spawn(process.execPath, [file, ...parameters], { stdio, windowsHide: true, env });
}
