// The console of the executor's thread: output of user code goes under its cell, with a bounded
// number of lines a second.
import { formatWithOptions, inspect, type InspectOptions } from 'node:util';
import { AsyncLocalStorage } from 'node:async_hooks';
import { currentBuilder } from '../../engine/api/builder.ts';
import { cutText } from '../protocol/display-cut.ts';
import type { LogLine } from '../protocol/displays.ts';

const levels = ['log', 'info', 'warn', 'error', 'debug'] as const;
const linesPerSecond = 20;
const flushMillis = 100;
/** Of what is shown of one value. */
const limits: InspectOptions = { depth: 4, breakLength: 120, maxArrayLength: 50, maxStringLength: 2000 };
type Line = Omit<LogLine, 'n'>;

interface Pending {
  readonly lines: Line[];
  dropped: number;
  /** Lines that may still be said in this second. */
  allowance: number;
  second: number;
}

export class CellConsole {
  readonly #pending = new Map<string, Pending>();
  readonly #heard = new AsyncLocalStorage<boolean>();
  readonly #operatorCell: () => string | undefined;
  readonly #send: (cell: string, lines: readonly Line[], dropped: number) => void;
  readonly #timer: NodeJS.Timeout;

  constructor(
    operatorCell: () => string | undefined,
    send: (cell: string, lines: readonly Line[], dropped: number) => void,
  ) {
    this.#operatorCell = operatorCell;
    this.#send = send;
    this.#timer = setInterval(() => this.#flush(), flushMillis);
    for (const level of levels) console[level] = (...args: unknown[]) => this.#say(level, args);
    console.dir = (value: unknown, options?: InspectOptions) =>
      this.#say('log', ['%s', inspect(value, { ...limits, ...options })]);
  }
  /** Runs an evaluation whose output is heard, or is dropped (it was heard the first time). */
  during<R>(heard: boolean, run: () => R): R {
    return this.#heard.run(heard, run);
  }
  close(): void {
    clearInterval(this.#timer);
    this.#flush();
  }

  #say(level: LogLine['level'], args: readonly unknown[]): void {
    const cell = this.#operatorCell() ?? currentBuilder()?.settings.group;
    if (cell === undefined || this.#heard.getStore() === false) return;
    let pending = this.#pending.get(cell);
    if (!pending) this.#pending.set(cell, (pending = { lines: [], dropped: 0, allowance: linesPerSecond, second: 0 }));
    const second = Math.floor(performance.now() / 1000);
    if (pending.second !== second) {
      pending.second = second;
      pending.allowance = linesPerSecond;
    }
    if (pending.allowance-- > 0)
      pending.lines.push({ level, at: Date.now(), text: cutText(formatWithOptions(limits, ...args)) });
    else pending.dropped++;
  }
  #flush(): void {
    for (const [cell, pending] of this.#pending) {
      if (pending.lines.length === 0 && pending.dropped === 0) continue;
      this.#send(cell, pending.lines.splice(0), pending.dropped);
      pending.dropped = 0;
    }
  }
}
