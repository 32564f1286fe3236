// What the engine is measured against: the same jobs as loops written by hand, as somebody who knows V8 would write them and stop there. Each makes the objects
// that the job's functions make, keeps windows open until the watermark has passed them, and hashes its results as the job does.
import { Checksum, fold, foldLong, hashStart } from './checksum.ts';
import { boundMillis, type Order, windowMillis } from './orders.ts';
import { baseMillis, bidKind, peerEvent } from './peers-generator.ts';

type Sums = Map<string, { total: number }>;

/** map → filter → keyed tumbling sum over records that are out of order. */
export function sumOrdersByHand(orders: readonly Order[]): Checksum {
  const checksum = new Checksum();
  const open = new Map<number, Sums>();
  let newest = -Infinity;
  let firstEnd = Infinity;
  // Most records are of the window of the one before.
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

/** Count, sum and maximum of the bids per auction and ten seconds, over events in order; the events are made in the loop. */
export function countBidsByHand(events: number): Checksum {
  const checksum = new Checksum();
  let windowStart = baseMillis;
  let open = new Map<number, { n: number; sum: number; max: number }>();
  const close = (): void => {
    for (const [auction, { n, sum, max }] of open) checksum.add(hashOfBids(auction, windowStart, n, sum, max));
    open = new Map();
  };
  for (let n = 0; n < events; n++) {
    const event = peerEvent(n);
    if (event.kind !== bidKind) continue;
    const start = event.dateTime - (event.dateTime % windowMillis);
    if (start !== windowStart) {
      close();
      windowStart = start;
    }
    const seen = open.get(event.auction);
    if (seen === undefined) open.set(event.auction, { n: 1, sum: event.price, max: event.price });
    else {
      seen.n++;
      seen.sum += event.price;
      if (event.price > seen.max) seen.max = event.price;
    }
  }
  close();
  return checksum;
}

export function hashOfBids(auction: number, windowStart: number, n: number, sum: number, max: number): number {
  return fold(foldLong(fold(fold(fold(hashStart, auction), windowStart - baseMillis), n), sum), max);
}
