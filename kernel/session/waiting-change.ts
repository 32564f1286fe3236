// A change of the graph that is done except for a sink: it waits for its target, behind the change.
// The last snapshot is of the graph before, and no snapshot has the rows that this sink has still
// to write. If the executor ends meanwhile, they come again, and the sink of before has to write
// them. So the next executor starts with the graph before. The change is made again when the
// sources have read as far as they had.
//
//   none ─change goes on behind a sink─► waiting ─snapshot─► none
//                                          └─executor ends─► again ─sources caught up─► made
//
// Rows that come while the change is made again go to the sink of before.
import type { ReadBySource } from '../../engine/runtime/source-progress.ts';
import type { Emit } from './events.ts';
import { requestRun } from './runs.ts';
import type { Cell, Session } from './state.ts';
import { withCell } from './state.ts';

/** A mutation is done. With `read` a sink of before it waits. `session`: as of before. */
export function withWaitingChange(session: Session, read: ReadBySource | undefined): Session {
  if (!read) return session;
  const { plan, displays, endedDisplays, recovery } = session;
  const cells = new Map([...session.cells].map(([id, cell]) => [id, { ...cell, armed: armedNow(session, cell) }]));
  const before = session.waitingChange?.before ?? { cells, plan, displays, endedDisplays, recovery };
  return { ...session, waitingChange: { before, read } };
}
/** Arming counts at once, and the graph follows it. */
function armedNow({ settings, plan }: Session, { active, armed }: Cell): readonly string[] {
  if (settings.arming !== 'ask') return armed;
  const writing = plan.nodes.filter(({ parameters }) => 'armed' in parameters && parameters.armed === true);
  return (active?.fragment.sinks ?? []).flatMap(({ node, target }) =>
    writing.some(({ uid }) => uid === node) ? [target] : [],
  );
}

/** The executor has ended. */
export function goneBack(session: Session): Session {
  const { waitingChange, ...others } = session;
  if (!waitingChange) return session;
  const { before, read } = waitingChange;
  const again = new Map(session.changeAgain?.cells.map((one) => [one.cell, one]));
  let s: Session = {
    ...others,
    ...{ plan: before.plan, displays: before.displays, endedDisplays: before.endedDisplays },
    recovery: { ...before.recovery, asked: session.recovery.asked, isAwaited: false },
  };
  for (const cell of session.cells.values()) {
    const { id, active, armed, deleted } = cell;
    const former = before.cells.get(id);
    const hasRun = active?.run !== former?.active?.run;
    if (deleted || (!hasRun && armed.join() === (former?.armed ?? []).join())) continue;
    again.set(id, { cell: id, armed, ...(hasRun && { text: active?.text }) });
    s = withCell(s, id, { armed: former?.armed ?? [], ...(hasRun && { active: former?.active }) });
  }
  return { ...s, changeAgain: { cells: [...again.values()], read } };
}

/** The sources have read as far as they had. */
export function changeAgain(session: Session, emit: Emit): Session {
  const { changeAgain: due, ...others } = session;
  let s: Session = others;
  for (const [index, { cell: id, text, armed }] of (due?.cells ?? []).entries()) {
    const cell = s.cells.get(id);
    if (!cell || cell.deleted) continue;
    // A text that was edited since then is the user's to run.
    const runs = text !== undefined && cell.text === text;
    // The sink of before writes until the run is done.
    if (runs && armed.length > 0) s = withCell(s, id, { armed: [...new Set([...cell.armed, ...armed])] });
    else if (armed.join() !== cell.armed.join()) s = { ...withCell(s, id, { armed }), graphChanged: true };
    // Nobody waits for the answer.
    if (runs) s = requestRun(s, -1 - index, [id], emit);
  }
  return s;
}

/** The user has changed these cells meanwhile, and that counts. */
export function withoutChangeAgain(session: Session, cells: readonly string[]): Session {
  const { changeAgain: due } = session;
  if (!due) return session;
  return { ...session, changeAgain: { ...due, cells: due.cells.filter(({ cell }) => !cells.includes(cell)) } };
}

export function notesOfChangeAgain({ changeAgain: due }: Session, id: string): readonly string[] {
  if (!due?.cells.some(({ cell }) => cell === id)) return [];
  return [
    'the session has gone back to before the last change of this cell, because a sink had still to write rows of ' +
      'that time. The change is made again when these rows are read again',
  ];
}
