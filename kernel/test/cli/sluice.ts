// Runs `sluice` as a process of its own: its output and its exit code. Makes folders with notebooks
// for it.
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import type { TestContext } from 'vitest';

const cli = join(import.meta.dirname, '../../cli.ts');

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

export function start(parameters: readonly string[]): {
  readonly child: ChildProcessByStdio<null, Readable, Readable>;
  readonly ended: Promise<Ended>;
  /** The output so far. */
  readonly out: () => string;
} {
  const child = spawn(process.execPath, [cli, ...parameters], { stdio: ['ignore', 'pipe', 'pipe'] });
  let out = '';
  let err = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text));
  const ended = new Promise<Ended>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, out, err, lines: jsonLines(out) }));
  });
  return { child, ended, out: () => out };
}

export function sluice(...parameters: readonly string[]): Promise<Ended> {
  return start(parameters).ended;
}

function jsonLines(text: string): JsonLine[] {
  const lines = text.split('\n').filter((line) => line !== '');
  return lines.every((line) => line.startsWith('{')) ? lines.map((line) => JSON.parse(line) as JsonLine) : [];
}
