// Performs the effects of the session, one by one, with executor, compiler, views, clients and
// timers. It decides nothing.
import { type LongTimer, startTimer } from '../../engine/runtime/long-timer.ts';
import type { ViewStore } from '../displays/view-store.ts';
import type { LocatedError, MutateCommand } from '../executor/executor-protocol.ts';
import type { CellText, RunResult } from '../protocol/messages.ts';
import type { UnstoredRun } from '../session/checkpoint-state.ts';
import type { SessionEffect, SessionEvent, TimerId, ViewEffect } from '../session/events.ts';
import { locatedError } from '../session/located-error.ts';
import type { Compiled, Session } from '../session/state.ts';
import type { Broadcast } from './broadcast.ts';
import type { CheckpointWriter } from './checkpoint-writer.ts';
import type { ExecutorLink } from './executor-link.ts';
import type { Observer } from './observer.ts';

/** `kernel/cells`: compiles one cell of a notebook. */
export interface CellCompiler {
  /** `cells` are all code cells in document order; `cell` is the one to be run. */
  compile(cells: readonly CellText[], cell: string): Promise<Compiled | { readonly error: LocatedError }>;
}

export interface EffectsHost {
  readonly session: Session;
  readonly compiler: CellCompiler;
  readonly views: ViewStore;
  readonly observer: Observer | undefined;
  readonly executor: ExecutorLink;
  readonly clients: Broadcast;
  readonly checkpoints: CheckpointWriter;
  dispatch(event: SessionEvent): void;
  answer(request: number, results: readonly RunResult[]): void;
  /** They outlive the process, until a checkpoint has them. */
  noteRuns(runs: readonly UnstoredRun[]): void;
  /** The session is over: a sentence. */
  ended(reason: string): void;
}

/** Rows that a lossless display may send ahead of its reader. */
const creditAhead = 1024;

export class Effects {
  readonly #host: EffectsHost;
  readonly #timers = new Map<TimerId, LongTimer>();

  constructor(host: EffectsHost) {
    this.#host = host;
  }

  /** One case for each effect; a case of more than a few lines has a method. */
  perform(effect: SessionEffect): void {
    const { executor, clients, observer } = this.#host;
    switch (effect.kind) {
      case 'compile':
        void this.#compile(effect);
        break;
      case 'evaluate':
        this.#evaluate(effect);
        break;
      case 'mutate':
        this.#mutate(effect);
        break;
      case 'snapshot':
      case 'checkpoint-complete':
      case 'checkpoint-aborted':
      case 'commit':
      case 'discard':
      case 'forget':
      case 'refuse-pull':
        executor.post(effect);
        break;
      case 'interrupt-executor':
        executor.post({ kind: 'interrupt', interrupt: effect.interrupt, cell: effect.cell });
        break;
      case 'start-executor':
        executor.start();
        break;
      case 'terminate-executor':
        executor.terminate();
        break;
      case 'store-checkpoint':
        void this.#host.checkpoints.store(effect.content, effect.retained);
        break;
      case 'store-savepoint':
        this.#host.checkpoints.savepoint(effect.request, effect.content, effect.directory);
        break;
      case 'read-older-checkpoint':
        void this.#host.checkpoints.readOlder(effect.before);
        break;
      case 'note-runs':
        this.#host.noteRuns(effect.runs);
        break;
      case 'discard-checkpoints':
        void this.#host.checkpoints.discard();
        break;
      case 'warn':
        if (observer?.warned) observer.warned(effect.text);
        else console.warn(effect.text);
        break;
      case 'graph-failed':
        observer?.graphFailed?.(effect.error);
        console.error(`The graph could not be changed: ${effect.error.message}`);
        break;
      case 'answer':
        this.#host.answer(effect.request, effect.results);
        break;
      case 'run-started':
        clients.tell('run', { cell: effect.cell, event: 'start' });
        break;
      case 'run-ended':
        observer?.runEnded?.(effect.cell, effect.result);
        clients.tell('run', { cell: effect.cell, event: 'end', result: effect.result });
        break;
      case 'set-timer':
        this.setTimer(effect.timer, effect.millis);
        break;
      case 'clear-timer':
        this.#timers.get(effect.timer)?.cancel();
        this.#timers.delete(effect.timer);
        break;
      case 'end-session':
        clients.tell('ending', { reason: effect.reason });
        this.#host.ended(effect.reason);
        break;
      default:
        this.#show(effect);
    }
  }

  setTimer(timer: TimerId, millis: number): void {
    this.#timers.get(timer)?.cancel();
    const started = startTimer(() => this.#host.dispatch({ kind: 'timer', timer }), millis);
    this.#timers.set(timer, started);
  }
  close(): void {
    for (const timer of this.#timers.values()) timer.cancel();
  }

  #show(effect: ViewEffect): void {
    const { views, session } = this.#host;
    switch (effect.kind) {
      case 'prepare-view':
        views.prepare(effect.cell, effect, effect.displays);
        break;
      case 'show-prepared-views':
        views.showPrepared();
        break;
      case 'drop-prepared-views':
        views.dropPrepared();
        break;
      case 'rewind-views':
        views.rewind(effect.views, effect.restart);
        break;
      case 'remove-view':
        views.remove(effect.cell);
        break;
      case 'clear-log':
        views.clearLog(effect.cell);
        break;
      case 'show-errors': {
        const cell = session.cells.get(effect.cell);
        if (cell) views.showErrors(cell);
        break;
      }
      default:
        effect satisfies never;
    }
  }

  async #compile({ run, cell, cells }: Extract<SessionEffect, { kind: 'compile' }>): Promise<void> {
    let result: Compiled | { readonly error: LocatedError };
    try {
      result = await this.#host.compiler.compile(cells, cell);
    } catch (error) {
      result = { error: locatedError(error, cell) };
    }
    if ('error' in result) this.#host.dispatch({ kind: 'compilation-failed', run, error: result.error });
    else this.#host.dispatch({ kind: 'compiled', run, compiled: result });
  }

  #evaluate({ compiled, ...effect }: Extract<SessionEffect, { kind: 'evaluate' }>): void {
    const { code, scope } = compiled;
    const tellsPulls = this.#host.session.settings.lossless;
    this.#host.executor.post({ ...effect, code, declares: scope.declares, tellsPulls });
  }

  /** A lossless display that starts, or starts again, needs its first credit. */
  #mutate(command: MutateCommand): void {
    const { executor, session } = this.#host;
    executor.post(command);
    if (!session.settings.lossless) return;
    for (const { display, keep } of command.displays)
      if (command.restore || !keep) executor.post({ kind: 'credit', display, rows: creditAhead });
  }
}
