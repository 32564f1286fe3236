// `sluice savepoint`: asks the running session of a notebook for a savepoint.
import { resolve } from 'node:path';
import { joinSession } from '../client/connect.ts';
import { build } from '../protocol/version.ts';
import { CommandError } from './command-error.ts';
import { lineText } from './terminal-text.ts';

/**
 * Prints the path of the savepoint to `out`, and to `waits` what it waits for. The end of this
 * process gives it up. Returns the exit code.
 */
export async function takeSavepoint(
  path: string,
  directory: string,
  { out, waits }: { readonly out: NodeJS.WriteStream; readonly waits: NodeJS.WriteStream },
): Promise<number> {
  const notebook = resolve(path);
  const connection = await joinSession({ notebook, client: 'cli', build });
  if (!connection)
    throw new CommandError(
      'no-session',
      `No session of ${notebook} is running. Start one with "sluice serve", or open the notebook in VS Code. ` +
        'A job that runs with --state DIR has its last checkpoint in DIR.',
    );
  let hasSaid = false;
  connection.on('state', ({ savepoint }) => {
    if (savepoint !== undefined && !hasSaid)
      waits.write(`${lineText(`${savepoint.replace(/^t/, 'T')}. Ctrl+C gives it up.`)}\n`);
    hasSaid ||= savepoint !== undefined;
  });
  try {
    const { path: written } = await connection.request('savepoint', { directory: resolve(directory) });
    out.write(`${lineText(written)}\n`);
    return 0;
  } finally {
    connection.close();
  }
}
