// `sluice serve`: shows the notebook's session in a terminal and on a page.
// It joins a running session and only leaves it at the end. It ends a session that it has started.
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { connectSession, type Connection } from '../client/connect.ts';
import { build } from '../protocol/version.ts';
import { servePage } from '../server/serve-page.ts';
import { CommandError } from './command-error.ts';
import { LiveTerminal } from './live-terminal.ts';
import { readNotebook } from './notebook.ts';
import { linesText } from './terminal-text.ts';

export interface ServeOptions {
  readonly port: number;
  readonly out: NodeJS.WriteStream;
  readonly stopped: AbortSignal;
}

/** Returns the exit code. */
export async function serve(path: string, { port, out, stopped }: ServeOptions): Promise<number> {
  const notebook = resolve(path);
  const document = readNotebook(notebook);
  const places = shipped();
  const connection = await connectSession({ notebook, kernelPath: places.kernel, client: 'cli', build });
  try {
    const { socket, token } = connection.entry;
    const page = await servePage({ port, folder: places.page, socket, token }).catch((error: unknown) => {
      throw portError(error, port);
    });
    const terminal = new LiveTerminal(out);
    terminal.line(connection.started ? page.url : `${page.url}  (joined the running session)`);
    follow(connection, terminal);
    if (connection.started) await begin(connection, document, terminal, stopped);
    const reason = await Promise.race([connection.ended, aborted(stopped)]);
    terminal.end();
    // The session ends before the page closes, so that viewers get the reason.
    if (connection.started) await end(connection);
    await page.close();
    if (reason !== undefined) out.write(`${linesText(reason)}\n`);
    return 0;
  } finally {
    // The command ends only a session that it has started. A session that it joined continues.
    if (connection.started) await end(connection);
    connection.close();
  }
}

/** A second call does nothing, because the connection has ended. */
async function end(connection: Connection): Promise<void> {
  await Promise.race([connection.request('shutdown', null).catch(() => undefined), connection.ended]);
}

type Document = ReturnType<typeof readNotebook>;
async function begin(
  connection: Connection,
  cells: Document,
  terminal: LiveTerminal,
  stopped: AbortSignal,
): Promise<void> {
  await connection.request('sync', { cells });
  const code = cells.filter(({ kind }) => kind === 'code').map(({ id }) => id);
  const run = connection.request('run', { cells: code }).catch(() => []);
  for (const { ok, cell, error } of (await Promise.race([run, aborted(stopped)])) ?? [])
    if (!ok) terminal.line(`✖ ${cell}: ${error?.message ?? 'failed'}`);
}

function follow(connection: Connection, terminal: LiveTerminal): void {
  terminal.onCell = (view) => void connection.request('show', { view }).catch(() => undefined);
  connection.on('state', (state) => terminal.hear('state', state));
  connection.on('view', (message) => terminal.hear('view', message));
  terminal.hear('state', connection.welcome.state);
}

function aborted(signal: AbortSignal): Promise<undefined> {
  if (signal.aborted) return Promise.resolve(undefined);
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(undefined), { once: true }));
}

function portError(error: unknown, port: number): unknown {
  if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') return error;
  return new CommandError(
    'port-taken',
    `Port ${port} is already in use on 127.0.0.1. Give another --port, or omit it.`,
  );
}

/**
 * The kernel's file and the page, beside the command. From sources: the kernel's entry, and the
 * page from the last build.
 */
function shipped(): { readonly kernel: string; readonly page: string } {
  const here = import.meta.dirname;
  const isSource = import.meta.filename.endsWith('.ts');
  const kernel = isSource ? join(here, '../main.ts') : join(here, 'kernel.cjs');
  const page = isSource ? join(here, '../../dist/page') : join(here, 'page');
  if (!existsSync(kernel)) throw new CommandError('not-built', `${kernel} is missing. Run npm run build.`);
  return { kernel, page };
}
