// Runs shipped files with the editor's own Node, so that the user need not install Node.
// The editor's variables are removed, because they would change how Node starts.
import { spawn, type ChildProcess, type StdioOptions } from 'node:child_process';
import { join } from 'node:path';
import { sessionFolder } from '../../kernel/client/session-folder.ts';
import { codeVariables } from '../../kernel/protocol/code-variables.ts';

export function spawnNode(
  file: string,
  parameters: readonly string[],
  stdio: StdioOptions,
  more: Readonly<Record<string, string>> = {},
): ChildProcess {
  const env: NodeJS.ProcessEnv = { ...process.env, ...compiledCode(), ...more, ELECTRON_RUN_AS_NODE: '1' };
  for (const name of Object.keys(env)) if (name === 'NODE_OPTIONS' || name.startsWith('VSCODE_')) delete env[name];
  return spawn(process.execPath, [file, ...parameters], { stdio, windowsHide: true, env });
}

/** Without the folder of sessions a start only takes longer. */
function compiledCode(): Readonly<Record<string, string>> {
  try {
    return codeVariables(join(sessionFolder(), 'code-of-editor'), process.env);
  } catch {
    return {};
  }
}
