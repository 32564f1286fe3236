// A sink that was removed before its last commit is in every snapshot until then, and the next life
// makes it again.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import type { Batch, Operator, OperatorContext, StateReader, StateWriter } from '../../contract/operator.ts';
import type { Plan, PlanNode } from '../../graph/plan.ts';
import type { Snapshot } from '../../runtime/barriers.ts';
import { Numbers, planOf, runtimeOf, Sink } from './graph-kit.ts';

type Pending = readonly [checkpoint: number, rows: number];
/** Commits the number of rows of each checkpoint to an outside list. */
class Counting implements Operator {
  readonly #committed: string[];
  #open = 0;
  #pending: Pending[] = [];
  #context!: OperatorContext;
  constructor(committed: string[]) {
    this.#committed = committed;
  }
  open(context: OperatorContext): void {
    this.#context = context;
  }
  process(_input: 0 | 1, batch: Batch): number {
    this.#open += batch.length;
    return batch.length;
  }
  preCommit(checkpoint: number): boolean {
    if (this.#open > 0) this.#pending.push([checkpoint, this.#open]);
    this.#open = 0;
    return true;
  }
  get hasUncommitted(): boolean {
    return this.#open > 0 || this.#pending.length > 0;
  }
  snapshot(writer: StateWriter): void {
    writer.list(this.#pending);
  }
  restore(reader: StateReader): void {
    this.#pending = [...((reader.list() ?? []) as Pending[])];
  }
  complete(id: number): void {
    for (const [checkpoint, rows] of this.#pending)
      if (checkpoint <= id) this.#committed.push(`${checkpoint}: ${rows}`);
    this.#pending = this.#pending.filter(([checkpoint]) => checkpoint > id);
    this.#context.wake();
  }
}

const path = { path: '/', format: 'csv' } as const;
/** The runtime lets a sink take what is on its way before it goes. */
function withSink(plan: Plan): Plan {
  const asSink = (node: PlanNode): PlanNode =>
    node.id.startsWith('count') ? Object.assign({}, node, { kind: 'fileSink', parameters: path }) : node;
  return { ...plan, nodes: plan.nodes.map(asSink) };
}
function life(committed: string[]) {
  const numbers = new Numbers();
  const kit = runtimeOf({ numbers, sink: () => new Sink(), count: () => new Counting(committed) });
  const taken: Snapshot[] = [];
  return { ...kit, numbers, taken, keep: (snapshot: Snapshot) => void taken.push(snapshot) };
}
const names = ({ retired }: Snapshot): string[] => retired.map(({ instance }) => instance);

test('a removed sink is in each snapshot until its last commit', () => {
  const committed: string[] = [];
  const { runtime, settle, numbers, taken, keep } = life(committed);
  runtime.mutate(withSink(planOf('numbers>count, numbers>sink')), {});
  numbers.give(4);
  settle();
  runtime.mutate(planOf('numbers>sink'), { snapshot: 'changes', checkpoint: 1 }, undefined, keep);
  settle();
  runtime.snapshot(keep);
  settle();
  assert.deepEqual(taken.map(names), [['count#1'], ['count#1']]);
  runtime.complete(1);
  settle();
  runtime.snapshot(keep, 'changes', { checkpoint: 2 });
  settle();
  assert.deepEqual([committed, names(taken[2]!)], [['1: 4'], []]);
});

test('the next life makes it again, and it commits what the restored checkpoint has', () => {
  const committed: string[] = [];
  const first = life(committed);
  first.runtime.mutate(withSink(planOf('numbers>count, numbers>sink')), {});
  first.numbers.give(4);
  first.settle();
  first.runtime.mutate(planOf('numbers>sink'), { snapshot: 'changes', checkpoint: 1 }, undefined, first.keep);
  first.settle();
  const [{ tasks, retired }] = first.taken as [Snapshot];
  const second = life(committed);
  // Another sink has its id by now.
  second.runtime.mutate(
    withSink(planOf('numbers>count, numbers>sink')),
    { restore: tasks, retired, completed: 1, snapshot: 'changes', checkpoint: 2 },
    undefined,
    second.keep,
  );
  assert.deepEqual(committed, ['1: 4']);
  second.settle();
  assert.deepEqual([second.runtime.retired, second.taken.map(names)], [[], [[]]]);
});

test('a checkpoint before the removal has the sink as it was, without what came behind it', () => {
  const committed: string[] = [];
  const { runtime, settle, numbers, made, taken, keep } = life(committed);
  runtime.mutate(withSink(planOf('numbers>count, numbers>sink')), {});
  numbers.give(4);
  settle();
  // The first snapshot waits for a slow reader, and the sink is removed meanwhile.
  const [slow] = made.get('sink') as [Sink];
  slow.blocked = true;
  numbers.give(3);
  settle();
  runtime.snapshot(keep, 'changes', { checkpoint: 1 });
  numbers.give(2);
  settle();
  runtime.mutate(planOf('numbers>sink'), { snapshot: 'changes', checkpoint: 2 }, undefined, keep);
  settle();
  assert.deepEqual(taken, []);
  slow.unblock();
  settle();
  const committedOf = ({ retired }: Snapshot): string[] => {
    const restored: string[] = [];
    life(restored).runtime.mutate(planOf('numbers>sink'), { retired, completed: 9 });
    return restored;
  };
  assert.deepEqual(taken.map(committedOf), [['1: 7'], ['1: 7', '2: 2']]);
});

test('a removed sink whose target takes no rows leaves what it had finished to one that commits it', () => {
  const committed: string[] = [];
  const numbers = new Numbers();
  let isAway = false;
  class Away extends Counting {
    flush(): boolean {
      return !isAway;
    }
  }
  const taken: Snapshot[] = [];
  const keep = (snapshot: Snapshot): void => void taken.push(snapshot);
  const failures: string[] = [];
  const { runtime, settle } = runtimeOf(
    { numbers, sink: () => new Sink(), count: () => new Away(committed) },
    { onFailure: ({ error }) => failures.push((error as Error).message) },
  );
  runtime.mutate(withSink(planOf('numbers>count, numbers>sink')), {});
  numbers.give(4);
  settle();
  runtime.snapshot(keep, 'changes', { checkpoint: 1 });
  settle();
  isAway = true;
  numbers.give(2);
  settle();
  const groups = new Set(['numbers', 'sink']);
  runtime.mutate(planOf('numbers>sink'), { snapshot: 'changes', checkpoint: 2, groups }, undefined, keep);
  settle();
  for (let looks = 0; looks < 3; looks++) runtime.cutLeaving();
  settle();
  assert.match(failures.join(), /was removed while its target did not take rows/);
  assert.deepEqual(names(taken[1]!), ['count#2']);
  isAway = false;
  runtime.complete(1);
  settle();
  assert.deepEqual(committed, ['1: 4']);
});
