// The control thread's one object: feeds events to the session's pure core and does what the core wants done, with executor, compiler, displays and timers.
// It is one thing because every effect needs two of them; what each means is said in `session/` and `displays/`.
import { setTimeout as sleep } from 'node:timers/promises';
import { mergeSnapshots } from '../../engine/runtime/snapshot.ts';
import { ModuleContents } from '../cells/relative-modules.ts';
import type { SavedViews, ViewStore } from '../displays/view-store.ts';
import type {
  ExecutorCommand,
  ExecutorEvent,
  ExecutorPort,
  LocatedError,
  SnapshotPart,
  Whereabouts,
} from '../executor/executor-protocol.ts';
import type { CellText, RunResult, SessionView } from '../protocol/messages.ts';
import { Flow } from '../session/flow.ts';
import type { SessionEffect, SessionEvent } from '../session/events.ts';
import type { LivePlanner } from '../live/plan-request.ts';
import { catchingUp, whyNothingFires } from '../session/reasons.ts';
import { sessionView, type Shown } from '../session/session-view.ts';
import { step } from '../session/session.ts';
import { type Compiled, createSession, type Session, type Settings } from '../session/state.ts';
import { Broadcast, type Notify } from './broadcast.ts';
import { type RowLabel, RunningDisplays } from './running-displays.ts';

/** `kernel/cells`: compiles one cell of a notebook. */
export interface CellCompiler {
  /** `cells` are all code cells in document order; `cell` is the one to be run. */
  compile(cells: readonly CellText[], cell: string): Promise<Compiled | { readonly error: LocatedError }>;
}

/** Sees what happens without being a client: the CLI. */
export interface Observer {
  /** Every row of every display. A promise holds the stream back until it is done. */
  rows?(frame: RowFrame, label: RowLabel): Promise<void> | undefined;
  /** What a cell has pulled, when everything is to be seen. */
  pulled?(event: PulledRows): Promise<void> | undefined;
  console?(event: Extract<ExecutorEvent, { kind: 'console' }>): void;
  operatorFailed?(event: Extract<ExecutorEvent, { kind: 'operator-failed' }>): void;
  /** A change of the graph that was no run's. */
  graphFailed?(error: LocatedError): void;
  /** The thread of the cells has ended; a session starts another one, a job is over. */
  executorEnded?(reason: string): void;
  runEnded?(cell: string, result: RunResult): void;
  /** The graph has changed, where each source stood at `positions`: with a run of `cell`, or because of a deletion, an undo, a pull. */
  mutated?(event: Extract<ExecutorEvent, { kind: 'mutated' }>, cell: string | undefined): void;
  changed?(): void;
}
export type PulledRows = Extract<ExecutorEvent, { kind: 'pull-rows' }>;
export type RowFrame = Extract<ExecutorEvent, { kind: 'display-rows' }>;

export interface ControlOptions {
  readonly settings?: Partial<Settings>;
  readonly compiler: CellCompiler;
  readonly planner: LivePlanner;
  readonly views: ViewStore;
  startExecutor(): ExecutorPort;
  readonly observer?: Observer;
  /** Every row of a display is sent and waits for the observer. */
  readonly lossless?: boolean;
  /** The session is over: a sentence. */
  ended(reason: string): void;
}

const heartbeatMillis = 1000;
/** Large state is snapshotted less often than every second: writing it takes at most a twentieth of the executor's time. So are sessions in which marks get stuck. */
const snapshotPause = 20;
/** Worth telling the user. */
const stuckMillis = 3000;
/** How long an executor may take to end. */
const lastWordMillis = 1000;
/** Rows that a lossless display may send ahead of its reader. */
const credit = 1024;

export class Control {
  readonly #options: ControlOptions;
  readonly views: ViewStore;
  #session: Session;
  readonly #queue: SessionEvent[] = [];
  #isStepping = false;
  #executor: ExecutorPort | undefined;
  #blamed: Whereabouts | undefined;
  readonly displays = new RunningDisplays();
  readonly #clients: Broadcast;
  #snapshot: { readonly parts: readonly SnapshotPart[]; readonly views: SavedViews } | undefined;
  /** Instances that took over a state since the last snapshot, and from whom: until the next one, it is known under the former's name. */
  readonly #inherited = new Map<string, string>();
  #snapshotNumber = 0;
  #isSnapshotting = false;
  #isClosing = false;
  #nextSnapshotAt = 0;
  readonly #timers = new Map<string, NodeJS.Timeout>();
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
  }

  start(): void {
    this.#startExecutor();
    this.#heartbeat = setInterval(() => this.#beat(), heartbeatMillis);
    const { idleMillis } = this.#session.settings;
    if (idleMillis !== Infinity) this.#setTimer('idle', idleMillis);
  }
  async close(): Promise<void> {
    clearInterval(this.#heartbeat);
    this.#clients.close();
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#isClosing = true;
    const executor = this.#executor;
    if (!executor) return;
    // It says its last word and ends by itself, unless it is stuck in somebody's code.
    const ended = new Promise<void>((resolve) => executor.onEnd(() => resolve()));
    executor.post({ kind: 'close' });
    await Promise.race([ended, sleep(lastWordMillis, undefined, { ref: false })]);
    this.#executor = undefined;
    await executor.terminate();
  }

  get session(): Session {
    return this.#session;
  }
  view(): SessionView {
    return sessionView(this.#session, {
      now: Date.now(),
      hasView: (cell) => this.views.hasView(cell),
      shown: (cell) => this.#shown(cell),
    });
  }

  // ---------------------------------------------------------------------------- what clients ask for

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

  dispatch(event: SessionEvent): void {
    this.#queue.push(event);
    if (this.#isStepping) return;
    this.#isStepping = true;
    try {
      for (let next = this.#queue.shift(); next; next = this.#queue.shift()) {
        const { state, effects } = step(this.#session, next, Date.now());
        this.#session = state;
        // One that fails must not take the others with it: what the session believes is done would never be.
        for (const effect of effects)
          try {
            this.#perform(effect);
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

  // ---------------------------------------------------------------------------- what the session wants done

  #perform(effect: SessionEffect): void {
    switch (effect.kind) {
      case 'compile':
        void this.#compile(effect);
        break;
      case 'evaluate': {
        const { run, cell, version, compiled, uses, restore } = effect;
        const { code, scope } = compiled;
        this.#post({
          kind: 'evaluate',
          run,
          cell,
          version,
          code,
          declares: scope.declares,
          uses,
          restore,
          tellsPulls: this.#options.lossless,
        });
        break;
      }
      case 'mutate':
        this.#mutate(effect);
        break;
      case 'commit':
        this.#post({ kind: 'commit', run: effect.run });
        break;
      case 'discard':
        this.#post({ kind: 'discard', run: effect.run });
        break;
      case 'forget':
        this.#post({ kind: 'forget', cell: effect.cell });
        break;
      case 'refuse-pull':
        this.#post({ kind: 'refuse-pull', pull: effect.pull, error: effect.error });
        break;
      case 'graph-failed':
        this.#options.observer?.graphFailed?.(effect.error);
        console.error(`The graph could not be changed: ${effect.error.message}`);
        break;
      case 'interrupt-executor':
        this.#post({ kind: 'interrupt', interrupt: effect.interrupt, cell: effect.cell });
        break;
      case 'start-executor':
        this.#startExecutor();
        break;
      case 'terminate-executor':
        this.#blamed = this.#executor?.whereabouts();
        void this.#executor?.terminate();
        break;
      case 'show-prepared-views':
        this.displays.install();
        this.views.showPrepared();
        break;
      case 'drop-prepared-views':
        this.views.dropPrepared();
        break;
      case 'remove-view':
        this.views.remove(effect.cell);
        break;
      case 'clear-log':
        this.views.clearLog(effect.cell);
        break;
      case 'show-errors': {
        const cell = this.#session.cells.get(effect.cell);
        if (cell) this.views.showErrors(cell);
        break;
      }
      case 'answer':
        this.#answers.get(effect.request)?.(effect.results);
        this.#answers.delete(effect.request);
        break;
      case 'run-started':
        this.#clients.tell('run', { cell: effect.cell, event: 'start' });
        break;
      case 'run-ended':
        this.#options.observer?.runEnded?.(effect.cell, effect.result);
        this.#clients.tell('run', { cell: effect.cell, event: 'end', result: effect.result });
        break;
      case 'set-timer':
        this.#setTimer(effect.timer, effect.millis);
        break;
      case 'clear-timer':
        clearTimeout(this.#timers.get(effect.timer));
        this.#timers.delete(effect.timer);
        break;
      case 'end-session':
        this.#clients.tell('ending', { reason: effect.reason });
        this.#options.ended(effect.reason);
        break;
      default:
        effect satisfies never;
    }
  }

  async #compile({ run, cell, cells }: Extract<SessionEffect, { kind: 'compile' }>): Promise<void> {
    let result: Compiled | { readonly error: LocatedError };
    try {
      result = await this.#options.compiler.compile(cells, cell);
    } catch (error) {
      result = { error: located(error, cell) };
    }
    if ('error' in result) this.dispatch({ kind: 'compilation-failed', run, error: result.error });
    else this.dispatch({ kind: 'compiled', run, compiled: result });
  }

  #mutate({ epoch, graph, committing, failed, restore }: Extract<SessionEffect, { kind: 'mutate' }>): void {
    try {
      const wanted = this.displays.wanted(graph, epoch, this.#options.lossless === true);
      const { plan: running } = this.#session;
      const planned = this.#options.planner({
        graph,
        running,
        displays: wanted,
        failed,
        committing,
        restoring: restore,
      });
      const displays = this.displays.plan(graph, planned.displays);
      for (const { cell, displayed, detached } of graph.cells) {
        const isAnew = displays.some((install) => install.cell === cell && !install.keep);
        if (!detached && (cell === committing || isAnew)) this.views.prepare(cell, displayed, displays);
      }
      this.dispatch({ kind: 'planned', epoch, plan: planned.plan, notes: planned.notes });
      if (restore) this.views.rewind(this.#snapshot?.views ?? new Map());
      const { plan, handover, pulls } = planned;
      for (const [heir, from] of Object.entries(handover)) this.#inherited.set(heir, from);
      const parts = restore ? withHeirs(this.#snapshot?.parts ?? [], this.#inherited) : undefined;
      this.#post({ kind: 'mutate', epoch, plan, handover, displays, pulls, ...(parts && { restore: parts }) });
      if (this.#options.lossless)
        for (const { display, keep } of displays)
          if (restore || !keep) this.#post({ kind: 'credit', display, rows: credit });
    } catch (error) {
      this.dispatch({ kind: 'mutation-failed', epoch, error: located(error, committing) });
    }
  }

  #setTimer(timer: string, millis: number): void {
    clearTimeout(this.#timers.get(timer));
    const handle = setTimeout(() => this.dispatch({ kind: 'timer', timer }), millis);
    this.#timers.set(timer, handle);
  }

  // ---------------------------------------------------------------------------- the executor

  #startExecutor(): void {
    const executor = this.#options.startExecutor();
    this.#executor = executor;
    this.#isSnapshotting = false;
    executor.onEvent((event) => {
      if (this.#executor === executor) this.#heard(event);
    });
    executor.onEnd((reason) => {
      if (this.#executor !== executor || this.#isClosing) return;
      const whereabouts = this.#blamed ?? executor.whereabouts();
      this.#executor = undefined;
      this.#blamed = undefined;
      this.#options.observer?.executorEnded?.(reason);
      this.dispatch({ kind: 'executor-ended', reason, whereabouts });
    });
  }
  #post(command: ExecutorCommand): void {
    this.#executor?.post(command);
  }

  #heard(event: ExecutorEvent): void {
    const { observer } = this.#options;
    switch (event.kind) {
      case 'display-rows':
        this.#rows(event);
        return;
      case 'pull-rows': {
        const { pull, rows } = event;
        const taken = (): void => this.#post({ kind: 'pull-credit', pull, rows: rows.length });
        const done = observer?.pulled?.(event);
        if (done) void done.then(taken);
        else taken();
        return;
      }
      case 'console':
        this.views.log(event.cell, event.lines, event.dropped);
        observer?.console?.(event);
        this.#changed();
        return;
      case 'snapshot':
        this.#isSnapshotting = false;
        this.#nextSnapshotAt = Date.now() + Math.max(snapshotPause * event.millis, event.behindMillis / snapshotPause);
        this.#snapshot = { parts: mergeParts(this.#snapshot?.parts ?? [], event.parts), views: this.views.save() };
        for (const { instance } of event.parts) this.#inherited.delete(instance);
        return;
      case 'metrics':
        this.dispatch(event);
        this.#explain();
        return;
      case 'mutated': {
        const { mutation, runs } = this.#session;
        observer?.mutated?.(event, runs.find(({ id }) => id === mutation?.run)?.cell);
        this.dispatch(event);
        return;
      }
      case 'operator-failed':
        this.dispatch(event);
        observer?.operatorFailed?.(event);
        return;
      default:
        this.dispatch(event);
    }
  }

  #rows(frame: RowFrame): void {
    const { observer, lossless } = this.#options;
    if (!lossless) this.views.rows(frame);
    const label = this.displays.label(frame);
    if (frame.finished) this.displays.ended(frame);
    const done = label && observer?.rows?.(frame, label);
    if (!lossless || frame.rows.length === 0) return;
    const more = (): void => this.#post({ kind: 'credit', display: frame.display, rows: frame.rows.length });
    if (done) void done.then(more);
    else more();
  }

  #explain(): void {
    const { plan, metrics } = this.#session;
    if (!metrics) return;
    this.views.measured(plan, metrics);
    const flow = new Flow(plan, metrics.operators);
    this.views.explain((display) => {
      const instance = this.displays.instanceOf(display);
      if (instance === undefined) return undefined;
      return catchingUp(flow, instance) ?? whyNothingFires(flow, instance, metrics.at);
    });
  }

  #shown(cell: string): Shown | undefined {
    const install = this.displays.firstOf(cell);
    const edge = install && this.#session.plan.edges.find(({ to }) => to === install.instance);
    if (!edge) return undefined;
    const stream = this.displays.label(install)?.stream ?? cell;
    return { instance: edge.from, port: edge.port, display: install.instance, stream };
  }

  #beat(): void {
    const isDue = !this.#isSnapshotting && Date.now() >= this.#nextSnapshotAt;
    if (this.#session.executor === 'ready' && isDue && !this.#session.mutation) {
      this.#isSnapshotting = true;
      this.#post({ kind: 'snapshot', epoch: ++this.#snapshotNumber });
    }
    const whereabouts = this.#executor?.whereabouts();
    const stuck = whereabouts && whereabouts.millis >= stuckMillis ? whereabouts : undefined;
    if (stuck ?? this.#session.stuck) this.dispatch({ kind: 'stuck', whereabouts: stuck });
    this.#lookAtModules();
  }

  /** Relative modules of cells that run: whoever imports one that has changed is stale. */
  #lookAtModules(): void {
    this.#modules.track([...this.#session.cells.values()].flatMap((cell) => cell.active?.compiled.modules ?? []));
    const changed = this.#modules.changed();
    if (changed.length > 0) this.dispatch({ kind: 'modules-changed', modules: changed });
  }
}

function withHeirs(parts: readonly SnapshotPart[], inherited: ReadonlyMap<string, string>): readonly SnapshotPart[] {
  const known = new Map(parts.map((part) => [part.instance, part]));
  const heirs = [...inherited].flatMap(([heir, from]) => {
    const part = known.get(from);
    return part && !known.has(heir) ? [{ ...part, instance: heir }] : [];
  });
  return [...parts, ...heirs];
}

/** A part holds only what was written since the last snapshot; instances that are gone are gone from the new list too. */
function mergeParts(former: readonly SnapshotPart[], next: readonly SnapshotPart[]): readonly SnapshotPart[] {
  const known = new Map(former.map((part) => [part.instance, part.state]));
  return next.map((part) => ({ ...part, state: mergeSnapshots(known.get(part.instance), part.state) }));
}

function located(error: unknown, cell: string | undefined): LocatedError {
  const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'internal';
  const message = error instanceof Error ? error.message : String(error);
  const stack = error instanceof Error && code === 'internal' ? error.stack?.split('\n').slice(1) : undefined;
  return { code, message, cell, ...(stack && { stack }) };
}
