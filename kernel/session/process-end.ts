// The call of user code in which the former process has ended: its cell is failed and stays out,
// so that the next process does not end in it too. The others go on from the checkpoint.
import type { LocatedError } from '../executor/executor-protocol.ts';
import { endOfProcess, type LastCall } from '../protocol/last-call.ts';
import type { Emit } from './events.ts';
import { type Session, withCell } from './state.ts';
import { withStopped } from './stopped-operator.ts';

/**
 * `session` is what the checkpoint had. A cell that was being run keeps its former version, as
 * after any run that fails; one that was being brought back has none any more.
 */
export function withoutLastCall(session: Session, call: LastCall, emit: Emit): Session {
  const { cell: id, operator, duringRestore } = call;
  const cell = id === undefined ? undefined : session.cells.get(id);
  if (!cell) return session;
  const error: LocatedError = {
    code: 'kernel-ended',
    cell: cell.id,
    message: `${endOfProcess('The kernel', call)} Then run the cell again.`,
  };
  emit({ kind: 'show-errors', cell: cell.id });
  if (operator === undefined || !cell.active) {
    const active = duringRestore ? undefined : cell.active;
    return withCell(session, cell.id, { error, active });
  }
  return withStopped(session, cell.id, operator, error);
}
