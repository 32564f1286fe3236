// Ends a session for everybody, also one whose kernel hangs.
// A kernel that answers ends itself. Only a kernel that does not answer is killed, and only if its
// process id still belongs to it.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Requests } from '../protocol/messages.ts';
import { answerMillis, within } from './open-socket.ts';
import { isAnswering, type SessionEntry } from './registry.ts';

const lookMillis = 10;

type Request = <M extends keyof Requests>(method: M, params: Requests[M]['params']) => Promise<Requests[M]['result']>;

/** The kernel accepts connections and does not answer. */
export class SilentKernel extends Error {
  readonly entry: SessionEntry;

  constructor(entry: SessionEntry, millis: number) {
    super(
      `The kernel of ${basename(entry.notebook)} (process ${entry.pid}) has not answered for ${millis / 1000} s. Wait for it, or run "Sluice: Restart", which ends it.`,
    );
    this.name = 'SilentKernel';
    this.entry = entry;
  }

  /** Resolves when the kernel has ended. */
  async kill(): Promise<void> {
    await killKernel(this.entry);
  }
}

/** Resolves when the session has ended. */
export async function endSession(
  entry: SessionEntry,
  request: Request,
  ended: Promise<string>,
  discard = false,
): Promise<void> {
  const silent = new SilentKernel(entry, answerMillis);
  // The kernel may end before its answer is sent.
  const shutdown = request('shutdown', discard ? { discard } : null).catch(() => null);
  try {
    await within(answerMillis, Promise.race([shutdown, ended]), silent);
  } catch (error) {
    if (error !== silent) throw error;
    await silent.kill();
  }
  await ended;
}

async function killKernel(entry: SessionEntry): Promise<void> {
  const { pid, session, socket } = entry;
  if (!commandOf(pid).includes(session))
    throw new Error(
      `The kernel of ${basename(entry.notebook)} hangs, and process ${pid} is not that kernel. End the process that has ${session} in its command.`,
    );
  process.kill(pid, 'SIGKILL');
  while (await isAnswering(socket)) await sleep(lookMillis);
}

/** The command contains the session's id. Empty if there is no such process. */
function commandOf(pid: number): string {
  try {
    if (process.platform === 'linux') return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
    const [command, args] =
      process.platform === 'win32'
        ? [
            'powershell',
            ['-NoProfile', '-Command', `(Get-CimInstance Win32_Process -Filter ProcessId=${pid}).CommandLine`],
          ]
        : ['ps', ['-ww', '-o', 'command=', '-p', String(pid)]];
    return execFileSync(command, args, { encoding: 'utf8' });
  } catch {
    return '';
  }
}
