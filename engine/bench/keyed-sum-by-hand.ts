// The limit for the keyed sum: the same job as a loop written by hand by a programmer who knows V8.
// It makes the same objects as the job's functions, keeps windows open until the watermark has
// passed them, and hashes its results as the job does.
import { Checksum, fold, foldLong, hashStart } from './checksum.ts';
import { boundMillis, type Order, windowMillis } from './orders.ts';

type Sums = Map<string, { total: number }>;

/** map → filter → keyed tumbling sum over records that are out of order. */
export function sumOrdersByHand(orders: readonly Order[]): Checksum {
  const checksum = new Checksum();
  const open = new Map<number, Sums>();
  let newest = -Infinity;
  let firstEnd = Infinity;
  // Most records belong to the window of the record before.
  let lastStart = NaN;
  let last: Sums | undefined;
  const closeUpTo = (watermark: number): void => {
    firstEnd = Infinity;
    for (const [start, sums] of open) {
      const end = start + windowMillis;
      if (end - 1 > watermark) {
        if (end < firstEnd) firstEnd = end;
        continue;
      }
      for (const [customer, { total }] of sums) checksum.add(hashOfSum(customer, start, total));
      open.delete(start);
      if (start === lastStart) lastStart = NaN;
    }
  };
  for (const order of orders) {
    const taxed = { customer: order.customer, cents: order.cents + (order.cents >> 3), at: order.at };
    if (taxed.cents < 1_000) continue;
    const start = order.at - (order.at % windowMillis);
    if (start !== lastStart) {
      last = open.get(start);
      if (last === undefined) {
        last = new Map();
        open.set(start, last);
        if (start + windowMillis < firstEnd) firstEnd = start + windowMillis;
      }
      lastStart = start;
    }
    const sum = last!.get(taxed.customer);
    if (sum === undefined) last!.set(taxed.customer, { total: taxed.cents });
    else sum.total += taxed.cents;
    if (order.at > newest) {
      newest = order.at;
      if (newest - boundMillis > firstEnd) closeUpTo(newest - boundMillis - 1);
    }
  }
  closeUpTo(Infinity);
  return checksum;
}

export function hashOfSum(customer: string, windowStart: number, total: number): number {
  const number = Number(customer.slice('customer-'.length));
  return foldLong(fold(fold(hashStart, number), (windowStart / windowMillis) | 0), total);
}
