// A lock file that only one process can create. It contains the process id of its owner.
// A lock whose owner is dead is removed.
import { closeSync, openSync, readFileSync, renameSync, rmSync, statSync, writeSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { isAlive } from './registry.ts';

const retryMillis = 20;
/**
 * No start takes longer than this. An older lock belongs to a dead owner, even if its process id is
 * in use again.
 */
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
    // An empty file has just been created.
    if (age < oldestMillis && (pid === 0 || isAlive(pid))) return;
    // If two processes break the lock, one renames it. The other finds no file, and does not remove
    // the next lock.
    const broken = `${path}.${process.pid}`;
    renameSync(path, broken);
    rmSync(broken, { force: true });
  } catch {
    // The lock was released meanwhile.
  }
}
