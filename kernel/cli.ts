// `sluice`: switches the cache of compiled code on, then loads the command. Imports of a file are
// compiled before its first statement, so the cache needs a file of its own.
import * as modules from 'node:module';
import { join } from 'node:path';
import { sessionFolder } from './client/session-folder.ts';
import { codeVariables } from './protocol/code-variables.ts';

const isSource = import.meta.filename.endsWith('.ts');
refuseOldNode();
cacheCode();
await import(new URL(isSource ? 'command.ts' : 'command.js', import.meta.url).href);

/** An older Node would end in the middle of a module that it does not know. */
function refuseOldNode(): void {
  const { node } = process.versions;
  if (Number.parseInt(node, 10) >= 24) return;
  process.stderr.write(
    `sluice needs Node 24 or newer, and this is Node ${node}. Install it from https://nodejs.org.\n`,
  );
  process.exit(2);
}

/** The threads of `run` and the processes that it starts get the folder by the environment. */
function cacheCode(): void {
  if (isSource) return;
  try {
    const variables = codeVariables(join(sessionFolder(), 'code-of-command'), process.env);
    const [folder] = Object.values(variables);
    if (folder === undefined) return;
    modules.enableCompileCache(folder);
    Object.assign(process.env, variables);
  } catch {
    // The folder is refused, and the commands that need it say why. The others start more slowly.
  }
}
