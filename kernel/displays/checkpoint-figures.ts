// The panel `checkpoints()`: the last checkpoints of the session, how large they are and how long
// they took, and why one failed.
import type { Plan } from '../../engine/graph/plan.ts';
import type { Figure, FigureRow, FiguresPart } from '../protocol/displays.ts';
import { duration } from '../protocol/figures.ts';
import type { Checkpoints } from '../session/checkpoint-state.ts';
import { whyNoneStored } from '../session/checkpoints.ts';
import type { Metrics, Session } from '../session/state.ts';
import type { PanelFigures } from './fixed-part.ts';

const columns = ['taken', 'age', 'size', 'new', 'took', ''];

export class CheckpointFigures implements PanelFigures {
  #session: Session | undefined;
  #at = 0;

  update(_plan: Plan, { at }: Metrics, session?: Session): void {
    this.#session = session;
    this.#at = at;
  }

  part(id: string): FiguresPart {
    const session = this.#session;
    const rows = session ? rowsOf(session.checkpoints, this.#at) : [];
    const group = { id: 'checkpoints', name: 'checkpoint', columns, rows };
    const note = session && noteOf(session, rows.length > 0);
    return {
      ...{ kind: 'figures', id, title: 'checkpoints' },
      groups: rows.length > 0 ? [group] : [],
      ...(note !== undefined && { note }),
    };
  }
}

/** The newest first. */
function rowsOf({ history }: Checkpoints, now: number): readonly FigureRow[] {
  return history.toReversed().map((one) => {
    const age = Math.max(0, now - one.takenAt);
    const begin: readonly Figure[] = [String(one.id), { time: one.takenAt }, { millis: age }];
    const id = String(one.id);
    if ('failed' in one) return { id, figures: [...begin, null, null, null, `failed: ${one.failed}`], tone: 'bad' };
    const took = one.millis < 10_000 ? `${one.millis} ms` : duration(one.millis);
    return { id, figures: [...begin, { bytes: one.bytes }, { bytes: one.newBytes }, took, null] };
  });
}

function noteOf(session: Session, hasRows: boolean): string {
  const { completed, failed } = session.checkpoints;
  const { count } = session.restarts;
  const none = whyNoneStored(session);
  const restarts = count === 0 ? [] : [`${count} ${count === 1 ? 'restart' : 'restarts'}`];
  if (none !== undefined) return [none, ...restarts].join(' · ');
  if (!hasRows) return 'The first checkpoint has not been taken yet.';
  return [`${completed} complete, ${failed} failed`, ...restarts].join(' · ');
}
