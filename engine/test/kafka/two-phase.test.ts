// A job over 200,000 orders on a real topic. Compares its sums with an independent computation, and
// every late element.
//
// Phase 1 is out of order within the bound, so none of its elements is late. Phase 2 starts when
// the job's own watermark has passed T. It has elements of windows that closed before T (all late)
// and elements of open windows (counted), also behind the watermark. At the end each partition has
// an element with a far later time, which closes all counted windows.
//
// The partitions of phase 2 are read in any order. A partition that is read last has the others at
// the far time, so only its own elements hold time back. Its counted elements are of windows that
// are still open then.
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'vitest';
import { count, Environment, sum, tumbling } from '../../index.ts';
import { startBroker, whyNoKafka } from './broker.ts';
import type { IndependentClient } from './independent-client.ts';
import { onBroker } from './on-broker.ts';

interface Order {
  readonly customer: string;
  /** Whole cents, so that sums are exact in any order. */
  readonly cents: number;
  readonly createdAt: number;
  readonly partition: number;
  readonly sequence: number;
}
interface Total {
  readonly customer: string;
  readonly windowStart: Date;
  readonly n: number;
  readonly cents: number;
}

const skip = whyNoKafka() !== undefined;
const partitions = 4;
const perPartition = 50_000;
const windowMillis = 10_000;
const boundMillis = 2_000;
const begin = Date.UTC(2026, 0, 31, 12);
let client: IndependentClient;

onBroker(startBroker, (started) => ({ client } = started));

/** A small generator of our own: the same orders at every run. */
function randomNumbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** An order every 3 ms or so, up to the bound behind the newest one of its partition. */
function firstPhase(partition: number): Order[] {
  const random = randomNumbers(partition + 1);
  let newest = begin + partition * 700;
  return Array.from({ length: perPartition }, (_, sequence) => {
    newest += random(7);
    const createdAt = newest - (random(3) === 0 ? random(boundMillis + 1) : 0);
    return { customer: `c${random(200)}`, cents: 1 + random(100_000), createdAt, partition, sequence };
  });
}

async function produce(topic: string, orders: readonly Order[]): Promise<void> {
  for (let at = 0; at < orders.length; at += 5_000)
    await client.send(
      topic,
      orders.slice(at, at + 5_000).map((order) => ({ partition: order.partition, value: order })),
    );
}

const windowOf = (time: number): number => time - (time % windowMillis);
function sums(orders: readonly Order[]): string[] {
  const byWindow = new Map<string, { n: number; cents: number }>();
  for (const { customer, cents, createdAt } of orders) {
    const key = `${customer} ${new Date(windowOf(createdAt)).toISOString()}`;
    const one = byWindow.get(key) ?? { n: 0, cents: 0 };
    byWindow.set(key, { n: one.n + 1, cents: one.cents + cents });
  }
  return [...byWindow].map(([key, { n, cents }]) => `${key} ${n} ${cents}`).sort();
}
const shown = (total: Total): string =>
  `${total.customer} ${total.windowStart.toISOString()} ${total.n} ${total.cents}`;
const places = (orders: readonly Order[]): string[] =>
  orders.map(({ partition, sequence }) => `${partition}/${sequence}`).sort();

test(
  'sums over 200,000 orders are exact, and late is exactly what came after its window',
  { skip, timeout: 300_000 },
  async () => {
    const topic = `orders-${process.pid}`;
    await client.createTopic(topic, partitions);
    // A group of another client commits offsets. So the topic of offsets exists, and the test sees
    // every commit in it.
    const offsets = (orders: number) =>
      Array.from({ length: partitions }, (_, partition) => ({ partition, offset: String(orders) }));
    const commit = (orders: number) =>
      client.admin.setOffsets({ groupId: 'somebody-else', topic, partitions: offsets(orders) });
    await commit(1);
    const seen = async () => {
      const commits = await client.admin.fetchTopicOffsets('__consumer_offsets');
      return {
        groups: (await client.admin.listGroups()).groups.map(({ groupId }) => groupId).sort(),
        topics: (await client.admin.listTopics()).sort(),
        committed: await client.admin.fetchOffsets({ groupId: 'somebody-else', topics: [topic] }),
        commits: commits.reduce((sum, { high }) => sum + Number(high), 0),
      };
    };
    const seenFirst = await seen();
    await commit(7);
    let seenBefore = await seen();
    for (const deadline = Date.now() + 120_000; seenBefore.commits <= seenFirst.commits; seenBefore = await seen()) {
      assert.ok(Date.now() < deadline, 'a commit shows in the topic of offsets');
      await sleep(50);
    }
    assert.deepEqual(
      seenBefore.committed[0]?.partitions.map(({ offset }) => offset),
      ['7', '7', '7', '7'],
    );

    const totals: Total[] = [];
    const late: Order[] = [];
    const environment = new Environment();
    const orders = environment.kafka<Order>(topic, {
      from: 'earliest',
      timestamp: 'createdAt',
      watermark: { outOfOrderness: `${boundMillis}ms` },
    });
    const rejected: unknown[] = [];
    orders.errors.sink((error) => void rejected.push(error));
    const windows = orders
      .keyBy('customer')
      .window(tumbling(`${windowMillis}ms`))
      .aggregate({ n: count(), cents: sum('cents') });
    windows.sink((total) => void totals.push(total as unknown as Total));
    windows.late.sink((order) => void late.push(order));
    const job = await environment.execute();
    let failure: unknown;
    job.finished.catch((error: unknown) => (failure = error));
    const until = async (what: string, condition: () => boolean): Promise<void> => {
      for (const deadline = Date.now() + 120_000; !condition();) {
        if (failure !== undefined) throw failure as Error;
        assert.ok(Date.now() < deadline, `waited for ${what}: ${JSON.stringify(job.metrics().operators)}`);
        await sleep(20);
      }
    };
    const watermark = (): number =>
      job.metrics().operators.find(({ recordsIn, watermark }) => recordsIn > 0 && watermark !== undefined)?.watermark ??
      -Infinity;

    const first = Array.from({ length: partitions }, (_, partition) => firstPhase(partition));
    // Side by side, as producers do.
    for (let at = 0; at < perPartition; at += 10_000)
      await produce(
        topic,
        first.flatMap((orders) => orders.slice(at, at + 10_000)),
      );
    const newestOf = (orders: readonly Order[]): number =>
      orders.reduce((most, order) => Math.max(most, order.createdAt), 0);
    const reached = Math.min(...first.map(newestOf)) - boundMillis - 1;
    const closedBefore = windowOf(reached);
    await until('the watermark of phase 1', () => watermark() >= reached);
    assert.deepEqual(late, []);
    assert.deepEqual(await seen(), seenBefore, 'while the job reads: no group, no topic, no commit');

    const random = randomNumbers(99);
    const order = (partition: number, sequence: number, createdAt: number): Order => ({
      customer: `c${random(200)}`,
      cents: 1 + random(100_000),
      createdAt,
      partition,
      sequence: perPartition + sequence,
    });
    const each = Array.from({ length: partitions }, (_, partition) => partition);
    const tooLate = each.flatMap((p) =>
      Array.from({ length: 25 }, (_, i) => order(p, i, begin + random(closedBefore - begin))),
    );
    const inTime = each.flatMap((p) => {
      const alone = newestOf(first[p]!) - boundMillis - 1;
      const from = Math.max(windowOf(alone + 1), alone - 4_000);
      return Array.from({ length: 25 }, (_, i) => order(p, 25 + i, from + random(6_000)));
    });
    const farAhead = each.map((p) => order(p, 50, begin + 86_400_000));
    await produce(topic, [...tooLate, ...inTime, ...farAhead]);

    const expected = sums([...first.flat(), ...inTime]);
    await until('all windows', () => totals.length >= expected.length && late.length >= tooLate.length);
    // Any further element would arrive now.
    await until('the last watermark', () => watermark() === begin + 86_400_000 - boundMillis - 1);
    // Where a record that is missing in a sum has gone.
    assert.deepEqual(rejected, []);
    assert.deepEqual(places(late), places(tooLate));
    assert.deepEqual(totals.map(shown).sort(), expected);
    assert.deepEqual(await seen(), seenBefore, 'while the job reads on');
    await job.stop();
    assert.deepEqual(await seen(), seenBefore, 'after it');
    const written = await client.admin.fetchTopicOffsets(topic);
    assert.equal(
      written.reduce((sum, { high }) => sum + Number(high), 0),
      first.flat().length + tooLate.length + inTime.length + farAhead.length,
      'nobody but us wrote into the topic',
    );
  },
);
