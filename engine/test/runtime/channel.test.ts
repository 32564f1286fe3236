// Channels: the credit of a sender. A full channel does not split batches into tiny ones.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import { Channel } from '../../runtime/channel.ts';
import { batchOf } from '../operators/drive.ts';

const batch = (length: number) => batchOf(Array.from({ length }, (_, i) => [i, i]));

test('there is room again when a quarter of a channel is free', () => {
  const channel = new Channel();
  channel.capacity = 100;
  assert.equal(channel.room, 100);
  channel.pushBatch(batch(70));
  assert.equal(channel.room, 30);
  channel.pushBatch(batch(30));
  channel.consumed(24);
  assert.equal(channel.room, 0);
  channel.consumed(1);
  assert.equal(channel.room, 25);
});
test('a channel for one record has room when it is empty', () => {
  const channel = new Channel();
  channel.capacity = 1;
  assert.equal(channel.room, 1);
  channel.pushBatch(batch(1));
  assert.equal(channel.room, 0);
  channel.consumed(1);
  assert.equal(channel.room, 1);
});
