// The control thread's one object: feeds events of clients, executor and clock to the session, and
// has its effects performed.
import type { ViewStore } from '../displays/view-store.ts';
import type { ExecutorPort } from '../executor/executor-protocol.ts';
import { ModuleContents } from '../cells/relative-modules.ts';
import type { LivePlanner } from '../live/plan-request.ts';
import type { RunResult, SessionView } from '../protocol/messages.ts';
import type { SessionEvent } from '../session/events.ts';
import { step } from '../session/session.ts';
import { sessionView } from '../session/session-view.ts';
import { createSession, type Session, type Settings } from '../session/state.ts';
import { Broadcast, type Notify } from './broadcast.ts';
import { type CellCompiler, Effects } from './effects.ts';
import { ExecutorEvents } from './executor-events.ts';
import { ExecutorLink } from './executor-link.ts';
import type { Observer } from './observer.ts';

export interface ControlOptions {
  readonly settings?: Partial<Settings>;
  readonly compiler: CellCompiler;
  /** Instead of the planner of `kernel/live`. */
  readonly planner?: LivePlanner;
  readonly views: ViewStore;
  startExecutor(): ExecutorPort;
  readonly observer?: Observer;
  /** The session is over: a sentence. */
  ended(reason: string): void;
}

const heartbeatMillis = 1000;
/** A call of user code that lasts longer is reported. */
const stuckMillis = 3000;

export class Control {
  readonly #options: ControlOptions;
  readonly views: ViewStore;
  #session: Session;
  readonly #queue: SessionEvent[] = [];
  #isStepping = false;
  readonly #executor: ExecutorLink;
  readonly #clients: Broadcast;
  readonly #effects: Effects;
  readonly #answers = new Map<number, (results: readonly RunResult[]) => void>();
  readonly #modules = new ModuleContents();
  #nextRequest = 1;
  #heartbeat: NodeJS.Timeout | undefined;

  constructor(options: ControlOptions) {
    this.#options = options;
    this.views = options.views;
    this.#session = createSession(options.settings);
    this.#clients = new Broadcast(
      () => this.view(),
      () => this.#session.document,
    );
    this.#executor = this.#linkExecutor();
    this.#effects = this.#performEffects();
  }

  start(): void {
    this.#executor.start();
    this.#heartbeat = setInterval(() => this.#beat(), heartbeatMillis);
    const { idleMillis } = this.#session.settings;
    if (idleMillis !== Infinity) this.#effects.setTimer('idle', idleMillis);
  }
  async close(): Promise<void> {
    clearInterval(this.#heartbeat);
    this.#clients.close();
    this.#effects.close();
    await this.#executor.close();
  }

  get session(): Session {
    return this.#session;
  }
  view(): SessionView {
    return sessionView(this.#session, { now: Date.now(), hasView: (cell) => this.views.hasView(cell) });
  }

  // -------------------------------------------------------------------------- what clients ask for

  join(client: string, notify: Notify): void {
    this.#clients.add(client, notify);
    this.dispatch({ kind: 'client-joined', client });
  }
  leave(client: string): void {
    if (!this.#clients.remove(client)) return;
    this.views.forgetClient(client);
    this.dispatch({ kind: 'client-left', client });
  }
  run(cells: readonly string[], client?: string): Promise<readonly RunResult[]> {
    const request = this.#nextRequest++;
    return new Promise((resolve) => {
      this.#answers.set(request, resolve);
      this.dispatch({ kind: 'run', request, cells, ...(client !== undefined && { client }) });
    });
  }

  /** An event that comes while another one is handled waits for its effects. */
  dispatch(event: SessionEvent): void {
    this.#queue.push(event);
    if (this.#isStepping) return;
    this.#isStepping = true;
    try {
      for (let next = this.#queue.shift(); next; next = this.#queue.shift()) {
        const { state, effects } = step(this.#session, next, Date.now(), this.#options.planner);
        this.#session = state;
        for (const effect of effects)
          // The session counts on every effect, so one that fails does not stop the others.
          try {
            this.#effects.perform(effect);
          } catch (error) {
            console.error(`${effect.kind} failed`, error);
          }
      }
    } finally {
      this.#isStepping = false;
    }
    this.#changed();
  }
  #changed(): void {
    this.#options.observer?.changed?.();
    this.#clients.changed();
  }

  // ---------------------------------------------------------------------- executor, effects, clock

  #linkExecutor(): ExecutorLink {
    const session = (): Session => this.#session;
    const events = new ExecutorEvents({
      get session() {
        return session();
      },
      views: this.views,
      observer: this.#options.observer,
      dispatch: (event) => this.dispatch(event),
      post: (command) => this.#executor.post(command),
      changed: () => this.#changed(),
    });
    return new ExecutorLink(() => this.#options.startExecutor(), {
      event: (event) => events.handle(event),
      ended: (reason, whereabouts, memory) => {
        this.#options.observer?.executorEnded?.(reason);
        this.dispatch({ kind: 'executor-ended', reason, whereabouts, memory });
      },
    });
  }

  #performEffects(): Effects {
    const session = (): Session => this.#session;
    const { compiler, observer } = this.#options;
    return new Effects({
      get session() {
        return session();
      },
      ...{ compiler, observer, views: this.views, executor: this.#executor, clients: this.#clients },
      dispatch: (event) => this.dispatch(event),
      answer: (request, results) => {
        this.#answers.get(request)?.(results);
        this.#answers.delete(request);
      },
      ended: (reason) => this.#options.ended(reason),
    });
  }

  #beat(): void {
    this.dispatch({ kind: 'heartbeat' });
    const whereabouts = this.#executor.whereabouts();
    const stuck = whereabouts && whereabouts.millis >= stuckMillis ? whereabouts : undefined;
    if (stuck ?? this.#session.stuck) this.dispatch({ kind: 'stuck', whereabouts: stuck });
    this.#lookAtModules();
  }

  /** Cells that run and import a relative module are stale when it has changed. */
  #lookAtModules(): void {
    this.#modules.track([...this.#session.cells.values()].flatMap((cell) => cell.active?.compiled.modules ?? []));
    const changed = this.#modules.changed();
    if (changed.length > 0) this.dispatch({ kind: 'modules-changed', modules: changed });
  }
}
