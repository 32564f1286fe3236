// `sluice serve`: shows the notebook's session in a terminal and on a page.
// It joins a running session and only leaves it at the end. It ends a session that it has started.
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { messageOf } from '../../engine/errors/thrown.ts';
import { connectSession, type Connection } from '../client/connect.ts';
import { ProcessEnds } from '../client/process-ends.ts';
import { readSummary } from '../client/state-summary.ts';
import { lostText } from '../protocol/durability-text.ts';
import type { OfferedState, SessionView } from '../protocol/messages.ts';
import { build } from '../protocol/version.ts';
import { servePage } from '../server/serve-page.ts';
import { CommandError } from './command-error.ts';
import { LiveTerminal } from './live-terminal.ts';
import { readNotebook } from './notebook.ts';
import { problemLine } from './problem-line.ts';
import { linesText } from './terminal-text.ts';

export interface ServeOptions {
  readonly port: number;
  /** The checkpoint of an earlier session is removed. False: the session goes on from it. */
  readonly fresh: boolean;
  /** Folder of a savepoint: the session goes on from it. */
  readonly savepoint: string | undefined;
  readonly out: NodeJS.WriteStream;
  readonly stopped: AbortSignal;
}

/** Returns the exit code. */
export async function serve(path: string, options: ServeOptions): Promise<number> {
  const { port, out, stopped, savepoint } = options;
  const notebook = resolve(path);
  const { cells: document, problems } = readNotebook(notebook);
  const places = shipped();
  const connect = (): Promise<Connection> =>
    connectSession({ notebook, kernelPath: places.kernel, client: 'cli', build });
  let connection = await connect();
  try {
    if (savepoint !== undefined && !connection.started) throw alreadyRuns();
    const page = await servePage({ port, folder: places.page, ...connection.entry }).catch((error: unknown) => {
      throw portError(error, port);
    });
    const terminal = new LiveTerminal(out);
    terminal.line(connection.started ? page.url : `${page.url}  (joined the running session)`);
    // Nothing is drawn yet.
    for (const problem of problems) out.write(`${problemLine(path, problem)}\n`);
    follow(connection, terminal);
    if (connection.started) await begin(connection, document, terminal, options);
    const ends = new ProcessEnds();
    let reason = await Promise.race([connection.ended, aborted(stopped)]);
    while (reason !== undefined && mayGoOn(connection, notebook, ends)) {
      terminal.line(`✖ ${reason}`);
      connection = await goOn(connection, connect, document, terminal);
      page.relayTo(connection.entry);
      reason = await Promise.race([connection.ended, aborted(stopped)]);
    }
    terminal.end();
    terminal.lastRejected();
    // The session ends before the page closes, so that viewers get the reason.
    if (connection.started) await connection.end();
    await page.close();
    if (reason !== undefined) out.write(`${linesText(reason)}\n`);
    return 0;
  } finally {
    // The command ends only a session that it has started. A session that it joined continues. A
    // second call does nothing, because the connection has ended.
    if (connection.started) await connection.end();
    connection.close();
  }
}

/** Whoever started the kernel starts it again, if there is a checkpoint to go on from. */
function mayGoOn(connection: Connection, notebook: string, ends: ProcessEnds): boolean {
  const call = connection.lastCall();
  return connection.started && call !== undefined && !!readSummary(notebook) && ends.goesOn(call, Date.now());
}
/**
 * The session in another kernel, from its last checkpoint: without the cell that ended the kernel.
 */
async function goOn(
  ended: Connection,
  connect: () => Promise<Connection>,
  cells: Document,
  terminal: LiveTerminal,
): Promise<Connection> {
  const connection = await connect();
  const lastCall = ended.lastCall();
  terminal.hearAnother();
  follow(connection, terminal);
  await connection.request('sync', { cells });
  const { offered } = connection.welcome.state;
  // Another client may have been first.
  if (!offered) return connection;
  await connection.request('choose', { choice: 'resume', ...(lastCall && { lastCall }) });
  terminal.line(`The session goes on from the checkpoint of ${new Date(offered.takenAt).toISOString()}.`);
  return connection;
}

type Document = ReturnType<typeof readNotebook>['cells'];
async function begin(
  connection: Connection,
  cells: Document,
  terminal: LiveTerminal,
  { fresh, savepoint, stopped }: Pick<ServeOptions, 'fresh' | 'savepoint' | 'stopped'>,
): Promise<void> {
  await connection.request('sync', { cells });
  const { offered } = connection.welcome.state;
  let code = cells.filter(({ kind }) => kind === 'code').map(({ id }) => id);
  if (savepoint !== undefined || offered) {
    const resumed = stateAfterResume(connection);
    if (savepoint !== undefined) await startFrom(connection, savepoint, terminal);
    else if (offered) await answerOffer(connection, offered, terminal, fresh);
    if (savepoint !== undefined || !fresh) {
      // Cells that were edited since then run with their new texts; the others go on.
      const state = await Promise.race([resumed, aborted(stopped), connection.ended.then(() => undefined)]);
      const changed = (state?.cells ?? []).filter(({ edited, phase }) => edited || phase === 'not-run');
      code = changed.map(({ id }) => id);
    }
  }
  if (code.length === 0) return;
  const run = connection.request('run', { cells: code }).catch(() => []);
  for (const { ok, cell, error } of (await Promise.race([run, aborted(stopped)])) ?? [])
    if (!ok) terminal.line(`✖ ${cell}: ${error?.message ?? 'failed'}`);
}

async function startFrom(connection: Connection, savepoint: string, terminal: LiveTerminal): Promise<void> {
  const asked = connection.request('fromSavepoint', { savepoint: resolve(savepoint) });
  const { warnings } = await asked.catch((error: unknown) => {
    throw new CommandError('no-savepoint', messageOf(error));
  });
  terminal.line(`The session goes on from the savepoint ${resolve(savepoint)}.`);
  for (const text of warnings) terminal.line(`▲ ${text}`);
}

async function answerOffer(
  connection: Connection,
  { skipped, takenAt, lost }: OfferedState,
  terminal: LiveTerminal,
  fresh: boolean,
): Promise<void> {
  await connection.request('choose', { choice: fresh ? 'fresh' : 'resume' });
  for (const text of skipped) terminal.line(`▲ ${text}`);
  if (fresh) return;
  const time = new Date(takenAt).toISOString();
  terminal.line(`The session goes on from the checkpoint of ${time} (--fresh starts anew).`);
  if (lost.length > 0) terminal.line(`▲ ${lostText(lost)}`);
}

function alreadyRuns(): CommandError {
  return new CommandError(
    'session-runs',
    'A session of this notebook runs already, so it cannot start from a savepoint. End that session first.',
  );
}

function stateAfterResume(connection: Connection): Promise<SessionView> {
  return new Promise((resolve) =>
    connection.on('state', (state) => {
      if (state.resumedFrom !== undefined) resolve(state);
    }),
  );
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
