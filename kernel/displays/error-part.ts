// The error boxes under a cell: one for its last run, and one for each of its operators that
// failed.
import type { LocatedError } from '../executor/executor-protocol.ts';
import { cutText } from '../protocol/display-cut.ts';
import type { ErrorPart } from '../protocol/displays.ts';
import { shownFailures } from '../session/shown-failures.ts';
import type { Cell, LeftOutRows, OperatorFailure } from '../session/state.ts';

export function errorParts(cell: Cell): readonly ErrorPart[] {
  const { failures = [], leftOut = [] } = cell.active ?? {};
  const parts = [...shownFailures(failures).map((failure) => ofOperator(cell.id, failure)), ...leftOut.map(ofRow)];
  return cell.error ? [ofRun(cell.id, cell.error), ...parts] : parts;
}

/**
 * An error in the cell's own text shows the line in the excerpt. An error elsewhere also names its
 * place.
 */
function ofRun(cell: string, error: LocatedError): ErrorPart {
  const isElsewhere = error.file !== undefined || (error.cell !== undefined && error.cell !== cell);
  return { kind: 'error', id: 'error', where: isElsewhere ? placeOf(cell, error) : '', ...described(error) };
}

function ofOperator(cell: string, { name, error, record, instance, partitions }: OperatorFailure): ErrorPart {
  return {
    kind: 'error',
    // The list of folded partitions grows. The first one stays.
    id: `error/${[instance ?? name, ...(partitions?.slice(0, 1) ?? [])].join('/')}`,
    where: `${name} · ${placeOf(cell, error)}`,
    ...described(error),
    record: record === undefined ? undefined : cutText(record),
    hint: error.hint ?? (partitions ? hintOfPartitions(partitions) : hintOfOperator(cell)),
  };
}
function hintOfOperator(cell: string): string {
  return `Cell ${cell} and the operators that read from it have stopped. All others continue. Edit and run the cell to resume.`;
}
function hintOfPartitions(partitions: readonly string[]): string {
  const [first, ...rest] = partitions;
  const what = rest.length === 0 ? `Partition ${first}` : `${partitions.length} partitions from ${first} on`;
  const [has, its, it] = rest.length === 0 ? ['has', 'its', 'it'] : ['have', 'their', 'them'];
  return `${what} ${has} stopped. The others continue, and event time goes on without ${its} records. Run the cell to try ${it} again.`;
}

function ofRow({ display, error, record }: LeftOutRows): ErrorPart {
  return {
    ...{ kind: 'error', id: `error/rows/${display}`, where: 'row left out' },
    ...described(error),
    record: cutText(record),
    hint: 'Rows like this one are left out of the display and counted. Everything else goes on.',
  };
}

function placeOf(cell: string, { file, cell: other, line }: LocatedError): string {
  // The last name of the path identifies the file. The stack contains the whole path.
  const name = file?.split(/[\\/]/).at(-1);
  return `${name ?? `cell ${other ?? cell}`}${line === undefined ? '' : `, line ${line}`}`;
}

function described(
  error: LocatedError,
): Pick<ErrorPart, 'code' | 'message' | 'location' | 'excerpt' | 'hint' | 'stack'> {
  const { code, message, cell, file, line, column, excerpt, hint, stack } = error;
  return {
    code,
    message: cutText(message),
    ...(line !== undefined && {
      location: { ...(file === undefined ? { cell } : { file }), line, column: column ?? 1 },
    }),
    ...(excerpt !== undefined && { excerpt: cutText(excerpt) }),
    ...(hint !== undefined && { hint: cutText(hint) }),
    ...(stack && { stack: stack.map((line) => cutText(line)) }),
  };
}
