// What a loop logs for snapshots, also for those that are given up on the way.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import { Loop } from '../../operators/loop.ts';

const values = (log: readonly { readonly value: unknown }[]): unknown[] => log.map(({ value }) => value);

test('a snapshot has what waits at the head, and what returns before the barrier is at the tail', () => {
  const loop = new Loop();
  loop.giveBack('waits', 0);
  assert.deepEqual(values(loop.beginLog()), ['waits']);
  loop.giveBack('returns', 0);
  assert.deepEqual(values(loop.endLog()), ['returns']);
  loop.giveBack('later', 0);
  loop.beginLog();
  assert.deepEqual(values(loop.endLog()), []);
});

test('a snapshot that is given up between head and tail leaves nothing in the next one', () => {
  const loop = new Loop();
  loop.beginLog();
  loop.giveBack('returns', 0);
  loop.endLog();
  while (loop.next());
  loop.beginLog();
  loop.giveBack('of the next', 0);
  assert.deepEqual(values(loop.endLog()), ['of the next']);
});

test('a snapshot that is given up before the head takes no log of another one', () => {
  const loop = new Loop();
  loop.beginNoLog();
  loop.beginLog();
  loop.giveBack('of the second', 0);
  assert.deepEqual(values(loop.endLog()), []);
  assert.deepEqual(values(loop.endLog()), ['of the second']);
});
