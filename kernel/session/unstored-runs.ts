// The runs that no checkpoint on disk has yet. They are noted in a small file before a run is
// answered. So an end of the kernel in the moment before the next checkpoint loses no run: the next
// kernel goes on from the checkpoint, and runs these cells again.
//
//   run is done ─► noted ─checkpoint is taken─► taken ─it is stored─► forgotten
//                    ▲                            └─it fails: the next one has the run too
//                    └─ Resume in the next kernel: the cell runs again ◄─ the kernel ends
import { reached } from '../../engine/graph/walk.ts';
import type { LastCall } from '../protocol/last-call.ts';
import type { Checkpoints, UnstoredRun } from './checkpoint-state.ts';
import { usesOf } from './dependencies.ts';
import type { Emit } from './events.ts';
import type { Session } from './state.ts';

/** A run of the cell is done. */
export function withNotedRun(session: Session, id: string, emit: Emit): Session {
  const active = session.cells.get(id)?.active;
  if (!active) return session;
  const uses = [...new Set(usesOf(session, id, active.compiled).map(({ cell }) => cell))];
  const run: UnstoredRun = { cell: id, text: active.text, uses };
  return noted(session, [...session.checkpoints.unstored.filter(({ cell }) => cell !== id), run], emit);
}

/** A run of this text has failed, so it is not tried again. */
export function withoutFailedRun(session: Session, id: string, text: string, emit: Emit): Session {
  const { unstored } = session.checkpoints;
  const left = unstored.filter((run) => run.cell !== id || run.text !== text);
  return left.length === unstored.length ? session : noted(session, left, emit);
}

/** Checkpoint `id` has the runs that are done. One that is still to be run again is not in it. */
export function takenInCheckpoint({ cells }: Session, { unstored }: Checkpoints, id: number): readonly UnstoredRun[] {
  return unstored.map((run) =>
    run.takenIn === undefined && cells.get(run.cell)?.active?.text === run.text ? { ...run, takenIn: id } : run,
  );
}

/** Checkpoint `id` is on disk. */
export function withStoredRuns(session: Session, id: number, emit: Emit): Session {
  const { unstored } = session.checkpoints;
  const left = unstored.filter(({ takenIn = Infinity }) => takenIn > id);
  return left.length === unstored.length ? session : noted(session, left, emit);
}

/** These runs are noted, and no others. */
export function noted(session: Session, unstored: readonly UnstoredRun[], emit: Emit): Session {
  emit({ kind: 'note-runs', runs: unstored });
  return { ...session, checkpoints: { ...session.checkpoints, unstored } };
}

/**
 * What the checkpoint does not have of the runs of the former kernel. The cell in which that kernel
 * has ended stays out, and so do the cells that read from it. A text that was edited since then is
 * the user's to run.
 */
export function runsToRepeat(
  { cells }: Session,
  ran: readonly UnstoredRun[],
  call: LastCall | undefined,
): readonly UnstoredRun[] {
  const readersOf = (id: string): readonly string[] =>
    ran.filter(({ uses }) => uses.includes(id)).map(({ cell }) => cell);
  const out = reached(call?.cell === undefined ? [] : [call.cell], readersOf);
  return ran
    .filter(({ cell: id, text }) => {
      const cell = cells.get(id);
      return !out.has(id) && cell?.text === text && cell.active?.text !== text;
    })
    .map(({ cell, text, uses }) => ({ cell, text, uses }));
}
