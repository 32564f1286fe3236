// Runs store-process.ts as a process of its own.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

/** Ends with the test. `user`: root gives its rights up. */
export function storeProcess(task: string, parameters: readonly string[], user?: 'nobody'): ChildProcess {
  const rights = user && process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {};
  const child = spawn(process.execPath, [join(import.meta.dirname, 'store-process.ts'), task, ...parameters], {
    stdio: ['ignore', 'pipe', 'pipe'],
    ...rights,
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  return child;
}

/** All that it prints, errors included. */
export async function printed(task: string, parameters: readonly string[], user?: 'nobody'): Promise<string> {
  const child = storeProcess(task, parameters, user);
  const chunks: string[] = [];
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding('utf8').on('data', (chunk: string) => chunks.push(chunk));
  await once(child, 'close');
  return chunks.join('');
}
