// The executor: one object per thread. It handles commands in order, drives the runtime, and
// reports rows, figures and failures.
//
//   evaluate ─► evaluated ─► mutate ─► mutated ─► commit
//                    └─────────────────────────► discard
//
// Functions and values of a run wait between evaluated and commit.
import { handOverConnections } from '../../engine/connections/connection-named.ts';
import { currentBuilder } from '../../engine/api/builder.ts';
import { FunctionTable, type PlanNode } from '../../engine/graph/plan.ts';
import { below } from '../../engine/graph/walk.ts';
import type { Operator } from '../../engine/contract/operator.ts';
import { ForwardClock } from '../../engine/contract/clock.ts';
import { Driver } from '../../engine/runtime/driver.ts';
import { PullOperator } from '../../engine/runtime/pull.ts';
import { Runtime } from '../../engine/runtime/runtime.ts';
import type { TaskFailure } from '../../engine/runtime/task-failure.ts';
import type { Trace } from '../../engine/runtime/trace.ts';
import type { BufferAccount } from './buffer-account.ts';
import { hasOwnFrame } from '../cells/source-places.ts';
import { CellConsole } from './cell-console.ts';
import { drainSinks } from './drain-sinks.ts';
import { framesPerSecond } from './display-operator.ts';
import type { ExecutorCommand, ExecutorEvent } from './executor-protocol.ts';
import { failureReport, reportedNode, sourceName } from './failure-report.ts';
import { GraphChange } from './graph-change.ts';
import { interrupt } from './interrupt.ts';
import { type KeptByCell, keptByCells } from './kept-by-cells.ts';
import type { EvaluatorOptions } from './evaluation.ts';
import { MetricsReport } from './metrics-report.ts';
import { Runs } from './runs.ts';
import { type PostPlace, Turns } from './turns.ts';
import type { SharedPlace } from './whereabouts.ts';

export interface ExecutorOptions extends EvaluatorOptions {
  readonly place: SharedPlace;
  readonly post: (event: ExecutorEvent) => void;
  readonly trace?: Trace | undefined;
  /** Names the operator behind a number in the shared place. */
  readonly postPlace: PostPlace;
  readonly account?: BufferAccount | undefined;
}

const pullPrefix = 'pull/';

export class Executor {
  readonly #clock = new ForwardClock();
  readonly #post: (event: ExecutorEvent) => void;
  readonly #runtime: Runtime;
  readonly #driver: Driver;
  readonly #console: CellConsole;
  readonly #turns: Turns;
  readonly #runs: Runs;
  readonly #graph: GraphChange;
  readonly #metrics: MetricsReport;
  readonly #timers: readonly NodeJS.Timeout[];

  constructor(options: ExecutorOptions) {
    const { place, post, trace, postPlace, account, isJob } = options;
    this.#post = post;
    const functions = new FunctionTable();
    this.#turns = new Turns(place, postPlace, account);
    this.#runtime = new Runtime({
      functions,
      clock: this.#clock,
      host: (node) => this.#operatorOf(node),
      onFailure: (failure) => this.#failed(failure),
      ...(isJob && { onEnded: () => this.#endsSoon() }),
      onTurn: (task) => this.#turns.turn(task),
      onWork: () => this.#driver.wake(),
      trace,
    });
    this.#driver = new Driver(this.#runtime);
    this.#console = new CellConsole(
      () => this.#turns.cell,
      (cell, lines, dropped) => post({ kind: 'console', cell, lines, dropped }),
    );
    const { runtime, console } = { runtime: this.#runtime, console: this.#console };
    this.#runs = new Runs({ ...options, console, runtime, functions });
    const onTasks = (): void => this.#turns.name(runtime.tasks.values());
    this.#graph = new GraphChange({ runtime, functions, clock: this.#clock, post, onTasks });
    this.#metrics = new MetricsReport(runtime);
    this.#timers = [
      setInterval(() => this.#graph.frames(), 1000 / framesPerSecond),
      setInterval(() => post(this.#metrics.take()), 1000),
    ];
  }

  handle(command: ExecutorCommand): void {
    switch (command.kind) {
      case 'evaluate':
        void this.#runs.evaluate(command);
        break;
      case 'commit':
        this.#runs.commit(command.run);
        break;
      case 'discard':
        this.#runs.discard(command.run);
        break;
      case 'forget':
        this.#runs.forget(command.cell);
        break;
      case 'mutate':
        if (command.goesOnFrom !== undefined) this.#clock.goOnFrom(command.goesOnFrom);
        this.#metrics.leaving(command.plan);
        this.#graph.mutate(command);
        break;
      case 'snapshot':
        this.#graph.snapshot(command.epoch, command.checkpoint);
        break;
      case 'checkpoint-complete':
        this.#runtime.complete(command.checkpoint);
        break;
      case 'checkpoint-aborted':
        this.#runtime.aborted(command.checkpoint);
        break;
      case 'refuse-pull':
        this.#runs.refusePull(command.pull, command.error);
        break;
      case 'pull-credit':
        this.#runs.pullTaken(command.pull, command.rows);
        break;
      case 'credit':
        this.#graph.credit(command.display, command.rows);
        break;
      case 'interrupt': {
        const stopped = interrupt(command.cell, this.#runs, this.#runtime);
        this.#post({ kind: 'interrupted', interrupt: command.interrupt, stopped });
        break;
      }
      case 'connections':
        handOverConnections(command.connections);
        break;
      case 'close':
        void this.close();
        break;
      default:
        command satisfies never;
    }
  }

  /**
   * Waits for the acknowledgements of sinks. Sends the rows since the last frame and the figures at
   * the end.
   */
  async close(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    this.#graph.close();
    this.#driver.stop();
    await drainSinks(this.#runtime, () => this.#post(this.#metrics.take()));
    this.#graph.frames();
    this.#post(this.#metrics.take());
    this.#console.close();
    this.#runtime.close();
  }

  /** Displays and pulls are nodes whose operators the executor provides. */
  #operatorOf(node: PlanNode): Operator | undefined {
    if (node.kind === 'display') return this.#graph.display(node);
    // A pull that is over may still be in the plan.
    if (node.kind === 'pull') return this.#runs.pull(node.uid.slice(pullPrefix.length)) ?? new PullOperator(() => {});
    return undefined;
  }

  /** A job whose last operator has ended is over: that is reported at once, not within a second. */
  #endsSoon(): void {
    const tasks = [...this.#runtime.tasks.values()];
    if (tasks.every(({ isRunning }) => !isRunning)) setImmediate(() => this.#post(this.#metrics.take()));
  }

  /** What the engine keeps for each cell now. */
  kept(): readonly KeptByCell[] {
    return keptByCells(this.#runtime);
  }
  /** The name of the one source above an instance, if there is one. */
  sourceAbove(instance: string): string | undefined {
    return sourceName(this.#runtime.plan, instance);
  }

  #failed(failure: TaskFailure & { readonly uid: string }): void {
    const { plan } = this.#runtime;
    for (const id of below(plan.edges, [failure.node]))
      if (id.startsWith(pullPrefix)) this.#runs.pull(id.slice(pullPrefix.length))?.fail(failure.error);
    const report = failureReport(plan, failure, (error, cell) => this.#runs.locate(error, cell));
    // The commit of a run forgets the failures of the run before, so the report comes after it.
    this.#graph.report(reportedNode(plan, failure)?.id ?? failure.node, report);
  }

  /**
   * A promise that no code awaits, or a throw in a timer. It is reported under the cell that left
   * it behind; false when no cell did.
   * The engine itself runs in the context of the cell that woke it. So an exception with a frame of
   * Sluice in its stack must have its place in the text of a cell.
   */
  reportUncaught(error: unknown, kind: 'exception' | 'rejection'): boolean {
    const group = currentBuilder()?.settings.group ?? '';
    const located = this.#runs.locate(error, group);
    const { cell = group, file, line, message } = located;
    if (cell === '' || (kind === 'exception' && line === undefined && hasOwnFrame(error))) return false;
    const where = line === undefined ? '' : ` (${file === undefined ? '' : `${file} `}line ${line})`;
    const uncaught = { ...located, message: `Uncaught error${where}: ${message}` };
    this.#post({ kind: 'uncaught', cell, at: Date.now(), error: uncaught });
    return true;
  }
}
