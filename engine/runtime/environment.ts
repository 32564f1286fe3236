// An Environment: the engine in a program without a notebook. Its streams run as one job in this
// thread.
import type { Fragment, Endpoint, PullHost } from '../api/fragment.ts';
import { Builder } from '../api/builder.ts';
import { modeOf } from '../api/session.ts';
import { makeSources } from '../api/sources.ts';
import type * as S from '../api/surface.ts';
import { SluiceError } from '../errors/error.ts';
import { isSluiceError, readThrown } from '../errors/thrown.ts';
import { checkTransactionTimeouts } from '../graph/transaction-timeouts.ts';
import type { FunctionTable, Plan, PlanNode } from '../graph/plan.ts';
import { above } from '../graph/walk.ts';
import { Driver } from './driver.ts';
import { LocalCheckpoints, localCheckpointMillis } from './local-checkpoints.ts';
import { jobMetrics } from './metrics.ts';
import { PullOperator } from './pull.ts';
import type { RuntimeOptions } from './runtime-options.ts';
import { Runtime } from './runtime.ts';
import { lookupRow, type PresentRow } from './table-lookup.ts';

/** The plan of everything above the given leaves; nodes that nothing reaches are left out. */
export function planOf(
  fragment: Fragment,
  leaves: readonly string[],
  extra: { readonly nodes: readonly PlanNode[]; readonly edges: Plan['edges'] } = { nodes: [], edges: [] },
): Plan {
  const nodes = new Map([...fragment.nodes, ...extra.nodes].map((node) => [node.id, node]));
  const edges = [
    ...fragment.edges.map((edge) => {
      if (!('node' in edge.from))
        throw new SluiceError(
          'foreign-stream',
          `${edge.to} reads a stream of another evaluation, ${edge.from.variable}.`,
        );
      return { from: edge.from.node, port: edge.from.port, to: edge.to, input: edge.input, exchange: edge.exchange };
    }),
    ...extra.edges,
  ];
  const reached = above(edges, leaves);
  const mode = modeOf(fragment.options ?? {});
  return {
    ...(mode && { mode }),
    version: 1,
    nodes: [...nodes.values()].filter((node) => reached.has(node.id)),
    edges: edges.filter((edge) => reached.has(edge.to)),
  };
}

export class Environment implements S.Environment {
  readonly kafka: typeof S.kafka;
  readonly generate: typeof S.generate;
  readonly from: typeof S.from;
  readonly file: typeof S.file;
  readonly table: typeof S.table;
  readonly microBatches: typeof S.microBatches;
  readonly #builder: Builder;
  #jobs: RunningJob[] = [];

  /** Options that this version does not have are refused when `configure` would refuse them. */
  constructor(options: S.SessionOptions = {}) {
    const pullHost: PullHost = {
      pull: (from, label, fragment) => pullAlone(from, label, fragment),
      lookup: (from, key) => this.#jobs.map((job) => job.lookup(from, key)).find((found) => found !== undefined),
    };
    this.#builder = new Builder({ group: '', pullHost });
    const sources = makeSources(this.#builder, options);
    this.kafka = sources.kafka;
    this.generate = sources.generate;
    this.from = sources.from;
    this.file = sources.file;
    this.table = sources.table;
    this.microBatches = sources.microBatches;
  }

  /** Starts everything that leads to a sink. The job ends when all sources do. */
  execute(name = 'job'): Promise<S.Job> {
    const fragment = this.#builder.fragment();
    if (fragment.sinks.length === 0)
      throw new SluiceError(
        'nothing-to-run',
        `"${name}" has no sink, so nothing would run. End a stream with .to(topic) or .sink(function).`,
      );
    const plan = planOf(
      fragment,
      fragment.sinks.map((sink) => sink.node),
    );
    checkTransactionTimeouts(plan.nodes, localCheckpointMillis);
    const job = new RunningJob();
    this.#jobs = [job, ...this.#jobs.filter(({ status }) => status === 'running')];
    return job.start(plan, fragment).then(() => job);
  }
}

class RunningJob implements S.Job {
  status: S.Job['status'] = 'running';
  readonly finished: Promise<void>;
  #runtime!: Runtime;
  #functions!: FunctionTable;
  #stop!: () => void;
  /** Metrics of the moment at which the job ended. */
  #lastMetrics: S.JobMetrics | undefined;
  readonly #finish = Promise.withResolvers<void>();

  constructor() {
    this.finished = this.#finish.promise;
    // A program need not await its job: a failure then is no unhandled rejection. `finished` still
    // rejects.
    this.finished.catch(() => {});
  }

  start(plan: Plan, fragment: Fragment, host?: RuntimeOptions['host']): Promise<void> {
    const { runtime, stop } = startRuntime(plan, fragment, {
      ...(host && { host }),
      onDone: () => this.#end('finished'),
      onError: (error) => this.#end('failed', error),
    });
    this.#runtime = runtime;
    this.#functions = fragment.functions;
    this.#stop = stop;
    return Promise.resolve();
  }
  lookup(from: Endpoint, key: readonly unknown[]): PresentRow | undefined {
    const isRunning = this.status === 'running' && 'node' in from;
    return isRunning ? lookupRow(this.#runtime, this.#functions, from.node, key) : undefined;
  }
  metrics(): S.JobMetrics {
    return this.#lastMetrics ?? jobMetrics(this.#runtime);
  }
  checkpoint(): Promise<{ id: number; path: string }> {
    return Promise.reject(new SluiceError('not-yet', 'not-yet: checkpoints come in a later version'));
  }
  stop(options: { drain?: boolean; savepoint?: boolean } = {}): Promise<{ path?: string }> {
    if (options.savepoint || options.drain)
      return Promise.reject(new SluiceError('not-yet', 'not-yet: savepoints and draining come in a later version'));
    this.#end('cancelled');
    return Promise.resolve({});
  }

  #end(status: 'finished' | 'failed' | 'cancelled', error?: unknown): void {
    if (this.status !== 'running') return;
    this.status = status;
    this.#lastMetrics = jobMetrics(this.#runtime);
    this.#stop();
    if (status === 'failed') this.#finish.reject(error);
    else this.#finish.resolve();
  }
}

interface Ends {
  readonly host?: RuntimeOptions['host'];
  onDone(): void;
  onError(error: unknown): void;
}
/** A runtime that starts with `plan` and is done when all its leaves have ended. */
function startRuntime(plan: Plan, fragment: Fragment, ends: Ends): { runtime: Runtime; stop: () => void } {
  const readers = new Set(plan.edges.map((edge) => edge.from));
  const open = new Set(plan.nodes.filter((node) => !readers.has(node.id)).map((node) => node.id));
  const wake = { call: (): void => {} };
  const runtime = new Runtime({
    functions: fragment.functions,
    ...(ends.host && { host: ends.host }),
    onWork: () => wake.call(),
    onFailure: (failure) => ends.onError(describeFailure(failure)),
    onEnded: (id) => {
      const members = runtime.tasks.get(id)?.chain.nodes ?? [];
      for (const node of members) open.delete(node.id);
      if (open.size === 0) checkpoints.end();
    },
    onCommitted: () => {
      if (open.size === 0) ends.onDone();
    },
  });
  const checkpoints = new LocalCheckpoints(runtime, plan, () => ends.onDone());
  const driver = new Driver(runtime);
  wake.call = driver.wake;
  runtime.mutate(plan, {});
  const stop = (): void => {
    checkpoints.stop();
    driver.stop();
    runtime.close();
  };
  return { runtime, stop };
}

/** The error of a job: what the user's code threw, with the record it was working on. */
function describeFailure(failure: Parameters<NonNullable<RuntimeOptions['onFailure']>>[0]): unknown {
  const { error, record, uid, working } = failure;
  if (isSluiceError(error)) return error;
  const thrown = readThrown(error);
  const what = thrown.isError ? `${thrown.name}: ${thrown.message}` : thrown.message;
  const where =
    record?.offset === undefined
      ? working === undefined
        ? ''
        : ` at ${working}`
      : ` at partition ${record.partition}, offset ${record.offset}`;
  return new SluiceError(
    'operator-failed',
    `${uid} failed${where}: ${what}`,
    { uid, record: record?.value },
    { cause: error },
  );
}

/** A pull outside a notebook runs its part of the graph for itself. */
function pullAlone(from: Endpoint, label: string, fragment: Fragment): AsyncIterableIterator<unknown> {
  if (!('node' in from)) throw new SluiceError('foreign-stream', `"${label}" belongs to another evaluation.`);
  const id = 'pull';
  const running: { stop?: () => void } = {};
  const pull = new PullOperator(() => running.stop?.());
  const leaf: PlanNode = {
    id,
    uid: id,
    kind: 'pull',
    name: `pull ${label}`,
    group: '',
    parameters: { leaf: id },
    own: 'pull',
    shape: '',
  };
  const plan = planOf(fragment, [id], {
    nodes: [leaf],
    edges: [{ from: from.node, port: from.port, to: id, input: 0, exchange: 'forward' }],
  });
  Object.assign(
    running,
    startRuntime(plan, fragment, {
      host: (node) => (node.id === id ? pull : undefined),
      onDone: () => {},
      onError: (error) => pull.fail(error),
    }),
  );
  return pull;
}
