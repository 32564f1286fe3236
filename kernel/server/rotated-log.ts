// The log file of a kernel. At one megabyte a new file begins, and the previous one is kept as
// `.1`.
import { closeSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { format } from 'node:util';

const mostBytes = 1 << 20;

export class RotatedLog {
  readonly #path: string;
  #file: number;
  #bytes = 0;

  constructor(path: string) {
    this.#path = path;
    this.#file = openSync(path, 'a', 0o600);
  }
  write(text: string): void {
    const line = `${new Date().toISOString()} ${text}\n`;
    this.#bytes += writeSync(this.#file, line);
    if (this.#bytes < mostBytes) return;
    closeSync(this.#file);
    renameSync(this.#path, `${this.#path}.1`);
    this.#file = openSync(this.#path, 'a', 0o600);
    this.#bytes = 0;
  }
  remove(): void {
    closeSync(this.#file);
    for (const path of [this.#path, `${this.#path}.1`]) rmSync(path, { force: true });
  }
  /** Redirects all console output of this thread to the log. */
  takeConsole(): void {
    for (const level of ['log', 'info', 'warn', 'error', 'debug'] as const)
      console[level] = (...args: unknown[]) => this.write(`${level} ${format(...args)}`);
  }
}
