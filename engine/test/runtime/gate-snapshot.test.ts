// The time that an input gate has heard of is part of a snapshot: after a restore time does not
// jump, whatever the upstreams say again and in whatever order.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import type { Snapshot } from '../../runtime/barriers.ts';
import { matchSlots, type SlotState } from '../../runtime/gate-state.ts';
import type { TaskSnapshot } from '../../runtime/snapshot.ts';
import { Numbers, Pass, planOf, runtimeOf, Sink } from './graph-kit.ts';

type Told = number | 'idle' | 'active';
/** Keeps all that it is told of time. */
class TimeLog extends Pass {
  readonly told: Told[] = [];
  advance(watermark: number): boolean {
    this.told.push(watermark);
    return true;
  }
  idle(_input: 0 | 1, isIdle: boolean): void {
    this.told.push(isIdle ? 'idle' : 'active');
  }
  news(): Told[] {
    return this.told.splice(0);
  }
}

function life(edges: string, restore?: ReadonlyMap<string, TaskSnapshot>) {
  const log = new TimeLog();
  const sources = { a: new Numbers(), b: new Numbers(), c: new Numbers() };
  const { runtime, settle } = runtimeOf({ ...sources, log, sink: new Sink() });
  runtime.mutate(planOf(edges), { ...(restore && { restore }) });
  settle();
  const snapshot = (): ReadonlyMap<string, TaskSnapshot> => {
    let taken: Snapshot | undefined;
    runtime.snapshot((one) => (taken = one), 'full');
    settle();
    assert.ok(taken);
    return structuredClone(taken.tasks);
  };
  /** Each source says what is given for it. */
  const say = (times: Readonly<Partial<Record<'a' | 'b' | 'c', number | 'idle'>>>): Told[] => {
    for (const [id, time] of Object.entries(times) as [keyof typeof sources, number | 'idle'][])
      if (time === 'idle') sources[id].idle();
      else sources[id].watermark(time);
    settle();
    return log.news();
  };
  return { log, say, snapshot, runtime, settle };
}

const shapes = {
  'two inputs': 'a>log, b>log.1, log>sink',
  'two channels of one input': 'a>log, b>log, log>sink',
};

for (const [shape, edges] of Object.entries(shapes)) {
  test(`${shape}, one behind the other: after a restore the later one holds time back`, () => {
    const first = life(edges);
    assert.deepEqual(first.say({ a: 100, b: 50 }), [50]);
    const next = life(edges, first.snapshot());
    assert.deepEqual(next.log.news(), [50], 'the new operator is told the time');
    assert.deepEqual(next.say({ a: 300 }), []);
    assert.deepEqual(next.say({ b: 200 }), [200]);
  });

  test(`${shape}, one of them idle: after a restore the other one alone moves time`, () => {
    const first = life(edges);
    first.say({ a: 100, b: 50 });
    assert.deepEqual(first.say({ b: 'idle' }), [100]);
    const next = life(edges, first.snapshot());
    assert.deepEqual(next.log.news(), [100]);
    assert.deepEqual(next.say({ a: 120 }), [120], 'before the idle one has said anything');
    assert.deepEqual(next.say({ b: 'idle' }), []);
  });
}

test('both inputs idle: after a restore time does not jump to the faster one', () => {
  const edges = shapes['two inputs'];
  const first = life(edges);
  assert.deepEqual(first.say({ a: 100, b: 50 }), [50]);
  assert.deepEqual([first.say({ a: 'idle' }), first.say({ b: 'idle' })], [[], ['idle']]);
  const next = life(edges, first.snapshot());
  assert.deepEqual(next.log.news(), [50, 'idle']);
  assert.deepEqual(next.say({ a: 100, b: 50 }), [], 'the sources say again where they stood');
  assert.deepEqual(next.say({ b: 'idle' }), [], 'in any order');
  assert.deepEqual(next.say({ a: 'idle' }), []);
});

test('the inputs of a union in another order keep their own times', () => {
  const first = life('a>log, b>log, log>sink');
  first.say({ a: 100, b: 50 });
  const next = life('b>log, a>log, log>sink', first.snapshot());
  assert.deepEqual(next.log.news(), [50]);
  assert.deepEqual(next.say({ b: 80 }), [80], 'b was the one behind');
  assert.deepEqual(next.say({ b: 500 }), [100], 'a stands where it stood');
});

test('an input with another upstream keeps its time, and counts as active', () => {
  const first = life('a>log, b>log.1, log>sink');
  first.say({ a: 100, b: 50 });
  first.say({ b: 'idle' });
  const next = life('a>log, c>log.1, log>sink', first.snapshot());
  assert.deepEqual(next.log.news(), [100]);
  assert.deepEqual(next.say({ a: 200 }), [], 'c holds time back: it is not idle');
  assert.deepEqual(next.say({ c: 150 }), [150]);
});

test('a successor continues with the watermarks of its predecessor', () => {
  const edges = 'a>log, b>log, log>sink';
  const { runtime, settle, say, log } = life(edges);
  say({ a: 100, b: 50 });
  assert.deepEqual(say({ b: 'idle' }), [100]);
  const [before] = [runtime.tasks.get('log')];
  runtime.mutate(planOf(edges, { log: 'another text' }), { handover: { log: 'log' } });
  settle();
  assert.notEqual(runtime.tasks.get('log'), before, 'it is another task');
  assert.deepEqual(log.news(), [100], 'it is told the time');
  assert.deepEqual(say({ a: 120 }), [120], 'and that b is idle');
});

test('slots are matched by their upstream first, then by their place', () => {
  const saved = ['x', 'y', 'z'].map((upstream, at): SlotState => ({
    ...{ input: 0, upstream, ended: false },
    time: { watermark: at, isActive: true, isAligned: true },
  }));
  const matched = (...upstreams: (string | undefined)[]) =>
    matchSlots(
      upstreams.map((upstream) => ({ input: 0, upstream })),
      saved,
    ).map((state) => state?.upstream);
  assert.deepEqual(matched('x', 'y', 'z'), ['x', 'y', 'z']);
  assert.deepEqual(matched('z', 'x'), ['z', 'x']);
  assert.deepEqual(matched('new', 'y', undefined), ['x', 'y', 'z'], 'replaced or gone: the state at its place');
  assert.deepEqual(matched('y', 'new'), ['y', undefined], 'the state at its place belongs to another slot');
  assert.deepEqual(matched('x', 'x'), ['x', 'y']);
  assert.deepEqual(matched('x', 'y', 'z', 'w'), ['x', 'y', 'z', undefined]);
});
