// The registry of sessions by notebook: each kernel writes one entry.
// Only its user can read it, because it contains the token. Every reader removes the entries of
// dead processes.
import { readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { entryPath, logPath, realNotebook, socketPath } from './session-folder.ts';

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
  const path = entryPath(folder, entry.session);
  const unfinished = `${path}.${process.pid}`;
  writeFileSync(unfinished, JSON.stringify(entry), { mode: 0o600 });
  renameSync(unfinished, path);
}

export function removeEntry(folder: string, session: string): void {
  rmSync(entryPath(folder, session), { force: true });
  if (process.platform !== 'win32') rmSync(socketPath(folder, session), { force: true });
}

export function findSession(folder: string, notebook: string): SessionEntry | undefined {
  const real = realNotebook(notebook);
  return entries(folder).find((entry) => entry.notebook === real);
}

/** Entries of running kernels. */
export function entries(folder: string): readonly SessionEntry[] {
  const found: SessionEntry[] = [];
  for (const name of readdirSync(folder)) {
    if (!/^[0-9a-f]{12}\.json$/.test(name)) continue;
    const entry = readEntry(join(folder, name));
    if (entry && isAlive(entry.pid)) found.push(entry);
    else if (entry) forget(folder, entry);
  }
  return found;
}

/** Removes entry, socket and log of a process that has ended or whose id another process has. */
export function forget(folder: string, { session }: SessionEntry): void {
  removeEntry(folder, session);
  rmSync(logPath(folder, session), { force: true });
}

function readEntry(path: string): SessionEntry | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as SessionEntry;
  } catch {
    // The entry was removed after the folder was read.
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
