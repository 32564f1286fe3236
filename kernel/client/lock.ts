// One starter at a time: a file that only one process can make, with the maker's process id in it. A lock whose maker is dead counts for nothing.
import { closeSync, openSync, readFileSync, renameSync, rmSync, statSync, writeSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { isAlive } from './registry.ts';

const retryMillis = 20;
/** Longer than any start; then the maker's process id has been given to somebody else. */
const oldestMillis = 60_000;

export async function withLock<T>(path: string, work: () => Promise<T>): Promise<T> {
  while (!take(path)) {
    breakIfDead(path);
    await sleep(retryMillis);
  }
  try {
    return await work();
  } finally {
    rmSync(path, { force: true });
  }
}

function take(path: string): boolean {
  try {
    const file = openSync(path, 'wx', 0o600);
    writeSync(file, String(process.pid));
    closeSync(file);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

function breakIfDead(path: string): void {
  try {
    const pid = Number(readFileSync(path, 'utf8'));
    const age = Date.now() - statSync(path).mtimeMs;
    // Empty: taken this moment.
    if (age < oldestMillis && (pid === 0 || isAlive(pid))) return;
    // Of two that break it, one renames; the other finds nothing, and not the next one's lock.
    const broken = `${path}.${process.pid}`;
    renameSync(path, broken);
    rmSync(broken, { force: true });
  } catch {
    // Released meanwhile.
  }
}
