// A kernel process: one session with its socket and its registry entry. It ends on shutdown or
// after ten minutes without a client.
import { randomBytes } from 'node:crypto';
import { ViewStore } from '../displays/view-store.ts';
import { LastCallFile } from '../client/last-call.ts';
import { removeEntry, writeEntry } from '../client/registry.ts';
import { logPath, realNotebook, socketPath } from '../client/session-folder.ts';
import { protocolVersion } from '../protocol/messages.ts';
import { build } from '../protocol/version.ts';
import { Control } from './control.ts';
import { executorThread } from './executor-thread.ts';
import { takeHandOver } from './handed-over.ts';
import { RotatedLog } from './rotated-log.ts';
import { filesBeside, openKernelState } from './kernel-state.ts';
import { LateCompiler } from './late-compiler.ts';
import type { ServedSession } from './serve-connection.ts';
import { serveSocket } from './socket-server.ts';

export interface KernelOptions {
  readonly notebook: string;
  readonly folder: string;
  readonly session: string;
  readonly idleMillis?: number;
}

/** The last checkpoint of a session has this long. */
const lastCheckpointMillis = 10_000;
/** All of the end has this long. A client that does not read may hold it up. */
const endMillis = 30_000;

export async function runKernel(options: KernelOptions): Promise<void> {
  const { folder, session, idleMillis } = options;
  const log = new RotatedLog(logPath(folder, session));
  log.takeConsole();
  process.on('uncaughtException', (error) => log.write(`uncaught ${error.stack ?? error.message}`));
  process.on('unhandledRejection', (error) => log.write(`unhandled ${String(error)}`));
  const lastCall = new LastCallFile(folder, session);
  process.on('exit', () => {
    lastCall.keep(undefined);
    removeEntry(folder, session);
  });
  // A second signal ends the process at once.
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const)
    process.on(signal, () => (isEnding ? process.exit(1) : void end(signal)));

  let isEnding = false;
  await takeHandOver();
  const token = randomBytes(24).toString('base64url');
  const since = Date.now();
  const socket = socketPath(folder, session);
  const { checkpointMillis, folder: stateFolder, ...state } = await openKernelState(options.notebook);
  const compiler = new LateCompiler(() => served.notebook);
  const control = new Control({
    ...state,
    ...(stateFolder !== undefined &&
      filesBeside(
        { folder: stateFolder, hasCheckpoint: state.storage?.restored !== undefined },
        () => served.notebook,
      )),
    settings: {
      ...(checkpointMillis !== undefined && { checkpointMillis }),
      ...(idleMillis !== undefined && { idleMillis }),
    },
    compiler,
    views: new ViewStore(),
    startExecutor: () =>
      executorThread(served.notebook, { onOutput: (text) => log.write(`executor ${text.trimEnd()}`) }),
    lasts: (call) => lastCall.keep(call && { ...call, duringRestore: control.session.executor === 'restoring' }),
    ended: (reason) => void end(reason),
  });
  const served: ServedSession = {
    ...{ control, session, build, token, since },
    notebook: realNotebook(options.notebook),
    renamed(notebook) {
      served.notebook = realNotebook(notebook);
      announce();
    },
  };
  const announce = (): void => {
    const { notebook } = served;
    writeEntry(folder, {
      ...{ session, notebook, socket, token, build, since },
      pid: process.pid,
      kernel: process.argv[1] ?? '',
      protocol: protocolVersion,
    });
  };

  async function end(reason: string): Promise<void> {
    if (isEnding) return;
    isEnding = true;
    log.write(`ending: ${reason}`);
    // The entry is removed first, so that new clients start a new session.
    removeEntry(folder, session);
    setTimeout(() => {
      log.write(`The end has taken ${endMillis / 1000} s.`);
      process.exit(1);
    }, endMillis);
    try {
      // A session that ends by itself, or that the system ends, can be resumed from its last
      // moment.
      await control.checkpoint(lastCheckpointMillis);
      // Closing waits until the last messages to clients have been sent.
      await control.close();
      await server.close();
    } catch (error) {
      // Whatever fails here, a process without an entry must not stay: nobody would find it.
      log.write(`ending failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
      process.exit(1);
    }
    // The log is only needed after a crash.
    log.remove();
    process.exit(0);
  }

  const server = await serveSocket(socket, served);
  control.start();
  announce();
  compiler.loadSoon();
  log.write(`session ${session} of ${served.notebook}`);
}
