// A broker that is gone for half a minute while an exactly-once sink writes and commits: the sink
// says what it waits for, goes on, and each row is there once.
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, test } from 'vitest';
import { startOwnBroker, whyNoKafka, type OwnBroker } from './broker.ts';
import type { IndependentClient } from './independent-client.ts';
import { committedRecords } from './java-records.ts';
import { onBroker } from './on-broker.ts';
import { SinkDriver, type SinkRow } from './sink-driver.ts';

const skip = whyNoKafka() !== undefined;
const outageMillis = 30_000;
let broker: OwnBroker;
let client: IndependentClient;
const drivers: SinkDriver[] = [];
onBroker(startOwnBroker, (started) => ({ broker, client } = started));
afterAll(() => {
  for (const { sink } of drivers) sink.close?.();
});

const rows = (from: number, to: number): SinkRow[] =>
  Array.from({ length: to - from }, (_, i) => ({ value: { n: from + i }, timestamp: 1_700_000_000_000 }));
function sinkTo(topic: string): SinkDriver {
  const driver = new SinkDriver({ topic, format: 'json', delivery: 'exactly-once' });
  drivers.push(driver);
  return driver;
}
async function until(driver: SinkDriver, what: string, condition: () => boolean): Promise<void> {
  for (const end = Date.now() + 240_000; !condition(); await sleep(50)) {
    if (driver.failure !== undefined) throw driver.failure as Error;
    assert.ok(Date.now() < end, `waited for ${what}: ${JSON.stringify(driver.sink.status!())}`);
  }
}

test('with an open transaction, and with one to commit', { skip, timeout: 600_000 }, async () => {
  await client.createTopic('away', 1);
  await client.createTopic('committing', 1);
  const [open, pending] = [sinkTo('away'), sinkTo('committing')];
  for (const driver of [open, pending]) {
    await driver.write(rows(0, 100));
    await driver.flush();
  }
  await pending.preCommit(1);
  pending.snapshot();
  const gone = Date.now();
  await broker.kill();
  // The one has rows to write, the other a commit to make.
  await open.write(rows(100, 200));
  const barrier = open.preCommit(1);
  pending.sink.complete!(1);
  const waiting = (driver: SinkDriver): string => driver.sink.status!().waiting ?? '';
  for (const driver of [open, pending]) await until(driver, 'a sentence about the wait', () => waiting(driver) !== '');
  assert.match(waiting(open), /127\.0\.0\.1:\d+|has no leader/);
  assert.match(waiting(pending), /127\.0\.0\.1:\d+|no broker/);
  for (const driver of [open, pending]) assert.ok(driver.sink.status!().waitingSince! >= gone - 1);
  await sleep(Math.max(0, gone + outageMillis - Date.now()));
  await broker.start();
  await barrier;
  open.snapshot();
  open.sink.complete!(1);
  for (const driver of [open, pending]) {
    await until(driver, 'the commit', () => driver.sink.hasUncommitted === false);
    await until(driver, 'the end of the wait', () => waiting(driver) === '');
  }
  for (const [topic, count] of [
    ['away', 200],
    ['committing', 100],
  ] as const) {
    const records = await committedRecords(client, broker.brokers, topic, count);
    assert.deepEqual(
      records.map(({ value }) => (JSON.parse(value) as { n: number }).n),
      Array.from({ length: count }, (_, n) => n),
    );
  }
});

test(
  'a barrier whose rows the topic has passes in an outage: a replaced sink loses none',
  { skip, timeout: 600_000 },
  async () => {
    await client.createTopic('passing', 1);
    const sink = sinkTo('passing');
    await sink.write(rows(0, 100));
    await sink.flush();
    await broker.kill();
    await sink.preCommit(1);
    const saved = sink.snapshot();
    sink.sink.close!();
    await broker.start();
    const next = new SinkDriver({ topic: 'passing', format: 'json', delivery: 'exactly-once' });
    drivers.push(next);
    next.restore(saved);
    next.sink.complete!(1);
    await until(next, 'the commit', () => next.sink.hasUncommitted === false);
    const records = await committedRecords(client, broker.brokers, 'passing', 100);
    assert.equal(new Set(records.map(({ value }) => value)).size, 100);
    assert.equal(next.sink.status!().rowsLost, undefined);
  },
);
