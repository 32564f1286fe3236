// The fused loop and the plain form that it replaces give the same rows, counts and positions of
// errors.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { test } from 'vitest';
import type { Batch, Stage } from '../../contract/operator.ts';
import { Channel } from '../../runtime/channel.ts';
import { Collector } from '../../runtime/collector.ts';
import { fusedLoop, newCounters, plainLoop, stagedEmit } from '../../runtime/fuse.ts';

const stage = fc.oneof(
  fc.integer({ min: 1, max: 5 }).map((n): Stage => ({ kind: 'map', f: (x) => (x as number) * n + 1 })),
  fc.integer({ min: 2, max: 5 }).map((n): Stage => ({ kind: 'filter', f: (x) => (x as number) % n !== 0 })),
);
const batch = fc
  .record({ values: fc.array(fc.integer({ min: 0, max: 1000 }), { maxLength: 50 }), origin: fc.boolean() })
  .map(({ values, origin }): Batch => ({
    length: values.length,
    values,
    timestamps: Float64Array.from(values, (_, i) => i * 10),
    ...(origin && {
      partitions: Int32Array.from(values, (_, i) => i % 3),
      offsets: Float64Array.from(values, (_, i) => i + 100),
    }),
  }));

function collect(loop: ReturnType<typeof fusedLoop>, input: Batch, room: number) {
  const collector = new Collector();
  const channel = new Channel();
  channel.capacity = room;
  collector.connect(new Map([['out', [channel]]]));
  const counters = newCounters(5);
  const rows: unknown[] = [];
  let from = 0;
  for (let calls = 0; from < input.length; calls++) {
    assert.ok(calls < 500, 'the loop makes progress');
    collector.begin(performance.now() + 1e6);
    from = loop(input, from, collector, counters);
    collector.flush();
    for (let item = channel.shift(); item; item = channel.shift()) {
      const got = item as Batch;
      channel.consumed(got.length);
      for (let i = 0; i < got.length; i++)
        rows.push([got.values[i], got.timestamps[i], got.partitions?.[i], got.offsets?.[i]]);
    }
  }
  return { rows, reached: [...counters.reached] };
}

test('fused(stages) is plain(stages), however little room there is', () => {
  fc.assert(
    fc.property(
      fc.array(stage, { minLength: 1, maxLength: 5 }),
      batch,
      fc.integer({ min: 1, max: 60 }),
      (stages, input, room) => {
        assert.deepEqual(collect(fusedLoop(stages), input, room), collect(plainLoop(stages), input, room));
      },
    ),
  );
});

test('an error in either form names the record and the stage', () => {
  const stages: Stage[] = [
    { kind: 'map', f: (x) => x },
    {
      kind: 'filter',
      f: (x) => {
        if (x === 7) throw new Error('seven');
        return true;
      },
    },
  ];
  const input: Batch = { length: 3, values: [1, 7, 2], timestamps: new Float64Array(3) };
  for (const loop of [fusedLoop(stages), plainLoop(stages)]) {
    const counters = newCounters(2);
    const collector = new Collector();
    collector.begin(performance.now() + 1e6);
    assert.throws(() => loop(input, 0, collector, counters), /seven/);
    assert.deepEqual([counters.at, counters.stage], [1, 1]);
  }
});

test('what an operator emits runs through the stages behind it', () => {
  const collector = new Collector();
  const channel = new Channel();
  collector.connect(new Map([['out', [channel]]]));
  collector.begin(performance.now() + 1e6);
  const emit = stagedEmit(
    [
      { kind: 'filter', f: (x) => (x as number) > 1 },
      { kind: 'map', f: (x) => (x as number) * 10 },
    ],
    collector,
    newCounters(2),
  );
  for (const value of [1, 2, 3]) emit(value, value);
  collector.flush();
  assert.deepEqual((channel.shift() as Batch).values, [20, 30]);
});
