// Mutations and snapshots in the executor: the runtime changes at a barrier, displays are
// installed, and the control thread is told.
//
// The control thread hears of a new instance only after the `mutated` event that brings it.
// Rows from before a barrier go out before the event of the barrier.
import type { Clock } from '../../engine/contract/clock.ts';
import type { FunctionTable, PlanNode } from '../../engine/graph/plan.ts';
import type { FunctionRef } from '../../engine/graph/spec.ts';
import type { Snapshot } from '../../engine/runtime/barriers.ts';
import type { Runtime } from '../../engine/runtime/runtime.ts';
import { SluiceError } from '../../engine/errors/error.ts';
import { isSluiceError, messageOf } from '../../engine/errors/thrown.ts';
import { cutText } from '../protocol/display-cut.ts';
import { DisplayOperator } from './display-operator.ts';
import { CatchingUp } from './catching-up.ts';
import type { ExecutorEvent, MutateCommand, SnapshotPart } from './executor-protocol.ts';
import { sourceName } from './failure-report.ts';
import { OpenWindows } from './open-windows.ts';
import { BegunSources, markPartial } from './partial-windows.ts';

export interface GraphChangeHost {
  readonly runtime: Runtime;
  readonly functions: FunctionTable;
  readonly clock: Clock;
  readonly post: (event: ExecutorEvent) => void;
  /** The tasks are others from now on. */
  readonly onTasks: () => void;
}

export class GraphChange {
  readonly #host: GraphChangeHost;
  /** By instance. */
  readonly #displays = new Map<string, DisplayOperator>();
  /** By instance of the display. */
  readonly #openWindows = new Map<string, OpenWindows>();
  /** Instances of the mutation in flight that did not run before. */
  #arriving: ReadonlySet<string> = new Set();
  /** Events of arriving instances. They go out after `mutated`. */
  readonly #held: ExecutorEvent[] = [];
  /** Frames of lossless displays are under way. */
  #soon: NodeJS.Immediate | undefined;

  readonly #begun: BegunSources;
  readonly #catchingUp: CatchingUp;

  constructor(host: GraphChangeHost) {
    this.#host = host;
    this.#begun = new BegunSources(host.runtime, this.#markPartial);
    this.#catchingUp = new CatchingUp(host.runtime, () => host.post({ kind: 'caught-up' }));
  }
  readonly #markPartial = (id: string, before: number): void => {
    const display = this.#displays.get(id);
    if (display) display.partialBefore = Math.max(display.partialBefore, before);
  };

  /** The operator of a display node. */
  display(node: PlanNode): DisplayOperator {
    const { runtime, functions } = this.#host;
    const display = new DisplayOperator(() => this.#sendSoon());
    this.#displays.set(node.id, display);
    this.#openWindows.set(node.id, new OpenWindows(runtime, functions, node.id));
    return display;
  }

  mutate(command: MutateCommand): void {
    const { runtime, post, onTasks } = this.#host;
    const { plan, handover, epoch } = command;
    const former = new Set(runtime.plan.nodes.map(({ id }) => id));
    const arriving = new Set(plan.nodes.flatMap(({ id }) => (former.has(id) ? [] : [id])));
    this.#arriving = arriving;
    const startsAnew = ({ id }: PlanNode): boolean =>
      !command.restore && arriving.has(id) && handover[id] === undefined;
    const restore = command.restore && new Map(command.restore.map(({ instance, state }) => [instance, state]));
    const failed = new Set(command.failed);
    // The session has said what becomes of operators whose functions are others now.
    if (restore) this.#host.functions.fill(plan, gone);
    try {
      runtime.mutate(
        plan,
        {
          ...{ handover, snapshot: 'changes', failed, checkpoint: command.checkpoint, completed: command.completed },
          ...{ groups: new Set(command.cells), deleted: new Set(command.deleted) },
          ...(restore && { restore }),
          ...(command.retired && { retired: command.retired }),
        },
        ({ positions, joinedAt, givenUp, read }) => {
          markPartial({ plan: runtime.plan, joinedAt, startsAnew }, this.#markPartial);
          this.frames();
          post({ kind: 'mutated', epoch, positions, ...(givenUp && { givenUp }), ...(read && { read }) });
          if (command.readsAgain) this.#catchingUp.waitFor(command.readsAgain);
          this.#arriving = new Set();
          for (const event of this.#held.splice(0)) post(event);
        },
        // The snapshot takes the same barrier, so the changed state is durable together with the
        // change.
        (snapshot) => this.#snapshotTaken(epoch, command.checkpoint, snapshot),
      );
      this.#install(command);
      onTasks();
    } catch (error) {
      const code = isSluiceError(error) ? error.code : 'mutation-failed';
      const message = cutText(messageOf(error));
      post({ kind: 'mutation-failed', epoch, error: { code, message } });
    }
  }

  #install({ displays }: MutateCommand): void {
    const installed = new Map(displays.map((install) => [install.instance, install]));
    const running = new Set(this.#host.runtime.plan.nodes.map(({ id }) => id));
    for (const [instance, display] of this.#displays) {
      if (!running.has(instance)) {
        this.#displays.delete(instance);
        this.#openWindows.delete(instance);
      } else display.install = installed.get(instance);
    }
  }

  /** Sends an event about an instance, after the mutation that brings the instance. */
  report(instance: string, event: ExecutorEvent): void {
    if (this.#arriving.has(instance)) this.#held.push(event);
    else this.#host.post(event);
  }

  close(): void {
    this.#catchingUp.close();
  }

  /** A snapshot that is under way already serves as well. */
  snapshot(epoch: number, checkpoint: number | undefined): void {
    const { runtime } = this.#host;
    if (runtime.snapshotsInFlight > 0) return;
    runtime.snapshot((snapshot) => this.#snapshotTaken(epoch, checkpoint, snapshot), 'changes', { checkpoint });
  }
  #snapshotTaken(epoch: number, checkpoint: number | undefined, { tasks, retired, millis }: Snapshot): void {
    this.frames();
    const parts = [...tasks].map(([instance, state]): SnapshotPart => ({ instance, state }));
    const behindMillis = this.#host.runtime.oldestBarrierMillis;
    const more = retired.length > 0 ? { retired } : {};
    const clock = this.#host.clock.now();
    this.#host.post({ kind: 'snapshot', epoch, checkpoint, parts, clock, ...more, millis, behindMillis });
  }

  /**
   * Nobody looks at a lossless display, so its rows need not wait for the next picture. Rows of one
   * stretch of work go together.
   */
  #sendSoon(): void {
    this.#soon ??= setImmediate(() => {
      this.#soon = undefined;
      this.frames((display) => display.isLossless);
    });
  }
  /** Rows that have come since the last frame go out. */
  frames(isDue: (display: DisplayOperator) => boolean = () => true): void {
    const now = performance.now();
    this.#begun.look();
    for (const [instance, display] of this.#displays) {
      if (!isDue(display)) continue;
      this.#reportRefused(instance, display);
      const look = display.install && !display.isLossless ? this.#openWindows.get(instance)?.look(now) : undefined;
      const frame = display.frame(now, look);
      if (frame) this.#host.post(frame);
    }
  }
  #reportRefused(instance: string, { refused, install }: DisplayOperator): void {
    if (!install || !refused.hasNew) return;
    const { cell, display } = install;
    const source = sourceName(this.#host.runtime.plan, instance);
    const report = refused.report({ cell, display, instance, source });
    if (report) this.report(instance, report);
  }
  credit(id: string, rows: number): void {
    for (const display of this.#displays.values()) if (display.install?.display === id) display.credit(rows);
  }
}

/** A cell that is evaluated again declares fewer operators than before. */
function gone({ uid }: FunctionRef): () => never {
  return () => {
    throw new SluiceError(
      'function-gone',
      `The cell of ${uid} did not declare it again after the restart. Run the cell.`,
    );
  };
}
