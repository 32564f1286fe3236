// An input that crashes or hangs a target, as a file.
import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FuzzOptions } from './fuzz.ts';

/** The name of the file begins with that of the target, for --replay. */
export function saveInput({ folder, target, replay }: FuzzOptions, input: Uint8Array): string {
  const name = `${target}-${createHash('sha256').update(input).digest('hex').slice(0, 12)}.bin`;
  const file = join(folder, name);
  if (replay) return file;
  mkdirSync(folder, { recursive: true });
  writeFileSync(file, input);
  return file;
}
