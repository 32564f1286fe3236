// Runs one target of the fuzzer in a process of its own, because code that hoards memory may take
// its process along.
import { fork } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { saveInput } from './saved-input.ts';
import type { Plant, TargetName } from './target.ts';

export interface FuzzOptions {
  readonly target: TargetName;
  readonly seconds: number;
  readonly seed: number;
  /** Where inputs that crash or hang are written. */
  readonly folder: string;
  readonly plant?: Plant;
  /** It ends with so many. */
  readonly mostFindings?: number;
  /** Only this input. */
  readonly replay?: Uint8Array;
}
export interface Finding {
  readonly kind: 'crash' | 'hang';
  readonly message: string;
  /** The input as a file. */
  readonly file: string;
}
export interface FuzzResult {
  readonly inputs: number;
  readonly accepted: number;
  readonly rejected: number;
  readonly findings: readonly Finding[];
}

export async function fuzz(options: FuzzOptions): Promise<FuzzResult> {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-fuzz-'));
  const note = join(folder, 'input');
  try {
    const child = fork(new URL('./fuzz-process.ts', import.meta.url), {
      execArgv: [],
      // With it, a thread without memory went on for minutes instead of ending.
      env: { ...process.env, NODE_DISABLE_COMPILE_CACHE: '1' },
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    });
    return await new Promise<FuzzResult>((resolve, reject) => {
      let isOver = false;
      child.on('message', (result) => {
        isOver = true;
        resolve(result as FuzzResult);
      });
      child.on('error', reject);
      child.on('exit', (code, signal) => {
        if (isOver) return;
        const message = `the process ended with ${signal ?? `code ${code}`}, as it does without memory`;
        const finding = {
          kind: 'crash',
          message,
          file: saveInput(options, existsSync(note) ? readFileSync(note) : new Uint8Array()),
        } as const;
        resolve({ inputs: 1, accepted: 0, rejected: 0, findings: [finding] });
      });
      child.send({ ...options, note });
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
