// The manifest of a checkpoint: what a session needs to come back, besides the state of its
// operators. It is plain data: the running plan, the cells as they were compiled, the data that
// they kept and captured, armed sinks, failures, and the rows on screen.
//
// A cell goes on with the code of its last run, not with the text of the document: so a restart
// never changes what a function does. The document's texts count as edits.
import { SluiceError } from '../../engine/errors/error.ts';
import { commitsRows, isLostWithProcess } from '../../engine/graph/kinds.ts';
import type { Plan } from '../../engine/graph/plan.ts';
import type { RetiredSink } from '../../engine/runtime/retired-tasks.ts';
import type { CellText } from '../protocol/messages.ts';
import { build } from '../protocol/version.ts';
import type { SavedCheckpoint } from './checkpoint-state.ts';
import { beginGrace, sync } from './document.ts';
import type { Emit } from './events.ts';
import { allOver } from './plan-end.ts';
import type { Cell, RunningDisplay, SavedViews, Session } from './state.ts';

/** Raised when an older version could not read it. */
const format = 1;

export interface SavedSession {
  readonly format: number;
  /** The version of Sluice that wrote it. */
  readonly build: string;
  readonly document: readonly CellText[];
  readonly params: Readonly<Record<string, string>>;
  readonly cells: readonly Cell[];
  readonly nextRun: number;
  readonly epoch: number;
  readonly plan: Plan;
  /** Absent: none. */
  readonly retired?: readonly RetiredSink[];
  /** The executor's clock. Absent: an older version did not keep it, or there was no snapshot. */
  readonly clock?: number;
  readonly displays: readonly RunningDisplay[];
  readonly endedDisplays: readonly string[];
  readonly views: SavedViews;
  /** Sources that end with their process: from() of an async iterable. */
  readonly lost: readonly string[];
  /** A bounded job, and everything in it had ended. */
  readonly isFinished: boolean;
}

export function saveSession(session: Session): SavedSession {
  const { settings, document, nextRun, epoch, plan, displays, endedDisplays, recovery } = session;
  return {
    ...{ format, build, document, params: settings.params, nextRun, epoch, plan, displays },
    ...(recovery.retired.length > 0 && { retired: recovery.retired }),
    ...(recovery.clock > 0 && { clock: recovery.clock }),
    // A deleted cell that waits for an undo goes for good. But what its sinks have finished may
    // have to be committed, and that may need its code.
    cells: [...session.cells.values()].filter(({ id, deleted }) => !deleted || writesCommitted(plan, id)),
    endedDisplays: [...endedDisplays],
    views: recovery.views,
    lost: plan.nodes.filter((node) => isLostWithProcess(node)).map(nameOf),
    isFinished: allOver(session),
  };
}
function writesCommitted({ nodes }: Plan, cell: string): boolean {
  return nodes.some((node) => node.group === cell && commitsRows(node));
}
function nameOf({ name, group }: Plan['nodes'][number]): string {
  return group === '' ? name : `${name} of ${group}`;
}

/** The content of a checkpoint. Error: `newer-state`. */
export function readSavedSession(saved: unknown): SavedSession {
  const read = saved as SavedSession;
  if (read.format > format)
    throw new SluiceError(
      'newer-state',
      `The checkpoint was written by Sluice ${read.build}, and this is Sluice ${build}. Update Sluice, or start fresh.`,
    );
  return read;
}

/**
 * The session as it was at the checkpoint. Texts that clients have now count as edits, and cells
 * that they do not have are deleted.
 */
export function withSaved(
  session: Session,
  saved: SavedSession,
  { parts, takenAt }: Pick<SavedCheckpoint, 'parts' | 'takenAt'>,
  now: number,
  emit: Emit,
): Session {
  const { recovery } = session;
  let s: Session = {
    ...session,
    document: saved.document,
    cells: new Map(saved.cells.map((cell) => [cell.id, cell])),
    nextRun: Math.max(session.nextRun, saved.nextRun),
    ...{ epoch: saved.epoch, plan: saved.plan, displays: saved.displays },
    endedDisplays: new Set(saved.endedDisplays),
    recovery: {
      ...{ ...recovery, parts, retired: saved.retired ?? [], takenAt, views: saved.views, successors: new Map() },
      // This session may have seen a later time already, before it goes back to an older
      // checkpoint.
      clock: Math.max(recovery.clock, saved.clock ?? 0),
    },
    documents: new Map([...session.documents.keys()].map((client) => [client, saved.document])),
  };
  for (const { id, deleted } of saved.cells) if (deleted) beginGrace(s, id, emit);
  for (const [client, cells] of session.documents) s = sync(s, { kind: 'sync', client, cells }, now, emit);
  for (const id of s.cells.keys()) emit({ kind: 'show-errors', cell: id });
  return s;
}
