// A cache outside the checkout for what Maven Central has: filled once per machine, under a lock.
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

export function cacheFolder(name: string): string {
  return join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'sluice', name);
}

/** Calls `fill` unless `marker` exists. `fill` is called by one process at a time. */
export async function filledOnce(cache: string, marker: string, fill: () => void): Promise<void> {
  if (existsSync(marker)) return;
  mkdirSync(cache, { recursive: true });
  const lock = join(cache, 'lock');
  for (;;) {
    try {
      mkdirSync(lock);
      writeFileSync(join(lock, 'pid'), String(process.pid));
      break;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      if (holderIsGone(lock)) rmSync(lock, { recursive: true, force: true });
      await sleep(200);
    }
    if (existsSync(marker)) return;
  }
  try {
    if (existsSync(marker)) return;
    fill();
    writeFileSync(marker, '');
  } finally {
    rmSync(lock, { recursive: true, force: true });
  }
}

function holderIsGone(lock: string): boolean {
  try {
    process.kill(Number(readFileSync(join(lock, 'pid'), 'utf8')), 0);
    return false;
  } catch (error) {
    // Without a pid file the holder is just about to write it.
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}
