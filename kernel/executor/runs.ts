// Runs of cells in the executor: their evaluations, the pulls that they open, and the functions
// that they leave.
//
//   evaluate ─► running ─► evaluated ─► commit     its values are those of the cell from now on
//                  │           └──────► discard    nothing of it stays
//                  └─► evaluation failed
import type { Endpoint, Fragment } from '../../engine/api/fragment.ts';
import { emptyPlan, type FunctionTable } from '../../engine/graph/plan.ts';
import { SluiceError } from '../../engine/errors/error.ts';
import { PullOperator } from '../../engine/runtime/pull.ts';
import type { Runtime } from '../../engine/runtime/runtime.ts';
import { lookupRow, type PresentRow } from '../../engine/runtime/table-lookup.ts';
import type { CellConsole } from './cell-console.ts';
import { type Evaluation, type EvaluationResult, Evaluator, type EvaluatorOptions } from './evaluation.ts';
import type { EvaluateCommand, ExecutorEvent, LocatedError, PullId, RunId } from './executor-protocol.ts';
import { ObservedPull } from './observed-pull.ts';
import { RefusedRows } from './refused-rows.ts';
import type { SharedPlace } from './whereabouts.ts';

export interface RunsHost extends EvaluatorOptions {
  readonly place: SharedPlace;
  readonly console: CellConsole;
  readonly runtime: Runtime;
  readonly functions: FunctionTable;
  readonly post: (event: ExecutorEvent) => void;
}

interface OpenPull {
  readonly operator: PullOperator;
  readonly run: RunId;
}

export class Runs {
  readonly #host: RunsHost;
  readonly #evaluator: Evaluator;
  /** Runs between `evaluate` and `commit` or `discard`. */
  readonly #evaluations = new Map<RunId, Evaluation>();
  readonly #pulls = new Map<PullId, OpenPull>();
  readonly #observed = new Map<PullId, ObservedPull>();
  #nextPull = 1;

  constructor(host: RunsHost) {
    this.#host = host;
    this.#evaluator = new Evaluator(host, {
      openPull: (run, from, label, fragment) => this.#openPull(run, from, label, fragment),
      lookup: (uid, key) => this.#lookup(uid, key),
    });
  }

  async evaluate(command: EvaluateCommand): Promise<void> {
    const { post, place, functions, console } = this.#host;
    const { run } = command;
    const evaluation = this.#evaluator.begin(command);
    this.#evaluations.set(run, evaluation);
    let result: EvaluationResult;
    place.enter(-run);
    const running = console.during(command.restore === undefined, () => evaluation.run());
    place.leave();
    try {
      result = await running;
    } catch (error) {
      this.#evaluations.delete(run);
      post({ kind: 'evaluation-failed', run, error: this.locate(error, command.cell) });
      return;
    }
    functions.addAll(result.fragment.functions);
    const { functions: _stay, ...fragment } = result.fragment;
    const { exports, displayed, kept, used, news } = result;
    const { modules } = evaluation;
    const more = { ...(used && { used, paths: modules.paths }), ...(news && { news }) };
    post({ kind: 'evaluated', run, fragment, exports, displayed, kept, ...more });
    modules.onMore = () =>
      modules.used && post({ kind: 'modules-used', run, used: modules.used, paths: modules.paths });
  }

  commit(run: RunId): void {
    this.#evaluator.commit(this.#evaluations.get(run));
    this.#over(run);
  }
  discard(run: RunId): void {
    this.#evaluations.get(run)?.abandon('the run was not successful');
    this.#over(run);
  }
  forget(cell: string): void {
    this.#evaluator.forget(cell);
  }
  #over(run: RunId): void {
    this.#evaluations.delete(run);
    for (const pull of this.#observed.keys()) if (pull.startsWith(`${run}.`)) this.#observed.delete(pull);
    this.#forgetFunctions();
  }
  /** Functions of former versions go when neither the plan nor a waiting run refers to them. */
  #forgetFunctions(): void {
    if (this.#evaluations.size > 0 || this.#pulls.size > 0) return;
    const { functions, runtime } = this.#host;
    functions.retain({ ...emptyPlan, nodes: [...runtime.plan.nodes, ...this.#evaluator.committedNodes()] });
  }

  /** The error with its place in the text of the cell. */
  locate(error: unknown, cell: string): LocatedError {
    return this.#evaluator.locate(error, cell);
  }

  /** Ends the evaluations of a cell, or of all cells, and what they await. Gives the cells. */
  interrupt(cell: string | undefined, error: SluiceError): readonly string[] {
    const stopped: string[] = [];
    for (const [run, evaluation] of this.#evaluations) {
      if (evaluation.isOver || (cell !== undefined && evaluation.cell !== cell)) continue;
      for (const pull of this.#pulls.values()) if (pull.run === run) pull.operator.fail(error);
      evaluation.abort(error);
      stopped.push(evaluation.cell);
    }
    return stopped;
  }

  // ----------------------------------------------------------------------------------------- pulls

  pull(id: PullId): PullOperator | undefined {
    return this.#pulls.get(id)?.operator;
  }
  refusePull(id: PullId, { code, message }: LocatedError): void {
    this.pull(id)?.fail(new SluiceError(code, message));
  }
  pullTaken(id: PullId, rows: number): void {
    this.#observed.get(id)?.taken(rows);
  }

  #openPull(run: RunId, from: Endpoint, label: string, fragment: Fragment): AsyncIterableIterator<unknown> {
    const { post, functions } = this.#host;
    const pull = `${run}.${this.#nextPull++}`;
    const operator = new PullOperator(() => {
      if (this.#pulls.delete(pull)) post({ kind: 'pull-closed', pull });
    });
    this.#pulls.set(pull, { operator, run });
    const evaluation = this.#evaluations.get(run);
    functions.addAll(fragment.functions);
    const { functions: _stay, ...data } = fragment;
    const read = 'node' in from ? data.nodes.find((node) => node.uid === from.node) : undefined;
    const wants = read?.kind === 'take' ? read.parameters.n : undefined;
    post({ kind: 'pull-opened', pull, run, from, label, ...(wants !== undefined && { wants }), fragment: data });
    if (!evaluation?.tellsPulls) return operator;
    const { cell } = evaluation;
    const refused = new RefusedRows();
    const observed = new ObservedPull(
      operator,
      (rows) => post({ kind: 'pull-rows', pull, cell, label, rows }),
      (row) => {
        if (!refused.refuses(row, 'text')) return false;
        const report = refused.report({ cell, display: `pull ${pull}` });
        if (report) post(report);
        return true;
      },
    );
    this.#observed.set(pull, observed);
    return observed;
  }

  #lookup(uid: string, key: readonly unknown[]): PresentRow | undefined {
    const { runtime, functions } = this.#host;
    const node = runtime.plan.nodes.find((one) => one.uid === uid && !one.copy);
    return node && lookupRow(runtime, functions, node.id, key);
  }
}
