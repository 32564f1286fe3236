// The recorded topics that all notebooks of the set read. No record is late in any order in which
// partitions are read: a record is within the bound of its own partition, and no partition is idle.
// All orders of a key are in one partition, so their order is the same in each run. Only
// `latecomers` has late records. It has one partition, so the same ones are late in each run.
import type { IndependentClient } from '../../../engine/test/kafka/independent-client.ts';

/** Records of a partition are at most this much out of order. */
const spreadMillis = 5_000;
const begin = Date.UTC(2026, 0, 31, 12);
const partitions = 4;
const ordersOfPartition = 500;
const keysOfPartition = 5;
/** The first integer that a double cannot hold. */
const large = 2n ** 53n + 1n;

interface Recorded {
  readonly topic: string;
  readonly partitions: number;
  readonly messages: readonly { readonly partition: number; readonly key?: string; readonly value: string | null }[];
}

/** The same number for the same n, anywhere below `below`. */
function drawn(n: number, salt: number, below: number): number {
  let hash = Math.imul(n ^ (salt * 0x9e3779b9), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) % below;
}
function timeOf(n: number): number {
  return begin + Math.floor(n / partitions) * 1_000 + drawn(n, 1, spreadMillis);
}

const orders: Recorded = {
  topic: 'orders',
  partitions,
  messages: Array.from({ length: partitions * ordersOfPartition }, (_, n) => {
    const partition = n % partitions;
    const k = `p${partition}-k${drawn(n, 2, keysOfPartition)}`;
    const order = { n, at: timeOf(n), k, v: drawn(n, 3, 100), side: n % 3 === 0 ? 'left' : 'right' };
    return { partition, key: k, value: JSON.stringify(order) };
  }),
};

/** Every seventh order is 20 s to 60 s behind the others. The bound of the source is 10 s. */
const latecomers: Recorded = {
  topic: 'latecomers',
  partitions: 1,
  messages: Array.from({ length: 1_000 }, (_, n) => {
    const k = `k${drawn(n, 13, keysOfPartition)}`;
    const behind = n % 7 === 6 ? 20_000 + drawn(n, 14, 40_000) : 0;
    const order = { n, at: timeOf(n) - behind, k, v: drawn(n, 15, 100), side: n % 3 === 0 ? 'left' : 'right' };
    return { partition: 0, key: k, value: JSON.stringify(order) };
  }),
};

/** Keys and values are null here and there, and most ids are larger than a double can hold. */
const readings: Recorded = {
  topic: 'readings',
  partitions,
  messages: Array.from({ length: partitions * 200 }, (_, n) => {
    const key = drawn(n, 4, 4) === 0 ? 'null' : `"s${drawn(n, 4, 4)}"`;
    const id = drawn(n, 5, 5) === 0 ? BigInt(n) : (large + BigInt(drawn(n, 6, 90))) * (n % 2 === 0 ? 1n : -1n);
    const v = drawn(n, 7, 3) === 0 ? 'null' : String(drawn(n, 8, 1_000) - 500);
    return { partition: n % partitions, value: `{"n":${n},"at":${timeOf(n)},"k":${key},"id":${id},"v":${v}}` };
  }),
};

/** The users behind the keys of the orders. Users move, and some are deleted. */
const users: Recorded = {
  topic: 'users',
  partitions: 2,
  messages: Array.from({ length: 200 }, (_, n) => {
    const id = `p${drawn(n, 9, partitions)}-k${drawn(n, 10, keysOfPartition)}`;
    const region = ['north', 'south', 'west'][drawn(n, 11, 3)];
    const partition = id.charCodeAt(1) % 2;
    if (drawn(n, 12, 10) === 0) return { partition, key: id, value: null };
    return { partition, key: id, value: JSON.stringify({ id, at: begin + n, region }) };
  }),
};

/** They are older than all orders. */
const rules: Recorded = {
  topic: 'rules',
  partitions: 1,
  messages: ['left', 'right'].map((side, n) => ({
    partition: 0,
    value: JSON.stringify({ side, at: begin - 3_600_000, most: 40 + 30 * n }),
  })),
};

export async function writeRecorded(client: IndependentClient): Promise<void> {
  for (const { topic, partitions: count, messages } of [orders, latecomers, readings, users, rules]) {
    await client.createTopic(topic, count);
    await client.producer.send({ topic, messages: [...messages] });
  }
}
