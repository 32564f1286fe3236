// Changes of the graph at a barrier. All untouched tasks stay the same objects, and no record is
// lost or doubled. No timer fires because of an edit.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import type { OperatorContext } from '../../contract/operator.ts';
import { Numbers, Pass, planOf, runtimeOf, Sink, Sum } from './graph-kit.ts';

test('a task whose operators did not change is the same object after a mutation', () => {
  const { runtime, settle } = runtimeOf({ numbers: new Numbers(), sum: () => new Sum(), sink: () => new Sink() });
  runtime.mutate(planOf('numbers>sum, sum>sink'), {});
  settle();
  const before = new Map(runtime.tasks);
  runtime.mutate(planOf('numbers>sum, sum>sink, sum>sink2, numbers>sum2, sum2>sink3'), {});
  settle();
  for (const id of ['numbers', 'sum', 'sink']) assert.equal(runtime.tasks.get(id), before.get(id));
  assert.equal(runtime.tasks.size, 6);
});

test('a reader that is attached later gets what comes from now on, once', () => {
  const numbers = new Numbers();
  const first = new Sink();
  const second = new Sink();
  const { runtime, settle } = runtimeOf({ numbers, sink: first, sink2: second });
  runtime.mutate(planOf('numbers>sink'), {});
  settle();
  numbers.give(3);
  settle();
  runtime.mutate(planOf('numbers>sink, numbers>sink2'), {});
  settle();
  numbers.give(2);
  settle();
  assert.deepEqual(
    [first.rows, second.rows],
    [
      [0, 1, 2, 3, 4],
      [3, 4],
    ],
  );
  assert.equal(numbers.opened, 1);
});

test('a new reader gets the watermark before its first record', () => {
  const numbers = new Numbers();
  const late = new Sink();
  const { runtime, settle } = runtimeOf({ numbers, sink: new Sink(), sink2: late });
  runtime.mutate(planOf('numbers>sink'), {});
  settle();
  numbers.watermark(41);
  settle();
  runtime.mutate(planOf('numbers>sink, numbers>sink2'), {});
  settle();
  assert.deepEqual(late.watermarks, [41]);
});

test('an operator that is replaced hands its state over, and what was in flight is counted once', () => {
  const numbers = new Numbers();
  const sink = new Sink();
  const { runtime, settle, made } = runtimeOf({ numbers, sum: () => new Sum(), sink });
  runtime.mutate(planOf('numbers>sum, sum>sink'), {});
  settle();
  numbers.give(4);
  // Records are still in the channels when the change is asked for.
  runtime.round();
  const results: number[] = [];
  runtime.mutate(planOf('numbers>sum9, sum9>sink'), { handover: { sum9: 'sum' } }, (result) =>
    results.push(result.epoch),
  );
  numbers.give(2);
  settle();
  assert.deepEqual(sink.rows, [0, 1, 3, 6, 10, 15]);
  assert.equal((made.get('sum')![0] as Sum).closed, true);
  assert.deepEqual(results, [runtime.epoch]);
});

test('a dependant keeps its state when the operator above it is replaced', () => {
  const numbers = new Numbers();
  const sink = new Sink();
  const doubled = new Pass();
  doubled.f = (value) => 10 * (value as number);
  const { runtime, settle } = runtimeOf({ numbers, pass: new Pass(), pass2: doubled, sum: () => new Sum(), sink });
  runtime.mutate(planOf('numbers>pass, pass>sum, sum>sink'), {});
  settle();
  numbers.give(3);
  settle();
  const sum = runtime.tasks.get('sum');
  runtime.mutate(planOf('numbers>pass2, pass2>sum, sum>sink'), {});
  settle();
  numbers.give(1);
  settle();
  assert.equal(runtime.tasks.get('sum'), sum);
  assert.deepEqual(sink.rows, [0, 1, 3, 33]);
});

test('when its input is taken away an operator waits; its time stands still, and it goes on when the input is back', () => {
  const numbers = new Numbers();
  const sink = new Sink();
  const { runtime, settle } = runtimeOf({ numbers: () => numbers, sum: () => new Sum(), sink });
  runtime.mutate(planOf('numbers>sum, sum>sink'), {});
  settle();
  numbers.give(2);
  numbers.watermark(1);
  settle();
  const loose = planOf('numbers>sum, sum>sink');
  runtime.mutate(
    {
      ...loose,
      nodes: loose.nodes.filter((node) => node.id !== 'numbers'),
      edges: loose.edges.map((edge) => (edge.from === 'numbers' ? { ...edge, from: '' } : edge)),
    },
    {},
  );
  settle();
  assert.deepEqual(sink.watermarks, [1]);
  const back = new Numbers();
  back.next = back.until = 5;
  runtime.mutate(planOf('numbers>sum, sum>sink'), {});
  settle();
  assert.deepEqual(sink.watermarks, [1]);
  numbers.next = numbers.until = 10;
  numbers.give(1);
  settle();
  assert.deepEqual(sink.rows, [0, 1, 11]);
});

test('a mutation is done although a branch that it does not touch stands still', () => {
  const numbers = new Numbers();
  const stuck = new Sink();
  stuck.blocked = true;
  let done = false;
  const { runtime, settle } = runtimeOf({ numbers, sink: stuck, sink2: () => new Sink() });
  runtime.mutate(planOf('numbers>sink'), {});
  settle();
  numbers.give(10_000);
  settle();
  runtime.mutate(planOf('numbers>sink, numbers>sink2'), {}, () => (done = true));
  settle();
  assert.equal(done, true);
  const later: number[] = [];
  runtime.mutate(planOf('numbers>sink'), {}, ({ epoch }) => later.push(epoch));
  settle();
  assert.equal(later.length, 1, 'a second mutation passes while the first barrier still waits in the stuck branch');
  stuck.unblock();
  settle();
  assert.equal(stuck.rows.length, 10_000);
  assert.equal(runtime.barriersInFlight, 0);
});

test('a removed branch whose operator never returns is removed at once', () => {
  const numbers = new Numbers();
  const stuck = new Sink();
  stuck.blocked = true;
  const other = new Sink();
  const { runtime, settle } = runtimeOf({ numbers, pass: () => new Pass(), sink: stuck, sink2: other });
  runtime.mutate(planOf('numbers>pass, pass>sink, numbers>sink2'), {});
  settle();
  numbers.give(10_000);
  settle();
  let done = false;
  runtime.mutate(planOf('numbers>sink2'), {}, () => (done = true));
  settle();
  assert.equal(done, true);
  assert.equal(other.rows.length, 10_000);
  assert.equal(runtime.barriersInFlight, 0);
});

test('an operator whose only reader is exchanged goes on for the new one', () => {
  const numbers = new Numbers();
  const second = new Sink();
  const { runtime, settle } = runtimeOf({ numbers, sum: () => new Sum(), sink: new Sink(), sink2: second });
  runtime.mutate(planOf('numbers>sum, sum>sink'), {});
  settle();
  numbers.give(3);
  settle();
  runtime.mutate(planOf('numbers>sum, sum>sink2'), {});
  numbers.give(2);
  settle();
  assert.deepEqual([second.rows, second.watermarks], [[6, 10], []]);
});

test('when the input that a barrier waited for is cut, the barrier passes', () => {
  const left = new Numbers();
  const right = new Numbers();
  const slow = new Pass();
  let done = false;
  let snapshotted = false;
  const { runtime, settle } = runtimeOf({
    numbers: left,
    numbers2: right,
    pass: slow,
    sum: () => new Sum(),
    sink: new Sink(),
  });
  runtime.mutate(planOf('numbers>sum, numbers2>pass, pass>sum, sum>sink'), {});
  settle();
  // The barrier has arrived on the left. On the right it is still in the channel.
  runtime.snapshot(() => (snapshotted = true));
  runtime.round();
  const cut = planOf('numbers>sum, sum>sink');
  const loose = { from: '', port: 'out', to: 'sum', input: 0 as const, exchange: 'forward' as const };
  const edges = cut.edges.flatMap((edge) => (edge.from === 'numbers' ? [edge, loose] : [edge]));
  runtime.mutate({ ...cut, edges }, {}, () => (done = true));
  left.give(3);
  settle();
  assert.deepEqual([done, snapshotted, runtime.barriersInFlight], [true, true, 0]);
});

test('an operator that fails while a barrier waits for its answers lets the barrier pass', () => {
  const numbers = new Numbers();
  let fail: (error: unknown) => void = () => {};
  const sending = {
    open: (context: { fail: (error: unknown) => void }) => void (fail = (error) => context.fail(error)),
    process: (_input: 0 | 1, batch: { length: number }) => batch.length,
    flush: () => false,
  };
  let complete = 0;
  const { runtime, settle } = runtimeOf({ numbers, sink: sending });
  runtime.mutate(planOf('numbers>sink'), {});
  settle();
  numbers.give(3);
  runtime.snapshot(() => complete++);
  settle();
  assert.equal(complete, 0);
  fail(new Error('the broker is gone'));
  settle();
  runtime.snapshot(() => complete++);
  settle();
  assert.deepEqual([complete, runtime.barriersInFlight], [2, 0]);
});

test('time goes on when the upstream that is replaced was idle', () => {
  const first = new Numbers();
  const second = new Numbers();
  const sink = new Sink();
  const { runtime, settle } = runtimeOf({ numbers: first, numbers2: second, sink });
  runtime.mutate(planOf('numbers>sink'), {});
  settle();
  first.watermark(10);
  first.idle();
  settle();
  runtime.mutate(planOf('numbers2>sink'), {});
  settle();
  second.give(1);
  second.watermark(50);
  settle();
  second.watermark(60);
  settle();
  assert.deepEqual(sink.watermarks, [10, 50, 60]);
});

test('restore(snapshot) gives every record once, wherever the snapshot was taken', () => {
  for (const before of [0, 1, 5, 100]) {
    const numbers = new Numbers();
    const sink = new Sink();
    const { runtime, settle } = runtimeOf({ numbers, sum: () => new Sum(), sink });
    runtime.mutate(planOf('numbers>sum, sum>sink'), {});
    settle();
    numbers.give(before);
    settle();
    let taken: Parameters<Parameters<typeof runtime.snapshot>[0]>[0] | undefined;
    runtime.snapshot((snapshot) => (taken = snapshot));
    settle();
    const rowsThen = sink.rows.length;
    numbers.give(3);
    settle();
    const again = new Numbers();
    const sinkAgain = new Sink();
    const second = runtimeOf({ numbers: again, sum: () => new Sum(), sink: sinkAgain });
    second.runtime.mutate(planOf('numbers>sum, sum>sink'), { restore: taken!.tasks });
    second.settle();
    again.give(3);
    second.settle();
    assert.deepEqual(sinkAgain.rows, sink.rows.slice(rowsThen));
  }
});

test('barriers of several inputs are aligned: a snapshot holds what came before on all of them', () => {
  const left = new Numbers();
  const right = new Numbers();
  const sink = new Sink();
  const { runtime, settle } = runtimeOf({ numbers: left, numbers2: right, sum: () => new Sum(), sink });
  runtime.mutate(planOf('numbers>sum, numbers2>sum, sum>sink'), {});
  settle();
  left.give(3);
  right.give(4);
  let state: unknown;
  runtime.snapshot((snapshot) => (state = snapshot.tasks.get('sum')));
  settle();
  assert.ok(state);
  assert.equal(sink.rows.at(-1), 0 + 1 + 2 + 0 + 1 + 2 + 3);
});

test('an operator that throws stops with the operators that read from it; all others continue, and barriers still pass', () => {
  const numbers = new Numbers();
  const bad = new Pass();
  bad.f = (value) => {
    if (value === 2) throw new Error('two');
    return value;
  };
  const failures: unknown[] = [];
  const sink = new Sink();
  const other = new Sink();
  const { runtime, settle } = runtimeOf(
    { numbers, pass: bad, sink, sink2: other },
    { onFailure: (failure) => failures.push([failure.node, failure.record?.value]) },
  );
  runtime.mutate(planOf('numbers>pass, pass>sink, numbers>sink2'), {});
  settle();
  numbers.give(100);
  settle();
  assert.deepEqual(failures, [['pass', 2]]);
  assert.deepEqual([sink.rows, other.rows.length], [[0, 1], 100]);
  let complete = false;
  runtime.snapshot(() => (complete = true));
  settle();
  assert.equal(complete, true);
});

test('an operator that loses its last reader at a mutation passes its barrier, although it closes its inputs before', () => {
  const numbers = new Numbers();
  const { runtime, settle } = runtimeOf({ numbers, sum: () => new Sum(), sink: () => new Sink() });
  runtime.mutate(planOf('numbers>sum, sum>sink'), {});
  settle();
  numbers.give(5);
  const mutated: number[] = [];
  runtime.mutate(planOf('numbers>sum, numbers>sink2'), {}, ({ epoch }) => mutated.push(epoch));
  settle();
  assert.deepEqual([mutated.length, runtime.barriersInFlight], [1, 0]);
});

test('an operator that wants no more input passes the barriers that were under way', () => {
  const numbers = new Numbers();
  const enough = new Pass();
  const { runtime, settle } = runtimeOf({ numbers, pass: enough, sink: () => new Sink() });
  let output: OperatorContext['output'];
  const open = enough.open.bind(enough);
  enough.open = (context) => {
    output = context.output;
    open(context);
  };
  enough.f = (value) => {
    output.finish();
    return value;
  };
  runtime.mutate(planOf('numbers>pass, pass>sink'), {});
  settle();
  numbers.give(1);
  runtime.round();
  let taken = 0;
  runtime.snapshot(() => taken++);
  runtime.snapshot(() => taken++);
  settle();
  assert.deepEqual([taken, runtime.barriersInFlight, runtime.tasks.get('pass')?.status], [2, 0, 'ended']);
});

test('records on their way through a replaced branch arrive, although an unrelated branch is removed with it', () => {
  const numbers = new Numbers();
  const sink = new Sink();
  const { runtime, settle } = runtimeOf({
    numbers,
    pass: () => new Pass(),
    sink,
    numbers9: () => new Numbers(),
    sink9: new Sink(),
  });
  runtime.mutate(planOf('numbers9>sink9, numbers>pass, pass>sink'), {});
  settle();
  numbers.give(4);
  // Only the source has had its turn.
  runtime.tasks.get('numbers')!.turn(performance.now());
  runtime.mutate(planOf('numbers2>sink'), {});
  settle();
  assert.deepEqual(sink.rows, [0, 1, 2, 3]);
});

test('a task whose inputs are all cut while it aligns a barrier passes that barrier once', () => {
  const [left, right] = [new Numbers(), new Numbers()];
  const { runtime, settle } = runtimeOf({ numbers: left, numbers2: right, sum: () => new Sum(), sink: new Sink() });
  runtime.mutate(planOf('numbers>sum, numbers2>sum, sum>sink'), {});
  settle();
  const sum = runtime.tasks.get('sum')!;
  const snapshots: number[] = [];
  runtime.snapshot(({ epoch }) => snapshots.push(epoch));
  // The barrier arrives on the left only.
  runtime.tasks.get('numbers')!.turn(performance.now());
  sum.turn(performance.now());
  const loose = { from: '', port: 'out', to: 'sum', input: 0 as const, exchange: 'forward' as const };
  runtime.mutate({ ...planOf('sum>sink'), edges: [loose, loose, ...planOf('sum>sink').edges] }, {});
  runtime.snapshot(({ epoch }) => snapshots.push(epoch));
  settle();
  assert.deepEqual([snapshots, sum.gate.epoch, sum.status, runtime.barriersInFlight], [[2, 4], 4, 'running', 0]);
});
