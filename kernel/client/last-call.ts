// The call of user code in which a process has ended without a word. One allocation that is too
// large makes V8 abort the whole process, in whatever thread it happens; the operating system may
// also kill it. So the kernel keeps a note of a call that lasts, outside of itself, and a client
// reads it when the kernel is gone.
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { LastCall } from '../protocol/last-call.ts';
import { callPath } from './session-folder.ts';

export class LastCallFile {
  readonly #path: string;
  constructor(folder: string, session: string) {
    this.#path = callPath(folder, session);
  }

  /** undefined: no call lasts any more. */
  keep(call: LastCall | undefined): void {
    try {
      if (call) writeFileSync(this.#path, JSON.stringify(call), { mode: 0o600 });
      else rmSync(this.#path, { force: true });
    } catch {
      // A full disk ends no session.
    }
  }
  read(): LastCall | undefined {
    try {
      const { cell, operator, duringRestore } = JSON.parse(readFileSync(this.#path, 'utf8')) as Record<string, unknown>;
      return {
        ...(typeof cell === 'string' && { cell }),
        ...(typeof operator === 'string' && { operator }),
        ...(duringRestore === true && { duringRestore }),
      };
    } catch {
      return undefined;
    }
  }
}
