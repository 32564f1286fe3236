// `sluice run` in which the process itself ends: the error of the cell that was at work is printed
// by a small process that outlives it. It is started when a call of user code lasts, so most jobs
// have none.
//
//   job ──the call that lasts, a line each time──► last words: at the end of the input, print the
//                                                  last line
import { type ChildProcess, spawn } from 'node:child_process';
import { text as textOf } from 'node:stream/consumers';
import { endOfProcess, type LastCall } from '../protocol/last-call.ts';
import { JsonLines } from './json-lines.ts';
import { linesText } from './terminal-text.ts';

export const lastWordsCommand = 'last-words';

export class LastWords {
  readonly #json: boolean;
  #child: ChildProcess | undefined;

  constructor(json: boolean) {
    this.#json = json;
  }
  /** undefined: no call lasts any more. */
  keep(call: LastCall | undefined): void {
    if (!this.#child && !call) return;
    this.#child ??= this.#start();
    this.#child.stdin!.write(`${JSON.stringify(call ?? null)}\n`);
  }
  /** The job is over, and has printed its own errors. */
  end(): void {
    this.keep(undefined);
    this.#child?.stdin!.end();
  }

  #start(): ChildProcess {
    const [, file = ''] = process.argv;
    const child = spawn(process.execPath, [file, lastWordsCommand, this.#json ? 'json' : 'text'], {
      stdio: ['pipe', 'inherit', 'inherit'],
      windowsHide: true,
    });
    child.unref();
    // Without last words the job runs as well.
    child.on('error', () => undefined);
    child.stdin.on('error', () => undefined);
    return child;
  }
}

/** The process that prints them. */
export async function sayLastWords(format: string | undefined): Promise<void> {
  // Signals of the terminal are for the job.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);
  const last = (await textOf(process.stdin)).trimEnd().split('\n').at(-1) ?? '';
  const call = last === '' ? null : (JSON.parse(last) as LastCall | null);
  if (!call) return;
  const message = `${endOfProcess('The process', call)} Then run the notebook again.`;
  if (format !== 'json')
    process.stdout.write(`${linesText(`✖ ${call.cell === undefined ? '' : `${call.cell}: `}${message}`)}\n`);
  else {
    const lines = new JsonLines(process.stdout);
    lines.error(call.cell, { code: 'process-ended', message });
    await lines.flushed();
  }
}
