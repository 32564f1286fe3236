// The log of an exported job: one JSON object a line on standard output.
//
//   {"time":"2026-01-31T12:00:00.000Z","level":"info","application":"orders","message":"…","cell":"totals"}
import { jsonText } from './json-text.ts';

export const levels = ['error', 'warn', 'info', 'debug'] as const;
export type Level = (typeof levels)[number];

export interface JobLog {
  write(level: Level, message: string, fields?: Readonly<Record<string, unknown>>): void;
  /** Resolves when all lines have left the process. */
  drained(): Promise<void>;
}

/** Lines below `least` are left out. */
export function jobLog(out: NodeJS.WritableStream, application: string, least: Level): JobLog {
  return {
    write(level, message, fields = {}) {
      if (levels.indexOf(level) > levels.indexOf(least)) return;
      out.write(`${jsonText({ time: new Date().toISOString(), level, application, message, ...fields })}\n`);
    },
    drained: () => new Promise((resolve) => out.write('', () => resolve())),
  };
}
