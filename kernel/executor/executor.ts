// The executor: one object per thread. It handles commands in order, drives the runtime, and
// reports rows, figures and failures.
//
//   evaluate ─► evaluated ─► mutate ─► mutated ─► commit
//                    └─────────────────────────► discard
//
// Functions and values of a run wait between evaluated and commit.
import { currentBuilder } from '../../engine/api/builder.ts';
import { FunctionTable, type PlanNode } from '../../engine/graph/plan.ts';
import { below } from '../../engine/graph/walk.ts';
import type { Operator } from '../../engine/contract/operator.ts';
import { Driver } from '../../engine/runtime/driver.ts';
import { PullOperator } from '../../engine/runtime/pull.ts';
import { Runtime } from '../../engine/runtime/runtime.ts';
import type { TaskFailure } from '../../engine/runtime/task-failure.ts';
import type { Trace } from '../../engine/runtime/trace.ts';
import { CellConsole } from './cell-console.ts';
import { drainSinks } from './drain-sinks.ts';
import { framesPerSecond } from './display-operator.ts';
import type { ExecutorCommand, ExecutorEvent } from './executor-protocol.ts';
import { failureReport, reportedNode } from './failure-report.ts';
import { GraphChange } from './graph-change.ts';
import { interrupt } from './interrupt.ts';
import { MetricsReport } from './metrics-report.ts';
import { Runs } from './runs.ts';
import { type PostPlace, Turns } from './turns.ts';
import type { SharedPlace } from './whereabouts.ts';

export interface ExecutorOptions {
  /** Absolute path of the notebook. */
  readonly notebook: string;
  readonly params: Readonly<Record<string, string>>;
  readonly isJob: boolean;
  readonly place: SharedPlace;
  readonly post: (event: ExecutorEvent) => void;
  readonly trace?: Trace | undefined;
  /** Names the operator behind a number in the shared place. */
  readonly postPlace: PostPlace;
}

const pullPrefix = 'pull/';

export class Executor {
  readonly #post: (event: ExecutorEvent) => void;
  readonly #runtime: Runtime;
  readonly #driver: Driver;
  readonly #console: CellConsole;
  readonly #turns: Turns;
  readonly #runs: Runs;
  readonly #graph: GraphChange;
  readonly #metrics: MetricsReport;
  readonly #timers: readonly NodeJS.Timeout[];

  constructor({ notebook, params, isJob, place, post, trace, postPlace }: ExecutorOptions) {
    this.#post = post;
    const functions = new FunctionTable();
    this.#turns = new Turns(place, postPlace);
    this.#runtime = new Runtime({
      functions,
      host: (node) => this.#operatorOf(node),
      onFailure: (failure) => this.#failed(failure),
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
    this.#runs = new Runs({ notebook, params, isJob, place, console, runtime, functions, post });
    this.#graph = new GraphChange({ runtime, post, onTasks: () => this.#turns.name(runtime.tasks.values()) });
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
        this.#metrics.leaving(command.plan);
        this.#graph.mutate(command);
        break;
      case 'snapshot':
        this.#graph.snapshot(command.epoch);
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
   * The engine itself runs in the context of the cell that woke it, so an exception must have its
   * place in the text of a cell.
   */
  reportUncaught(error: unknown, kind: 'exception' | 'rejection'): boolean {
    const group = currentBuilder()?.settings.group ?? '';
    const { cell = group, file, line, message } = this.#runs.locate(error, group);
    if (cell === '' || (kind === 'exception' && line === undefined)) return false;
    const where = line === undefined ? '' : ` (${file === undefined ? '' : `${file} `}line ${line})`;
    const text = `Uncaught error${where}: ${message}`;
    this.#post({ kind: 'console', cell, lines: [{ level: 'error', at: Date.now(), text }], dropped: 0 });
    return true;
  }
}
