// What keeps a reader from reading: troubles by subject, with their begin, as a status shows them.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import { contact, describeTroubles, type Trouble, Troubles } from '../../connectors/kafka/troubles.ts';

const clock = (text: string): number =>
  new Date(2024, 4, 1, ...(text.split(':').map(Number) as [number, number, number])).getTime();
const trouble = (subject: string | undefined, reason: string, since: string, isRetried = true): Trouble => ({
  ...(subject !== undefined && { subject }),
  reason,
  since: clock(since),
  isRetried,
});

test('one subject hides no other, keeps its begin, and ends alone', () => {
  const told: (readonly Trouble[])[] = [];
  const troubles = new Troubles((present) => void told.push(present));
  troubles.fails(contact, 'Kafka cannot be reached.');
  troubles.fails('orders[1]', 'the partition has no leader');
  troubles.fails('orders[1]', 'the partition has no leader');
  troubles.waits('broker 2', 'broker 2 makes this client wait because of its quota');
  assert.equal(told.length, 3, 'what is known already is not told again');
  const [first, second, third] = told.at(-1)!;
  assert.deepEqual([first!.subject, first!.reason, first!.isRetried], [undefined, 'Kafka cannot be reached', true]);
  assert.equal(second!.subject, 'orders[1]');
  assert.equal(third!.isRetried, false);
  troubles.fails('orders[1]', 'the broker answers NOT_LEADER_OR_FOLLOWER');
  assert.equal(told.at(-1)!.find(({ subject }) => subject === 'orders[1]')!.since, second!.since);
  troubles.end(contact);
  troubles.end(contact);
  assert.equal(told.length, 5);
  assert.equal(told.at(-1)!.length, 2);
});

test('subjects with one reason are one sentence, and the earliest begin counts', () => {
  const now = clock('10:05:00');
  assert.equal(describeTroubles([], now), undefined);
  const refused = '10.0.0.2:9092 refused the connection';
  assert.equal(
    describeTroubles([trouble('orders[0]', refused, '10:04:20'), trouble('orders[2]', refused, '10:04:10')], now),
    `orders[0], orders[2] wait: ${refused} (since 10:04:10); trying again`,
  );
  const many = Array.from({ length: 9 }, (_, n) => trouble(`orders[${n}]`, refused, '10:04:10'));
  assert.match(describeTroubles(many, now)!, /^orders\[0\], orders\[1\], orders\[2\], orders\[3\] and 5 more wait: /);
  const reasons = Array.from({ length: 5 }, (_, n) => trouble(`orders[${n}]`, `reason ${n}`, '10:04:10'));
  assert.match(describeTroubles(reasons, now)!, /; 2 other troubles; trying again$/);
});

test('a wait for others is named after two seconds, and is not called a retry', () => {
  const waits = [
    trouble(undefined, 'orders[1] waits for an open transaction that begins at offset 7', '10:04:59', false),
  ];
  assert.equal(describeTroubles(waits, clock('10:05:00')), undefined);
  assert.equal(
    describeTroubles(waits, clock('10:05:01')),
    'orders[1] waits for an open transaction that begins at offset 7 (since 10:04:59)',
  );
});
