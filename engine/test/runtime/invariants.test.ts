// Invariants, broken on purpose. The error names a defect of Sluice, and it ends one operator,
// never the runtime.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import type { Batch, Operator } from '../../contract/operator.ts';
import { invariant, isBrokenInvariant } from '../../errors/invariant.ts';
import { chainsOf } from '../../graph/chains.ts';
import { BarrierInFlight } from '../../runtime/barriers.ts';
import { type Barrier, Channel } from '../../runtime/channel.ts';
import { RetiredTasks } from '../../runtime/retired-tasks.ts';
import { UnreportedParts } from '../../runtime/unreported-parts.ts';
import { Collector } from '../../runtime/collector.ts';
import { InputGate } from '../../runtime/input-gate.ts';
import { planMutation } from '../../runtime/mutation-plan.ts';
import { Wiring } from '../../runtime/wiring.ts';
import { Numbers, Pass, planOf, runtimeOf, Sink, Sum } from './graph-kit.ts';

const barrier = (epoch: number): Barrier => ({ kind: 'barrier', epoch, snapshot: false, commitsWith: 1 });
const batchOf = (...values: number[]): Batch => ({
  length: values.length,
  values,
  timestamps: Float64Array.from(values),
});
function breaks(run: () => void, sentence: RegExp): void {
  assert.throws(run, (error) => isBrokenInvariant(error) && sentence.test(error.message));
}

test('the error of a broken invariant has a code, names the invariant, and asks for a report', () => {
  invariant(true, 'this holds');
  assert.throws(() => invariant(false, 'two is three'), {
    name: 'SluiceError',
    code: 'invariant',
    message:
      'This does not hold: two is three. It is a defect of Sluice, please report it with the stack of this error.',
  });
  assert.equal(isBrokenInvariant(new Error('two is three')), false);
});

test('a channel takes back no more credit than it gave', () => {
  const channel = new Channel();
  channel.pushBatch(batchOf(1, 2));
  channel.consumed(2);
  breaks(() => channel.consumed(1), /gives back the credit/);
  channel.close();
  // A closed channel has no credit to give back.
  channel.consumed(1);
  assert.equal(channel.records, 0);
});

test('a gate passes no barrier twice, and none before an earlier one', () => {
  const gate = new InputGate([0], 4);
  gate.passed(5);
  breaks(() => gate.passed(5), /in the order of their epochs/);
  breaks(() => gate.passed(3), /in the order of their epochs/);
  assert.equal(gate.epoch, 5);
});

test('a gate aligns barriers of one epoch', () => {
  const gate = new InputGate([0, 0], 0);
  const channels = [new Channel(), new Channel()];
  gate.connect(channels);
  channels[0]!.pushMark(barrier(1));
  channels[1]!.pushMark(barrier(2));
  while (gate.ready && !gate.slots[0]!.aligned) gate.next();
  breaks(() => gate.next(), /have one epoch/);
});

test('a reader releases a batch once', () => {
  const output = new Collector();
  const channel = new Channel();
  output.connect(new Map([['out', [channel]]]));
  output.begin(performance.now());
  output.emit(1, 1);
  output.flush();
  const batch = channel.shift() as Batch;
  batch.release!();
  breaks(() => batch.release!(), /releases a batch once/);
});

test('a channel that is kept was there before', () => {
  const planned = planMutation({ tasks: new Map(), channels: [], attached: [] }, { chains: chainsOf(planOf('a>b')) });
  const channels = planned.channels.map((channel) => ({ ...channel, isKept: true }));
  breaks(() => new Wiring().make(channels, new Map(), () => {}), /kept was there before/);
});

test('a task passes each barrier once', () => {
  const { runtime } = runtimeOf({ numbers: new Numbers() });
  runtime.mutate(planOf('numbers>numbers2'), {});
  const task = runtime.tasks.get('numbers')!;
  const flight = new BarrierInFlight(barrier(1), { snapshot: false }, new Set([task]), new Set(), {
    unreported: new UnreportedParts(),
    retired: new RetiredTasks(),
    now: 0,
  });
  flight.passed(task);
  breaks(() => flight.passed(task), /passes each barrier once/);
});

/** Claims to have taken records that it was not given. */
class Liar implements Operator {
  process(_input: 0 | 1, batch: Batch): number {
    return batch.length + 1;
  }
}

test('an invariant broken by a call ends that operator; the others go on and barriers pass', () => {
  const numbers = new Numbers();
  const sink = new Sink();
  const failures: unknown[] = [];
  const { runtime, settle } = runtimeOf(
    { numbers, liar: new Liar(), pass: new Pass(), sink },
    { onFailure: ({ node, error }) => failures.push([node, isBrokenInvariant(error)]) },
  );
  runtime.mutate(planOf('numbers>liar, numbers>pass, pass>sink'), {});
  settle();
  numbers.give(3);
  settle();
  let taken = 0;
  runtime.snapshot(() => taken++);
  settle();
  assert.deepEqual([failures, sink.rows, taken], [[['liar', true]], [0, 1, 2], 1]);
  assert.deepEqual([runtime.tasks.get('liar')!.status, runtime.barriersInFlight], ['failed', 0]);
});

test('an invariant broken at a barrier ends that operator; the barrier goes on without it', () => {
  const numbers = new Numbers();
  const broken = new Sum();
  broken.snapshot = () => invariant(false, 'a sum is a number');
  const sink = new Sink();
  const failures: string[] = [];
  const { runtime, settle } = runtimeOf(
    { numbers, sum: broken, sink },
    { onFailure: ({ node }) => failures.push(node) },
  );
  runtime.mutate(planOf('numbers>sum, sum>sink'), {});
  settle();
  const taken: string[][] = [];
  runtime.snapshot(({ tasks }) => taken.push([...tasks.keys()].toSorted()));
  settle();
  assert.deepEqual([failures, taken, runtime.barriersInFlight], [['sum'], [['numbers', 'sink']], 0]);
  // The graph still changes, and the failed task forwards the barriers.
  let isMutated = false;
  runtime.mutate(planOf('numbers>sum, sum>sink, numbers>sink2'), {}, () => (isMutated = true));
  settle();
  assert.equal(isMutated, true);
});
