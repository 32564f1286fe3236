// Small files that other processes read while they are written.
import { randomBytes } from 'node:crypto';
import { renameSync, writeFileSync } from 'node:fs';

/** A reader sees the former text or this one. Only the user can read the file. */
export function writeWhole(path: string, text: string): void {
  const unfinished = `${path}.${randomBytes(4).toString('hex')}.tmp`;
  writeFileSync(unfinished, text, { mode: 0o600 });
  renameSync(unfinished, path);
}
