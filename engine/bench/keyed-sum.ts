// The first comparison: map → filter → keyed tumbling sum over a million records that are out of
// order. It reads an array and writes to a function.
import { Environment, sum, tumbling } from '../index.ts';
import { Checksum } from './checksum.ts';
import { type Comparison, measured } from './comparison.ts';
import { hashOfSum, sumOrdersByHand } from './keyed-sum-by-hand.ts';
import { boundMillis, makeOrders, type Order, orderCount, windowMillis } from './orders.ts';

let orders: Order[] | undefined;

async function sumOrders(orders: readonly Order[]): Promise<Checksum> {
  const checksum = new Checksum();
  const environment = new Environment();
  environment
    .from(orders, { timestamp: 'at', watermark: { outOfOrderness: `${boundMillis}ms` } })
    .map((order) => ({ customer: order.customer, cents: order.cents + (order.cents >> 3), at: order.at }))
    .filter((order) => order.cents >= 1_000)
    .keyBy('customer')
    .window(tumbling(`${windowMillis}ms`))
    .aggregate({ total: sum('cents') })
    .sink(({ customer, windowStart, total }) => checksum.add(hashOfSum(customer, windowStart.getTime(), total)));
  const job = await environment.execute('keyed-sum');
  await job.finished;
  return checksum;
}

export const keyedSum: Comparison = {
  name: 'keyed-sum',
  title: 'map → filter → keyed tumbling sum, 1,000,000 records out of order, 1,000 keys',
  warmUps: 4,
  sluice(scale) {
    const some = first(scale);
    return measured(some.length, () => sumOrders(some));
  },
  limit: {
    name: 'by-hand',
    goal: 0.5,
    run(scale) {
      const some = first(scale);
      return measured(some.length, () => sumOrdersByHand(some));
    },
  },
};

function first(scale: number): readonly Order[] {
  orders ??= makeOrders();
  return scale === 1 ? orders : orders.slice(0, Math.ceil(orderCount / scale));
}
