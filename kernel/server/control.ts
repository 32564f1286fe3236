// The control thread's one object: feeds events of clients, executor and clock to the session, and
// has its effects performed.
import { type Definitions, handOverConnections } from '../../engine/connections/connection-named.ts';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TaskSnapshot } from '../../engine/runtime/snapshot.ts';
import { SluiceError } from '../../engine/errors/error.ts';
import type { CheckpointStorage } from '../checkpoints/checkpoint-storage.ts';
import { readSavepoint } from '../checkpoints/savepoint.ts';
import type { ViewStore } from '../displays/view-store.ts';
import type { ExecutorPort, Whereabouts } from '../executor/executor-protocol.ts';
import { ModuleContents } from '../cells/module-contents.ts';
import type { LivePlanner } from '../live/plan-request.ts';
import { lostText } from '../protocol/durability-text.ts';
import type { RunResult, SessionView } from '../protocol/messages.ts';
import type { Checkpoints, SavedCheckpoint, UnstoredRun } from '../session/checkpoint-state.ts';
import { hasState } from '../session/checkpoints.ts';
import type { SessionEvent } from '../session/events.ts';
import type { Upgrade } from '../session/upgrade.ts';
import { step } from '../session/session.ts';
import { readSavedSession, saveSession } from '../session/saved-session.ts';
import { sessionView } from '../session/session-view.ts';
import { createSession, type Session, type Settings } from '../session/state.ts';
import { Broadcast, type Notify } from './broadcast.ts';
import { CheckpointWriter, savedOf, type SavepointResult } from './checkpoint-writer.ts';
import { type CellCompiler, Effects } from './effects.ts';
import { ExecutorEvents } from './executor-events.ts';
import { ExecutorLink } from './executor-link.ts';
import { type LastingCall, LastingCalls } from './lasting-calls.ts';
import type { NotedRuns } from './noted-runs.ts';
import type { Observer } from './observer.ts';

export interface ControlOptions {
  readonly settings?: Partial<Settings>;
  readonly compiler: CellCompiler;
  /** Instead of the planner of `kernel/live`. */
  readonly planner?: LivePlanner;
  readonly views: ViewStore;
  startExecutor(): ExecutorPort;
  readonly observer?: Observer;
  /** Absent: checkpoints end with the process. */
  readonly storage?: CheckpointStorage | undefined;
  /** Why there is no storage although there should be one: a sentence. */
  readonly unkept?: string | undefined;
  /**
   * The first plan starts with the state of a savepoint, or with that of the storage's checkpoint.
   * Then the storage's checkpoint is not offered.
   */
  readonly upgrade?: Upgrade | undefined;
  /** Runs of an earlier process that no checkpoint of the storage has. */
  readonly ran?: NotedRuns | undefined;
  /** These runs are done, and no stored checkpoint has them. */
  noteRuns?(runs: readonly UnstoredRun[]): void;
  /** Resolves when rows of before a checkpoint have left the process. */
  beforeStore?(): Promise<void>;
  /** A checkpoint of `bytes` bytes is complete. */
  stored?(content: SavedCheckpoint, bytes: number): void;
  /** A call of user code lasts longer than others; undefined: none does any more. */
  lasts?(call: LastingCall | undefined): void;
  /** All checkpoints have been removed. */
  discarded?(): void;
  /** The session is over: a sentence. */
  ended(reason: string): void;
}

/**
 * What a session starts with: the checkpoint that an earlier process has left is offered, and the
 * runs that it had noted since then.
 */
function checkpointsOf({ storage, upgrade, unkept, ran }: ControlOptions): Partial<Checkpoints> {
  const first = upgrade && { upgrade, upgradedFrom: upgrade.id, completeId: upgrade.id };
  // Ids go on behind those of the savepoint, because sinks compare them.
  const least = (upgrade?.id ?? 0) + 1;
  if (!storage) return { ...first, nextId: least, ...(unkept !== undefined && { unkept }) };
  const { nextId, restored } = storage;
  const skipped = storage.skipped.map(({ reason }) => reason);
  const found = restored
    ? savedOf(restored)
    : ran && { id: 0, takenAt: ran.at, saved: saveSession(createSession()), parts: new Map<string, TaskSnapshot>() };
  const offered = !upgrade && found && { ...found, skipped, ...(ran && { ran: ran.runs }) };
  return { isStored: true, nextId: Math.max(nextId, least), ...(offered && { offered }), ...first };
}

/** Error: `session-runs`. */
function refuseRunning(session: Session): void {
  if (session.runs.length === 0 && !hasState(session)) return;
  throw new SluiceError(
    'session-runs',
    'Cells of this notebook run already, so its session cannot start from a savepoint. End the session first.',
  );
}

const heartbeatMillis = 1000;
/** A call of user code that lasts longer is reported. */
const stuckMillis = 3000;
const lookMillis = 20;

export class Control {
  readonly #options: ControlOptions;
  readonly views: ViewStore;
  #session: Session;
  readonly #queue: SessionEvent[] = [];
  #isStepping = false;
  readonly #executor: ExecutorLink;
  readonly #lastingCalls: LastingCalls;
  readonly #clients: Broadcast;
  readonly #effects: Effects;
  readonly #checkpoints: CheckpointWriter;
  readonly #savepoints = new Map<number, { readonly client?: string; done(result: SavepointResult): void }>();
  readonly #answers = new Map<number, (results: readonly RunResult[]) => void>();
  readonly #modules = new ModuleContents();
  #nextRequest = 1;
  #heartbeat: NodeJS.Timeout | undefined;

  constructor(options: ControlOptions) {
    this.#options = options;
    this.views = options.views;
    this.#session = createSession(options.settings, checkpointsOf(options));
    this.#clients = new Broadcast(
      () => this.view(),
      () => this.#session.document,
    );
    this.#executor = this.#linkExecutor();
    this.#checkpoints = this.#writeCheckpoints();
    this.#lastingCalls = new LastingCalls(
      () => this.#executor.whereabouts() ?? (this.#executor.isUnanswered() ? { cell: undefined } : undefined),
      (call) => options.lasts?.(call),
    );
    this.#effects = this.#performEffects();
  }

  start(): void {
    this.#executor.start();
    if (this.#options.lasts) this.#lastingCalls.start();
    this.#heartbeat = setInterval(() => this.#beat(), heartbeatMillis);
    const { idleMillis } = this.#session.settings;
    if (idleMillis !== Infinity) this.#effects.setTimer('idle', idleMillis);
  }
  /** Gives the call of user code that had not returned, if there was one. */
  async close(): Promise<Whereabouts | undefined> {
    clearInterval(this.#heartbeat);
    if (this.#options.storage && !this.keepsCheckpoint) await this.#checkpoints.discard();
    this.#clients.close();
    const stuck = await this.#executor.close();
    this.#effects.close();
    this.#lastingCalls.stop();
    await this.#checkpoints.close();
    return stuck;
  }

  // ----------------------------------------------------------------------------------- checkpoints

  /** A checkpoint as soon as a barrier can enter. False: it has failed, or the time was over. */
  async checkpoint(millis: number): Promise<boolean> {
    if (!this.keepsCheckpoint || this.#session.executor !== 'ready') return true;
    const { nextId, offered } = this.#session.checkpoints;
    if (offered || !hasState(this.#session)) return true;
    this.dispatch({ kind: 'want-checkpoint' });
    for (const end = performance.now() + millis; performance.now() < end; await sleep(lookMillis)) {
      const { completeId, history } = this.#session.checkpoints;
      if (completeId >= nextId) return true;
      if ((history.at(-1)?.id ?? 0) >= nextId) return false;
    }
    return false;
  }
  /**
   * Goes on from the savepoint at this path, as it was then. Returns sentences for the user.
   * Errors: `session-runs`, and those of `readSavepoint`.
   */
  async fromSavepoint(path: string): Promise<{ readonly warnings: readonly string[] }> {
    refuseRunning(this.#session);
    const { content, warnings } = await readSavepoint(path);
    const from = savedOf(content);
    const { lost } = readSavedSession(from.saved);
    refuseRunning(this.#session);
    this.dispatch({ kind: 'choose', choice: 'resume', from });
    return { warnings: lost.length === 0 ? warnings : [...warnings, lostText(lost)] };
  }
  /** Error: why it could not be written. */
  async savepoint(directory: string, client?: string): Promise<{ readonly path: string }> {
    const request = this.#nextRequest++;
    const result = await new Promise<SavepointResult>((done) => {
      this.#savepoints.set(request, { done, ...(client !== undefined && { client }) });
      this.dispatch({ kind: 'want-savepoint', request, directory });
    });
    if ('error' in result) throw result.error;
    return result;
  }

  /** Those that this client has asked for and that wait for a checkpoint. */
  giveUpSavepoints(client: string): void {
    for (const { request } of this.#session.checkpoints.savepoints) {
      const asked = this.#savepoints.get(request);
      if (asked?.client !== client) continue;
      this.#savepoints.delete(request);
      this.dispatch({ kind: 'give-up-savepoint', request });
      asked.done({ error: new SluiceError('savepoint-given-up', 'The savepoint was given up.') });
    }
  }

  /** False: the user starts anew, so the end of the session removes its checkpoints. */
  keepsCheckpoint = true;

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
    this.giveUpSavepoints(client);
    this.dispatch({ kind: 'client-left', client });
  }
  run(cells: readonly string[], client?: string): Promise<readonly RunResult[]> {
    const request = this.#nextRequest++;
    return new Promise((resolve) => {
      this.#answers.set(request, resolve);
      this.dispatch({ kind: 'run', request, cells, ...(client !== undefined && { client }) });
    });
  }

  /** For the executor of now and those of later. */
  takeConnections(connections: Definitions): void {
    handOverConnections(connections);
    this.#executor.post({ kind: 'connections', connections });
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
        // The observer hears what the session makes of it.
        this.dispatch({ kind: 'executor-ended', reason, whereabouts, memory });
        this.#options.observer?.executorEnded?.(reason, whereabouts, memory);
      },
    });
  }

  #writeCheckpoints(): CheckpointWriter {
    return new CheckpointWriter(this.#options.storage, {
      dispatch: (event) => this.dispatch(event),
      beforeStore: async () => this.#options.beforeStore?.(),
      stored: (content, bytes) => this.#options.stored?.(content, bytes),
      discarded: () => this.#options.discarded?.(),
      savepointDone: (request, result) => {
        this.#savepoints.get(request)?.done(result);
        this.#savepoints.delete(request);
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
      checkpoints: this.#checkpoints,
      dispatch: (event) => this.dispatch(event),
      answer: (request, results) => {
        this.#answers.get(request)?.(results);
        this.#answers.delete(request);
      },
      noteRuns: (runs) => this.#options.noteRuns?.(runs),
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
