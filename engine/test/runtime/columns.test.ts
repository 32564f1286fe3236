// Columns of batches are reused when all readers have released them, and not before.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import type { Batch } from '../../contract/operator.ts';
import { Channel } from '../../runtime/channel.ts';
import { Collector } from '../../runtime/collector.ts';

function portTo(...channels: Channel[]): { readonly send: (...values: number[]) => void } {
  const collector = new Collector();
  collector.connect(new Map([['out', channels]]));
  return {
    send: (...values) => {
      collector.begin(performance.now() + 1e6);
      for (const value of values) collector.emitAt(value, value * 10, 1, value + 100);
      collector.flush();
    },
  };
}
function rowsOf({ length, values, timestamps, partitions, offsets }: Batch): unknown[] {
  return Array.from({ length }, (_, i) => [values[i], timestamps[i], partitions?.[i], offsets?.[i]]);
}

test('a batch keeps its columns until its last reader is through with it', () => {
  const [left, right] = [new Channel(), new Channel()];
  const { send } = portTo(left, right);
  send(1, 2, 3);
  const first = left.shift() as Batch;
  assert.equal(right.shift(), first);
  first.release!();
  send(4, 5, 6);
  assert.deepEqual(rowsOf(first), [
    [1, 10, 1, 101],
    [2, 20, 1, 102],
    [3, 30, 1, 103],
  ]);
  first.release!();
  send(7, 8);
  send(9);
  const later = [left.shift(), left.shift(), left.shift()] as Batch[];
  assert.equal(later[1]!.timestamps, first.timestamps, 'used again');
  assert.deepEqual(
    later.map((batch) => rowsOf(batch).map((row) => (row as number[])[1])),
    [[40, 50, 60], [70, 80], [90]],
  );
});

test('a reader that has gone is not waited for', () => {
  const [left, right] = [new Channel(), new Channel()];
  const { send } = portTo(left, right);
  right.close();
  send(1);
  const first = left.shift() as Batch;
  first.release!();
  send(2);
  assert.equal((left.shift() as Batch).timestamps, first.timestamps);
});

test('columns grow within a call, and what was in them stays', () => {
  const channel = new Channel();
  channel.capacity = 1000;
  const { send } = portTo(channel);
  const values = Array.from({ length: 700 }, (_, i) => i);
  send(1);
  send(...values);
  assert.equal((channel.shift() as Batch).length, 1);
  assert.deepEqual(
    rowsOf(channel.shift() as Batch),
    values.map((value) => [value, value * 10, 1, value + 100]),
  );
});
