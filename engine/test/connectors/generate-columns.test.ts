// generate() writes records into the columns of its task's output. Tests the sent batches, their
// order, and the output after an error.
import assert from 'node:assert/strict';
import { test, vi } from 'vitest';
import { createSource } from '../../connectors/registry.ts';
import { SourceStarts } from '../../connectors/source-starts.ts';
import { FunctionTable, type PlanNode } from '../../graph/plan.ts';
import type { Json } from '../../graph/spec.ts';
import { Channel, isMark } from '../../runtime/channel.ts';
import { Collector } from '../../runtime/collector.ts';
import { ManualClock } from '../../contract/clock.ts';
import { functionRef } from './polled-source.ts';

// The time budget of a call must not run out because the machine is busy.
vi.spyOn(performance, 'now').mockReturnValue(0);

function opened(parameters: Readonly<Record<string, Json | undefined>>, next: (given: { n: number }) => unknown) {
  const functions = new FunctionTable();
  functions.set(functionRef('next').fn, next);
  functions.set(functionRef('timestamp').fn, (element: { at: unknown }) => element.at);
  const node: PlanNode = {
    id: 'source',
    uid: 'source',
    kind: 'generate',
    name: 'orders',
    group: '',
    parameters: { seed: 0, next: functionRef('next'), ...parameters },
    own: '',
    shape: '',
  };
  const source = createSource(node, functions, { starts: new SourceStarts() });
  const output = new Collector();
  const channel = new Channel();
  channel.capacity = 1000;
  output.connect(new Map([['out', [channel]]]));
  const clock = new ManualClock();
  source.open({
    id: 'source',
    uid: 'source',
    name: 'orders',
    freeze: false,
    clock,
    output,
    wake: () => {},
    wakeAt: () => {},
    fail: (error) => assert.fail(String(error)),
    countLate: () => {},
    failPartitions: () => {},
  });
  /**
   * One call, as a task makes it, and its output: marks by their kind, records by value and offset.
   */
  const poll = (): unknown[] => {
    output.begin(performance.now());
    try {
      source.poll();
    } finally {
      output.flush();
    }
    return sent();
  };
  const sent = (): unknown[] => {
    const items: unknown[] = [];
    for (let item = channel.shift(); item; item = channel.shift())
      if (isMark(item)) items.push(item.kind);
      else
        for (let i = 0; i < item.length; i++)
          items.push([item.values[i], item.timestamps[i], item.partitions![i], item.offsets![i]]);
    return items;
  };
  return { source, clock, poll, sent };
}

test('a source that was idle becomes active before its next record', () => {
  const { clock, poll } = opened(
    { rate: 0.01, watermark: { outOfOrdernessMillis: 0, idlenessMillis: 10_000 } },
    ({ n }) => n,
  );
  assert.deepEqual(poll(), [[0, 0, 0, 0]]);
  clock.advanceTo(30_000);
  assert.deepEqual(poll(), ['watermark']);
  clock.advanceTo(60_000);
  assert.deepEqual(poll(), ['idle']);
  clock.advanceTo(100_000);
  assert.deepEqual(poll().slice(0, 2), ['active', [1, 100_000, 0, 1]]);
});

test('records before one without a time, and after it, are sent with their own numbers', () => {
  const { source, poll } = opened({ limit: 5, timestamp: functionRef('timestamp') }, ({ n }) => ({
    at: n === 2 ? 'soon' : n * 10,
  }));
  const rows: unknown[] = [];
  while (source.position() !== 'n=5') rows.push(...poll().filter((item) => typeof item !== 'string'));
  assert.deepEqual(
    rows,
    [0, 1, 3, 4].map((n) => [{ at: n * 10 }, n * 10, 0, n]),
  );
  assert.equal(source.status().errors, 1);
});

test('what was made before the function threw is sent, and the position is that of the record it threw at', () => {
  const { source, poll, sent } = opened({ limit: 10 }, ({ n }) => {
    if (n === 6) throw new Error('six');
    return n;
  });
  const rows: unknown[] = [];
  assert.throws(() => {
    for (;;) rows.push(...poll());
  }, /six/);
  rows.push(...sent());
  assert.deepEqual(
    rows.map((row) => (row as unknown[])[0]),
    [0, 1, 2, 3, 4, 5],
  );
  assert.equal(source.position(), 'n=6');
  assert.deepEqual(source.progress?.(), { n: 6 });
});
