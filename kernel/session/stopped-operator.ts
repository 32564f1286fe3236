// An operator that is not restored: its cell stops, and says why.
import { atCall } from '../executor/failure-report.ts';
import type { LocatedError } from '../executor/executor-protocol.ts';
import { type Session, withActive } from './state.ts';

/** The error gets the place of the call that has made the operator. */
export function withStopped(session: Session, cell: string, operator: string, error: LocatedError): Session {
  const hint =
    `Cell "${cell}" and the operators that read from it have stopped. All others continue. ` +
    'Edit and run the cell to resume.';
  const node = session.plan.nodes.find((one) => one.group === cell && one.name === operator);
  const failure = { name: operator, error: atCall({ ...error, hint }, node) };
  return withActive(session, cell, { stopped: true, failures: [failure] });
}
