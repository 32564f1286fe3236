// Runs `sluice` as a process of its own: its output and its exit code. Makes folders with notebooks
// for it.
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import type { TestContext } from 'vitest';

const cli = join(import.meta.dirname, '../../cli.ts');
/** The same command. SIGUSR2 ends the thread of its cells. */
export const killableCli = join(import.meta.dirname, 'killable-cli.ts');

export interface JsonLine {
  readonly cell?: string;
  readonly stream?: string;
  readonly row?: unknown;
  readonly error?: { readonly code: string; readonly message: string };
  readonly metrics?: { readonly operators: readonly ({ readonly id: string } & Readonly<Record<string, unknown>>)[] };
}
export interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
  /** The output, if it is JSON lines. */
  readonly lines: readonly JsonLine[];
}

export class Folder {
  readonly #path = mkdtempSync(join(tmpdir(), 'sluice-cli-'));
  constructor(t: TestContext) {
    t.onTestFinished(() => rmSync(this.#path, { recursive: true, force: true }));
  }
  /** Gives the file's path. */
  write(name: string, text: string): string {
    const path = join(this.#path, name);
    writeFileSync(path, text);
    return path;
  }
}

export interface Started {
  readonly child: ChildProcessByStdio<null, Readable, Readable>;
  readonly ended: Promise<Ended>;
  /** The output so far. */
  readonly out: () => string;
  readonly err: () => string;
}
/** `environment` is added to that of the test. `user`: root gives its rights up. */
export function start(
  parameters: readonly string[],
  {
    command = cli,
    environment = {},
    user,
  }: { command?: string; environment?: Readonly<Record<string, string>>; user?: 'nobody' } = {},
): Started {
  const rights = user && process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {};
  const child = spawn(process.execPath, [command, ...parameters], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...environment },
    ...rights,
  });
  let out = '';
  let err = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text));
  const ended = new Promise<Ended>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, out, err, lines: jsonLines(out) }));
  });
  return { child, ended, out: () => out, err: () => err };
}

export const isRunning = ({ child }: Started): boolean => child.exitCode === null && child.signalCode === null;

export function sluice(...parameters: readonly string[]): Promise<Ended> {
  return start(parameters).ended;
}

/** Of JSON lines. A process that is killed may end in the middle of one. */
export function wholeLines(out: string): JsonLine[] {
  const lines = out.split('\n').slice(0, -1);
  return lines.map((line) => JSON.parse(line) as JsonLine);
}
function jsonLines(text: string): JsonLine[] {
  const isJson = text.split('\n').every((line) => line === '' || line.startsWith('{'));
  return isJson ? wholeLines(text) : [];
}
