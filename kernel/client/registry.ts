// The registry of sessions by notebook: each kernel writes one entry.
// Only its user can read it, because it contains the token.
// An entry is forgotten only when its socket does not answer. The process id decides nothing: it
// may belong to another process by now, or to a process that this one cannot see. A kernel that
// hangs still accepts connections, so its entry stays.
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { isNobodyThere, openSocket } from './open-socket.ts';
import { entryPath, logPath, realNotebook, socketPath } from './session-folder.ts';
import { writeWhole } from './write-whole.ts';

export interface SessionEntry {
  readonly session: string;
  /** Real path of the notebook. */
  readonly notebook: string;
  readonly pid: number;
  readonly socket: string;
  readonly token: string;
  readonly build: string;
  readonly protocol: number;
  readonly since: number;
  /** The file that the kernel runs from. Its executors load it again. */
  readonly kernel: string;
}

/** Writes the entry atomically, because another process may read it. */
export function writeEntry(folder: string, entry: SessionEntry): void {
  writeWhole(entryPath(folder, entry.session), JSON.stringify(entry));
}

export function removeEntry(folder: string, session: string): void {
  rmSync(entryPath(folder, session), { force: true });
  if (process.platform !== 'win32') rmSync(socketPath(folder, session), { force: true });
}

export function findSession(folder: string, notebook: string): SessionEntry | undefined {
  const real = realNotebook(notebook);
  return entries(folder).find((entry) => entry.notebook === real);
}

/** All entries, also those of kernels that have ended without removing theirs. */
export function entries(folder: string): readonly SessionEntry[] {
  return readdirSync(folder).flatMap((name) => {
    const entry = /^[0-9a-f]{12}\.json$/.test(name) ? readEntry(join(folder, name)) : undefined;
    return entry ? [entry] : [];
  });
}

/** Forgets the entries whose sockets do not answer, and returns the others. */
export async function answeringEntries(folder: string): Promise<readonly SessionEntry[]> {
  const all = entries(folder);
  const answers = await Promise.all(all.map(({ socket }) => isAnswering(socket)));
  return all.filter((entry, index) => {
    if (!answers[index]) forget(folder, entry);
    return answers[index];
  });
}

/** False only if nobody listens at the socket. */
export async function isAnswering(socket: string): Promise<boolean> {
  try {
    (await openSocket(socket)).destroy();
    return true;
  } catch (error) {
    return !isNobodyThere(error);
  }
}

/** Removes entry, socket and log of a kernel whose socket does not answer. */
export function forget(folder: string, { session }: SessionEntry): void {
  removeEntry(folder, session);
  rmSync(logPath(folder, session), { force: true });
}

function readEntry(path: string): SessionEntry | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as SessionEntry;
  } catch {
    // The entry was removed after the folder was read, or it is no JSON.
    return undefined;
  }
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
