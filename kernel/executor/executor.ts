// The executor: evaluates cells and runs their operators. One object per thread; it obeys commands in order and tells what happens.
//
//   evaluate ─► evaluated ─► mutate ─► mutated ─► commit          functions and values of a run wait between evaluated and commit
//                    └─────────────────────────► discard
//
// This file is one thing: the answer to each command. What a cell sees while it is evaluated is in evaluation.ts, what the control thread hears of rows in displays.ts.
import { currentBuilder } from '../../engine/api/builder.ts';
import type { Endpoint, Fragment } from '../../engine/api/fragment.ts';
import { emptyPlan, FunctionTable, type PlanNode } from '../../engine/graph/plan.ts';
import { above, below, edgesByReader } from '../../engine/graph/walk.ts';
import type { Operator } from '../../engine/contract/operator.ts';
import { Driver } from '../../engine/runtime/driver.ts';
import { taskMetrics } from '../../engine/runtime/metrics.ts';
import { variableOf } from '../../engine/graph/uid.ts';
import { PullOperator } from '../../engine/runtime/pull.ts';
import { Runtime, type Snapshot } from '../../engine/runtime/runtime.ts';
import { lookupRow, type PresentRow } from '../../engine/runtime/table-lookup.ts';
import type { Task, TaskFailure } from '../../engine/runtime/task.ts';
import { SluiceError } from '../../engine/errors/error.ts';
import { CellConsole } from './cell-console.ts';
import { DisplayOperator, framesPerSecond } from './display-operator.ts';
import type {
  EvaluateCommand,
  ExecutorCommand,
  ExecutorEvent,
  MutateCommand,
  OperatorReport,
  SnapshotPart,
  SnapshotWaits,
} from './executor-protocol.ts';
import { Evaluator, type Evaluation } from './evaluation.ts';
import { describeRecord } from './record.ts';
import { ToldPull } from './told-pull.ts';
import type { SharedPlace } from './whereabouts.ts';

export interface ExecutorOptions {
  /** Absolute path of the notebook. */
  readonly notebook: string;
  readonly params: Readonly<Record<string, string>>;
  readonly place: SharedPlace;
  readonly post: (event: ExecutorEvent) => void;
  /** Number → name of an operator, for whoever reads the shared place. */
  readonly postPlace: (place: number, cell: string, operator: string) => void;
}

/** An operator that has been inside one call for longer does not count as merely slow when the user interrupts. */
const stuckMillis = 1000;

export class Executor {
  readonly #options: ExecutorOptions;
  readonly #functions = new FunctionTable();
  readonly #runtime: Runtime;
  readonly #driver: Driver;
  readonly #evaluator: Evaluator;
  readonly #console: CellConsole;
  readonly #runs = new Map<number, Evaluation>();
  readonly #displays = new Map<string, DisplayOperator>();
  readonly #pulls = new Map<string, { readonly operator: PullOperator; readonly run: number }>();
  readonly #told = new Map<string, ToldPull>();
  readonly #places = new Map<string, number>();
  /** Instances of the mutation in flight that were not there before, and what has happened to them. */
  #arriving: ReadonlySet<string> = new Set();
  readonly #held: ExecutorEvent[] = [];
  readonly #timers: NodeJS.Timeout[] = [];
  #lastMetrics = performance.now();
  #turn: Task | undefined;
  #nextPull = 1;

  constructor(options: ExecutorOptions) {
    this.#options = options;
    this.#runtime = new Runtime({
      functions: this.#functions,
      host: (node) => this.#hosted(node),
      onFailure: (failure) => this.#failed(failure),
      onTurn: (task) => this.#onTurn(task),
      onWork: () => this.#driver.wake(),
    });
    this.#driver = new Driver(this.#runtime);
    this.#console = new CellConsole(
      () => this.#turn?.chain.nodes[0]!.group,
      (cell, lines, dropped) => options.post({ kind: 'console', cell, lines, dropped }),
    );
    this.#evaluator = new Evaluator(options.notebook, options.params, {
      openPull: (run, from, label, fragment) => this.#openPull(run, from, label, fragment),
      lookup: (uid, key) => this.#lookup(uid, key),
    });
    this.#timers.push(
      setInterval(() => this.#frames(), 1000 / framesPerSecond),
      setInterval(() => this.#metrics(), 1000),
    );
  }

  /**
   * A promise that nobody awaits, or a throw in a timer: said under the cell that left it behind. False: it is none of a cell's. An exception has to come from a cell's text, for the
   * engine itself runs in the context of the cell that woke it.
   */
  stray(error: unknown, kind: 'exception' | 'rejection'): boolean {
    const group = currentBuilder()?.settings.group ?? '';
    const { cell = group, file, line, message } = this.#evaluator.locate(error, group);
    if (cell === '' || (kind === 'exception' && line === undefined)) return false;
    const where = line === undefined ? '' : ` (${file === undefined ? '' : `${file} `}line ${line})`;
    const text = `Nobody caught this${where}: ${message}`;
    this.#options.post({ kind: 'console', cell, lines: [{ level: 'error', at: Date.now(), text }], dropped: 0 });
    return true;
  }

  obey(command: ExecutorCommand): void {
    switch (command.kind) {
      case 'evaluate':
        void this.#evaluate(command);
        break;
      case 'commit':
        this.#evaluator.commit(this.#runs.get(command.run));
        this.#runs.delete(command.run);
        for (const pull of this.#told.keys()) if (pull.startsWith(`${command.run}.`)) this.#told.delete(pull);
        this.#forgetFunctions();
        break;
      case 'discard':
        this.#runs.get(command.run)?.abandon('the run was not successful');
        this.#runs.delete(command.run);
        for (const pull of this.#told.keys()) if (pull.startsWith(`${command.run}.`)) this.#told.delete(pull);
        this.#forgetFunctions();
        break;
      case 'forget':
        this.#evaluator.forget(command.cell);
        break;
      case 'mutate':
        this.#mutate(command);
        break;
      case 'snapshot':
        // One that is on its way will do.
        if (this.#runtime.snapshotsInFlight === 0)
          this.#runtime.snapshot((snapshot) => this.#snapshotTaken(command.epoch, snapshot));
        break;
      case 'refuse-pull':
        this.#pulls.get(command.pull)?.operator.fail(errorOf(command.error));
        break;
      case 'pull-credit':
        this.#told.get(command.pull)?.taken(command.rows);
        break;
      case 'credit':
        for (const display of this.#displays.values())
          if (display.install?.display === command.display) display.credit(command.rows);
        break;
      case 'interrupt':
        this.#interrupt(command.interrupt, command.cell);
        break;
      case 'close':
        this.close();
        break;
    }
  }

  close(): void {
    for (const timer of this.#timers) clearInterval(timer);
    // The last word: what has come since the last frame, and the figures as they are at the end.
    this.#frames();
    this.#metrics();
    this.#console.close();
    this.#driver.stop();
    this.#runtime.close();
  }

  // ---------------------------------------------------------------------------------------------- evaluating

  async #evaluate(command: EvaluateCommand): Promise<void> {
    const { post, place } = this.#options;
    const evaluation = this.#evaluator.begin(command);
    this.#runs.set(command.run, evaluation);
    place.enter(-command.run);
    let result;
    try {
      const running = this.#console.during(command.restore === undefined, () => evaluation.run());
      place.leave();
      result = await running;
    } catch (error) {
      place.leave();
      this.#runs.delete(command.run);
      post({ kind: 'evaluation-failed', run: command.run, error: this.#evaluator.locate(error, command.cell) });
      return;
    }
    this.#functions.addAll(result.fragment.functions);
    const { functions: _stay, ...fragment } = result.fragment;
    post({
      kind: 'evaluated',
      run: command.run,
      fragment,
      exports: result.exports,
      displayed: result.displayed,
      kept: result.kept,
    });
  }

  #lookup(uid: string, key: readonly unknown[]): PresentRow | undefined {
    const node = this.#runtime.plan.nodes.find((one) => one.uid === uid && !one.copy);
    return node && lookupRow(this.#runtime, this.#functions, node.id, key);
  }
  #openPull(run: number, from: Endpoint, label: string, fragment: Fragment): AsyncIterableIterator<unknown> {
    const { post } = this.#options;
    const pull = `${run}.${this.#nextPull++}`;
    const operator = new PullOperator(() => {
      if (this.#pulls.delete(pull)) post({ kind: 'pull-closed', pull });
    });
    this.#pulls.set(pull, { operator, run });
    const evaluation = this.#runs.get(run);
    this.#functions.addAll(fragment.functions);
    const { functions: _stay, ...data } = fragment;
    const read = 'node' in from ? data.nodes.find((node) => node.uid === from.node) : undefined;
    const wants = read?.kind === 'take' ? read.parameters.n : undefined;
    post({ kind: 'pull-opened', pull, run, from, label, ...(wants !== undefined && { wants }), fragment: data });
    if (!evaluation?.tellsPulls) return operator;
    const { cell } = evaluation;
    const told = new ToldPull(operator, (rows) => post({ kind: 'pull-rows', pull, cell, label, rows }));
    this.#told.set(pull, told);
    return told;
  }

  /** Functions of former versions go once no plan and no run that waits refers to them. */
  #forgetFunctions(): void {
    if (this.#runs.size > 0 || this.#pulls.size > 0) return;
    this.#functions.retain({ ...emptyPlan, nodes: [...this.#runtime.plan.nodes, ...this.#evaluator.committedNodes()] });
  }

  // ---------------------------------------------------------------------------------------------- the graph

  #hosted(node: PlanNode): Operator | undefined {
    if (node.kind === 'pull')
      return this.#pulls.get(node.uid.slice('pull/'.length))?.operator ?? new PullOperator(() => {});
    if (node.kind !== 'display') return undefined;
    const display = new DisplayOperator();
    this.#displays.set(node.id, display);
    return display;
  }

  #mutate(command: MutateCommand): void {
    const { post } = this.#options;
    const before = new Set(this.#runtime.plan.nodes.map((node) => node.id));
    this.#arriving = new Set(command.plan.nodes.flatMap(({ id }) => (before.has(id) ? [] : [id])));
    try {
      const former = new Set(this.#runtime.plan.nodes.map(({ id }) => id));
      const startsAnew = ({ id }: PlanNode): boolean =>
        !command.restore && !former.has(id) && command.handover[id] === undefined;
      const restore = command.restore && new Map(command.restore.map((part) => [part.instance, part.state]));
      this.#runtime.mutate(
        command.plan,
        { handover: command.handover, snapshot: 'changes', ...(restore && { restore }) },
        ({ positions, joinedAt }) => {
          this.#markPartial(joinedAt, startsAnew);
          this.#frames();
          post({ kind: 'mutated', epoch: command.epoch, positions });
          this.#arriving = new Set();
          for (const event of this.#held.splice(0)) post(event);
        },
        // What a change touches is durable with the change: it rides on the snapshot's barrier.
        (snapshot) => this.#snapshotTaken(command.epoch, snapshot),
      );
      this.#install(command);
      this.#namePlaces();
    } catch (error) {
      const code = error instanceof SluiceError ? error.code : 'mutation-failed';
      post({
        kind: 'mutation-failed',
        epoch: command.epoch,
        error: { code, message: error instanceof Error ? error.message : String(error) },
      });
    }
  }
  #install(command: MutateCommand): void {
    const installed = new Map(command.displays.map((install) => [install.instance, install]));
    const running = new Set(this.#runtime.plan.nodes.map((node) => node.id));
    for (const [instance, display] of this.#displays) {
      if (!running.has(instance)) this.#displays.delete(instance);
      else display.install = installed.get(instance);
    }
  }
  /**
   * A window that was open when its operator came to a live source has seen only a part. Rows up to the bound above the watermark had already
   * gone by, so windows that begin before that are partial. What came beside a running window, or above one that kept its state, makes none partial.
   */
  #markPartial(joinedAt: Readonly<Record<string, number>>, startsAnew: (node: PlanNode) => boolean): void {
    const { plan } = this.#runtime;
    const nodes = new Map(plan.nodes.map((node) => [node.id, node]));
    const bound = Math.max(
      0,
      ...plan.nodes.map(
        (node) => ('watermark' in node.parameters ? node.parameters.watermark?.outOfOrdernessMillis : undefined) ?? 0,
      ),
    );
    const mark = (id: string, before: number, isPartial: boolean): void => {
      const node = nodes.get(id)!;
      const holdsState = node.shape !== '';
      if (holdsState && !isPartial && !startsAnew(node)) return;
      const display = this.#displays.get(id);
      if (display && isPartial) display.partialBefore = Math.max(display.partialBefore, before);
      for (const edge of plan.edges) if (edge.from === id) mark(edge.to, before, isPartial || holdsState);
    };
    for (const [reader, watermark] of Object.entries(joinedAt))
      if (Number.isFinite(watermark) && nodes.has(reader)) mark(reader, watermark + bound + 1, false);
  }
  #namePlaces(): void {
    for (const task of this.#runtime.tasks.values()) {
      if (this.#places.has(task.id)) continue;
      const place = this.#places.size + 1;
      this.#places.set(task.id, place);
      const [head] = task.chain.nodes;
      this.#options.postPlace(place, head!.group, task.chain.nodes.map((node) => node.name).join(' → '));
    }
  }
  #onTurn(task: Task | undefined): void {
    this.#turn = task;
    if (task) this.#options.place.enter(this.#places.get(task.id) ?? 0);
    else this.#options.place.leave();
  }

  #snapshotTaken(epoch: number, snapshot: Snapshot): void {
    this.#frames();
    const uids = new Map(this.#runtime.plan.nodes.map((node) => [node.id, node.uid]));
    const parts = [...snapshot.tasks].map(([instance, state]): SnapshotPart => ({
      instance,
      uid: uids.get(instance) ?? instance,
      state,
    }));
    this.#options.post({
      ...{ kind: 'snapshot', epoch, parts, millis: snapshot.millis },
      behindMillis: this.#runtime.oldestBarrierMillis,
    });
  }

  #snapshotWaits(): SnapshotWaits | undefined {
    const held = this.#runtime.waitsFor();
    const nodes = held?.tasks[0]?.chain.nodes;
    if (!held || !nodes) return undefined;
    return { cell: nodes[0]!.group, operator: nodes.map(({ name }) => name).join(' → '), millis: held.millis };
  }

  #failed(failure: TaskFailure & { readonly uid: string }): void {
    const node = this.#runtime.plan.nodes.find((one) => one.id === failure.node);
    const cell = node?.group ?? '';
    for (const { operator } of this.#pulls.values())
      if (this.#reaches(failure.node, operator)) operator.fail(failure.error);
    const source = node && this.#sourceName(node.id);
    const event: ExecutorEvent = {
      kind: 'operator-failed',
      instance: failure.node,
      cell,
      name: node?.name ?? failure.uid,
      error: this.#evaluator.locate(failure.error, cell),
      ...(failure.record
        ? { record: describeRecord(failure.record, source) }
        : failure.working !== undefined && { record: failure.working }),
    };
    // Of what a mutation brings nothing is heard before the mutation itself.
    if (this.#arriving.has(failure.node)) this.#held.push(event);
    else this.#options.post(event);
  }
  /** The pull hangs on this node: its rows will never come. */
  #reaches(node: string, pull: PullOperator): boolean {
    const { plan } = this.#runtime;
    return [...below(plan.edges, [node])].some(
      (id) => id.startsWith('pull/') && this.#pulls.get(id.slice('pull/'.length))?.operator === pull,
    );
  }
  /** The name of the one source above an operator: "orders" in orders[3]@188204. */
  #sourceName(id: string): string | undefined {
    const { plan } = this.#runtime;
    const inputs = edgesByReader(plan.edges);
    const line = [...above(plan.edges, [id])];
    if (line.some((at) => (inputs.get(at)?.length ?? 0) > 1)) return undefined;
    const source = plan.nodes.find((node) => node.id === line.at(-1));
    // A topic and a file have names of their own; other sources have their variable's.
    const [verb, about] = source?.name.split(' ') ?? [];
    return about ?? (source && variableOf(source.uid)) ?? verb;
  }

  // ---------------------------------------------------------------------------------------------- interrupt

  #interrupt(interrupt: number, cell: string | undefined): void {
    const stopped: { cell: string; what: string }[] = [];
    const interrupted = new SluiceError(
      'interrupted',
      cell === undefined ? 'Interrupted.' : `Cell "${cell}" was interrupted.`,
    );
    let evaluating = false;
    for (const [run, evaluation] of this.#runs) {
      if (evaluation.isOver || (cell !== undefined && evaluation.cell !== cell)) continue;
      evaluating = true;
      for (const pull of this.#pulls.values()) if (pull.run === run) pull.operator.fail(interrupted);
      evaluation.abort(interrupted);
      stopped.push({ cell: evaluation.cell, what: 'run' });
    }
    if (!evaluating || cell === undefined)
      for (const task of this.#runtime.tasks.values()) {
        const { group, name } = task.chain.nodes[0]!;
        if ((cell !== undefined && group !== cell) || task.stuckMillis < stuckMillis) continue;
        task.interrupt(interrupted);
        stopped.push({ cell: group, what: name });
      }
    this.#options.post({ kind: 'interrupted', interrupt, stopped });
  }

  // ---------------------------------------------------------------------------------------------- reports

  #frames(): void {
    const now = performance.now();
    for (const display of this.#displays.values()) {
      const frame = display.frame(now);
      if (frame) this.#options.post(frame);
    }
  }
  #metrics(): void {
    const now = performance.now();
    const elapsed = now - this.#lastMetrics;
    this.#lastMetrics = now;
    const thread = Math.min(1, this.#runtime.takeBusyMillis() / elapsed);
    const nodes = new Map(this.#runtime.plan.nodes.map((node) => [node.id, node]));
    const operators = [...this.#runtime.tasks.values()].flatMap((task) =>
      taskMetrics(task, now).map((row, index): OperatorReport => {
        const node = nodes.get(row.id)!;
        const status = index === 0 ? task.operatorStatus() : undefined;
        const source = index === 0 ? task.source?.status() : undefined;
        return {
          id: row.id,
          uid: node.uid,
          name: row.name,
          cell: node.group,
          kind: node.kind,
          recordsIn: row.recordsIn,
          recordsOut: row.recordsOut,
          inPerSecond: row.recordsInPerSecond,
          outPerSecond: row.recordsOutPerSecond,
          busy: row.busy,
          idle: row.idle,
          backpressured: row.backpressured,
          ...(row.watermark !== undefined && { watermark: row.watermark }),
          late: row.lateRecordsDropped,
          // A source that nobody wants any more (take has enough) gives nothing either.
          finished: task.status === 'ended' || (task.isSource && task.output.abandoned),
          ...(status && { status }),
          ...(source && { source }),
        };
      }),
    );
    const snapshotWaits = this.#snapshotWaits();
    this.#options.post({ kind: 'metrics', at: Date.now(), operators, thread, ...(snapshotWaits && { snapshotWaits }) });
  }
}

function errorOf(located: { readonly code: string; readonly message: string }): SluiceError {
  return new SluiceError(located.code, located.message);
}
