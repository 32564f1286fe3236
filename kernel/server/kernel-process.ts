// A kernel process: one session with its socket and its registry entry. It ends on shutdown or
// after ten minutes without a client.
import { randomBytes } from 'node:crypto';
import { ViewStore } from '../displays/view-store.ts';
import { removeEntry, writeEntry } from '../client/registry.ts';
import { logPath, realNotebook, socketPath } from '../client/session-folder.ts';
import { protocolVersion } from '../protocol/messages.ts';
import { build } from '../protocol/version.ts';
import { notebookCompiler } from './compiler.ts';
import { Control } from './control.ts';
import { executorThread } from './executor-thread.ts';
import { RotatedLog } from './rotated-log.ts';
import type { ServedSession } from './serve-connection.ts';
import { serveSocket } from './socket-server.ts';

export interface KernelOptions {
  readonly notebook: string;
  readonly folder: string;
  readonly session: string;
  readonly idleMillis?: number;
}

export async function runKernel(options: KernelOptions): Promise<void> {
  const { folder, session, idleMillis } = options;
  const log = new RotatedLog(logPath(folder, session));
  log.takeConsole();
  process.on('uncaughtException', (error) => log.write(`uncaught ${error.stack ?? error.message}`));
  process.on('unhandledRejection', (error) => log.write(`unhandled ${String(error)}`));
  process.on('exit', () => removeEntry(folder, session));
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => void end(signal));

  const token = randomBytes(24).toString('base64url');
  const since = Date.now();
  const socket = socketPath(folder, session);
  const control = new Control({
    settings: { ...(idleMillis !== undefined && { idleMillis }) },
    compiler: notebookCompiler(() => served.notebook),
    views: new ViewStore(),
    startExecutor: () =>
      executorThread(served.notebook, { onOutput: (text) => log.write(`executor ${text.trimEnd()}`) }),
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

  let isEnding = false;
  async function end(reason: string): Promise<void> {
    if (isEnding) return;
    isEnding = true;
    log.write(`ending: ${reason}`);
    // The entry is removed first, so that new clients start a new session.
    removeEntry(folder, session);
    // Closing waits until the last messages to clients have been sent.
    await control.close();
    await server.close();
    // The log is only needed after a crash.
    log.remove();
    process.exit(0);
  }

  const server = await serveSocket(socket, served);
  control.start();
  announce();
  log.write(`session ${session} of ${served.notebook}`);
}
