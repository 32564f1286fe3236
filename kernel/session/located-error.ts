// An error that was thrown in the control thread, as data for the cell that it concerns.
import type { LocatedError } from '../executor/executor-protocol.ts';

/** An error without a code is a defect of ours: it keeps its stack. */
export function locatedError(error: unknown, cell: string | undefined): LocatedError {
  const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'internal';
  const message = error instanceof Error ? error.message : String(error);
  const stack = error instanceof Error && code === 'internal' ? error.stack?.split('\n').slice(1) : undefined;
  return { code, message, cell, ...(stack && { stack }) };
}
