// Events of the executor: rows and console lines go to displays and observer, everything else
// becomes an event of the session.
import type { ViewStore } from '../displays/view-store.ts';
import type { ExecutorCommand, ExecutorEvent } from '../executor/executor-protocol.ts';
import { hasEnded, rowLabel } from '../session/displayed.ts';
import type { SessionEvent } from '../session/events.ts';
import { Flow } from '../session/flow.ts';
import { lateBefore, whyNothingComes } from '../session/reasons.ts';
import type { Session } from '../session/state.ts';
import { whyStopped } from '../session/stopped.ts';
import type { Observer, PulledRows, RowFrame } from './observer.ts';

export interface ExecutorEventsHost {
  readonly session: Session;
  readonly views: ViewStore;
  readonly observer: Observer | undefined;
  dispatch(event: SessionEvent): void;
  post(command: ExecutorCommand): void;
  /** Something outside the session has changed that clients see. */
  changed(): void;
}

export class ExecutorEvents {
  readonly #host: ExecutorEventsHost;
  constructor(host: ExecutorEventsHost) {
    this.#host = host;
  }

  handle(event: ExecutorEvent): void {
    const host = this.#host;
    switch (event.kind) {
      case 'display-rows':
        this.#rows(event);
        return;
      case 'pull-rows':
        this.#pulled(event);
        return;
      case 'console':
        host.views.log(event.cell, event.lines, event.dropped);
        host.observer?.console?.(event);
        host.changed();
        return;
      case 'uncaught': {
        const { cell, at, error } = event;
        host.views.log(cell, [{ level: 'error', at, text: error.message }], 0);
        host.observer?.uncaught?.(event);
        host.changed();
        return;
      }
      case 'metrics':
        host.dispatch(event);
        host.observer?.measured?.(event);
        host.views.measured(host.session.plan, event, host.session);
        this.#explain();
        return;
      case 'mutated': {
        // The session forgets its mutation with this event.
        const { mutation, runs } = host.session;
        host.observer?.mutated?.(event, runs.find(({ id }) => id === mutation?.run)?.cell);
        host.dispatch(event);
        return;
      }
      case 'snapshot':
        host.dispatch({ ...event, views: host.views.save() });
        return;
      case 'row-refused':
        host.dispatch(event);
        host.observer?.rowRefused?.(event);
        return;
      case 'operator-failed':
        host.dispatch(event);
        this.#explain();
        host.observer?.operatorFailed?.(event);
        return;
      default:
        host.dispatch(event);
    }
  }

  #rows(frame: RowFrame): void {
    const { session, views, observer } = this.#host;
    const { lossless } = session.settings;
    if (!lossless) views.rows(frame);
    const label = rowLabel(session, frame);
    const { display, installed, finished } = frame;
    if (finished && !hasEnded(session, frame)) this.#host.dispatch({ kind: 'display-ended', display, installed });
    const done = label && observer?.rows?.(frame, label);
    const taken = frame.rows.length + (frame.leftOut ?? 0);
    if (!lossless || taken === 0) return;
    const more = (): void => this.#host.post({ kind: 'credit', display, rows: taken });
    if (done) void done.then(more);
    else more();
  }

  #pulled(event: PulledRows): void {
    const { pull, rows, leftOut = 0 } = event;
    const taken = (): void => this.#host.post({ kind: 'pull-credit', pull, rows: rows.length + leftOut });
    const done = this.#host.observer?.pulled?.(event);
    if (done) void done.then(taken);
    else taken();
  }

  #explain(): void {
    const { session, views } = this.#host;
    const { plan, metrics, displays } = session;
    if (!metrics) return;
    const flow = new Flow(plan, metrics.operators);
    const instances = new Map(displays.map(({ install }) => [install.display, install.instance]));
    views.explain((display) => {
      const instance = instances.get(display);
      // The cell was stopped, so its displays are not in the plan.
      if (instance === undefined) return { pieces: ['stopped'], isOver: true };
      const stopped = whyStopped(session, flow, [instance]);
      if (stopped !== undefined) return { pieces: [`stopped: ${stopped}`], isOver: true };
      const pieces = whyNothingComes(flow, instance);
      if (pieces) return { pieces };
      const late = lateBefore(flow, instance, plan.edges.find(({ to }) => to === instance)?.port ?? 'out');
      return late === undefined ? undefined : { pieces: [late], isNote: true };
    });
  }
}
