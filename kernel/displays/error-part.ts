// The error boxes under a cell: of its last run, and of each of its operators that failed.
import type { LocatedError } from '../executor/executor-protocol.ts';
import type { ErrorPart } from '../protocol/displays.ts';
import type { Cell, OperatorFailure } from '../session/state.ts';

export function errorParts(cell: Cell): readonly ErrorPart[] {
  const parts = (cell.active?.failures ?? []).map((failure) => ofOperator(cell.id, failure));
  return cell.error ? [ofRun(cell.error), ...parts] : parts;
}

function ofRun(error: LocatedError): ErrorPart {
  return { kind: 'error', id: 'error', where: '', ...described(error) };
}

function ofOperator(cell: string, { name, error, record, instance }: OperatorFailure): ErrorPart {
  const line = error.line === undefined ? '' : `, line ${error.line}`;
  const place = error.file === undefined ? `cell ${error.cell ?? cell}` : error.file;
  return {
    kind: 'error',
    id: `error/${instance ?? name}`,
    where: `${name} · ${place}${line}`,
    ...described(error),
    record,
    hint: error.hint ?? `${cell} and what hangs on it have stopped; the rest goes on. Edit and run the cell to resume.`,
  };
}

function described(
  error: LocatedError,
): Pick<ErrorPart, 'code' | 'message' | 'location' | 'excerpt' | 'hint' | 'stack'> {
  const { code, message, cell, file, line, column, excerpt, hint, stack } = error;
  return {
    code,
    message,
    ...(line !== undefined && {
      location: { ...(file === undefined ? { cell } : { file }), line, column: column ?? 1 },
    }),
    ...(excerpt !== undefined && { excerpt }),
    ...(hint !== undefined && { hint }),
    ...(stack && { stack }),
  };
}
