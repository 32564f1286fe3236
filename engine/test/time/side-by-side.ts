// Sources side by side on the real runtime, each with a reader, under a clock that moves only when
// told.
import assert from 'node:assert/strict';
import { Builder } from '../../api/builder.ts';
import { endpointOf } from '../../api/reference.ts';
import { makeSources, type Sources } from '../../api/sources.ts';
import type { PlanNode } from '../../graph/plan.ts';
import type { Batch, Operator, OperatorContext } from '../../contract/operator.ts';
import { planOf } from '../../runtime/environment.ts';
import { Runtime } from '../../runtime/runtime.ts';
import { ManualClock } from '../../contract/clock.ts';

export interface Came {
  readonly source: number;
  readonly time: number;
}
/**
 * A reader of one source that can stop reading. It notes the order of the records of all sources.
 */
class Reader implements Operator {
  blocked = false;
  readonly watermarks: number[] = [];
  readonly #source: number;
  readonly #came: Came[];
  #context: OperatorContext | undefined;
  constructor(source: number, came: Came[]) {
    this.#source = source;
    this.#came = came;
  }
  open(context: OperatorContext): void {
    this.#context = context;
  }
  advance(watermark: number): boolean {
    this.watermarks.push(watermark);
    return true;
  }
  process(_input: 0 | 1, batch: Batch, from: number): number {
    if (this.blocked) return from;
    for (let i = from; i < batch.length; i++) this.#came.push({ source: this.#source, time: batch.timestamps[i]! });
    return batch.length;
  }
  unblock(): void {
    this.blocked = false;
    this.#context?.wake();
  }
}

/** Runs the sources side by side, each with a reader. */
export function side(build: (sources: Sources) => readonly unknown[], mayFail = false) {
  const clock = new ManualClock(1_000_000);
  const builder = new Builder({ group: '' });
  const streams = build(makeSources(builder));
  const came: Came[] = [];
  const readers = streams.map((_, source) => new Reader(source, came));
  const leaves = streams.map((stream, source) => {
    const from = endpointOf(stream) as { readonly node: string; readonly port: string };
    const id = `reader${source}`;
    const node: PlanNode = {
      id,
      uid: id,
      kind: 'harnessOutput',
      name: id,
      group: '',
      parameters: {},
      own: id,
      shape: '',
    };
    return {
      node,
      edge: { from: from.node, port: from.port, to: id, input: 0 as const, exchange: 'forward' as const },
    };
  });
  const fragment = builder.fragment();
  const planWith = (some: typeof leaves) =>
    planOf(
      fragment,
      some.map(({ node }) => node.id),
      { nodes: some.map(({ node }) => node), edges: some.map(({ edge }) => edge) },
    );
  const failures: unknown[] = [];
  const runtime = new Runtime({
    functions: fragment.functions,
    clock,
    host: (node) => readers[leaves.findIndex((leaf) => leaf.node.id === node.id)],
    onFailure: ({ error }) => failures.push(error),
  });
  const settle = (): void => {
    for (let rounds = 0; runtime.round(); rounds++) assert.ok(rounds < 100_000, 'it never comes to rest');
    if (!mayFail) assert.deepEqual(failures, []);
  };
  runtime.mutate(planWith(leaves), {});
  settle();
  const taskOf = (source: number) => runtime.tasks.get(leaves[source]!.edge.from)!;
  return {
    came,
    readers,
    runtime,
    settle,
    /** Only these are read from now on. */
    keep(sources: readonly number[]): void {
      runtime.mutate(planWith(leaves.filter((_, source) => sources.includes(source))), {});
      settle();
    },
    /** Moves the clock on. Tasks that asked for a moment are woken at that moment. */
    advance(to: number): void {
      for (;;) {
        const next = runtime.nextTick;
        if (next > to) break;
        clock.advanceTo(Math.max(clock.now(), next));
        settle();
      }
      clock.advanceTo(to);
      settle();
    },
    clock,
    times: (source: number) => came.filter((one) => one.source === source).map(({ time }) => time),
    waiting: (source: number) => taskOf(source).operatorStatus()?.waiting,
    status: (source: number) => taskOf(source).status,
    close: () => runtime.close(),
  };
}
