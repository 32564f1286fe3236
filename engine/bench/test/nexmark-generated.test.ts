// The Nexmark queries without recorded rows (q11, q12, q13), on generated events. They give the
// rows of a plain computation over the whole array.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import { Environment } from '../../index.ts';
import { harness } from '../../testing/index.ts';
import { nexmarkGenerator } from '../nexmark/generator.ts';
import { q13, type SideRow } from '../nexmark/joins.ts';
import type { BidRow } from '../nexmark/rows.ts';
import { q11, q12 } from '../nexmark/windows.ts';

/**
 * Ten events a second, out of order within a second: bidders pause for longer than a session's gap.
 */
const event = nexmarkGenerator({ interEventDelayMicros: 100_000, outOfOrderGroupSize: 10 });
const bids = Array.from({ length: 20_000 }, (_, n) => event(n)).flatMap((one): BidRow[] => {
  if (one.type !== 'bid') return [];
  const { auction, bidder, price, dateTime, extra } = one;
  // The generator does not make the channel and the url, and none of these queries reads them.
  return [{ auction, bidder, price, channel: '', url: '', dateTime, extra }];
});
const inOrder = { timestamp: 'dateTime', watermark: { outOfOrderness: '1s' } } as const;

test('q11 counts the bids of each session', async () => {
  const byBidder = Map.groupBy(
    bids.toSorted((a, b) => a.dateTime - b.dateTime),
    ({ bidder }) => bidder,
  );
  const expected: string[] = [];
  for (const [bidder, own] of byBidder) {
    let session: BidRow[] = [];
    for (const [index, bid] of own.entries()) {
      session.push(bid);
      const next = own[index + 1];
      if (next !== undefined && next.dateTime - bid.dateTime <= 10_000) continue;
      expected.push(line(bidder, session[0]!.dateTime, bid.dateTime + 10_000, session.length));
      session = [];
    }
  }
  const rows = await q11(new Environment().from(bids, inOrder)).toArray();
  assert.ok(expected.length > byBidder.size, 'some bidder has several sessions');
  assert.deepEqual(
    rows.map((row) => line(row.bidder, row.windowStart.getTime(), row.windowEnd.getTime(), row.bids)).sort(),
    expected.sort(),
  );
});

test('q12 counts by the clock, not by the times of the bids', () => {
  // They arrive twice as fast as they were made.
  const first = bids[0]!.dateTime;
  const arrivals = bids.map((bid, n) => ({
    bid,
    at: Math.floor((n * (bids.at(-1)!.dateTime - first)) / bids.length / 2),
  }));
  const expected = new Map<string, number>();
  for (const { bid, at } of arrivals) {
    const start = Math.floor(at / 10_000) * 10_000;
    const key = `${bid.bidder} ${start} ${start + 10_000}`;
    expected.set(key, (expected.get(key) ?? 0) + 1);
  }
  const query = harness(q12);
  for (const { bid, at } of arrivals) {
    query.advanceProcessingTime(at);
    query.element(bid, bid.dateTime);
  }
  query.advanceProcessingTime(arrivals.at(-1)!.at + 10_000);
  const rows = query.output().flatMap((out) => ('element' in out ? [out.element] : []));
  assert.equal(query.entries(), 0);
  query.close();
  assert.deepEqual(
    rows.map((row) => line(row.bidder, row.windowStart.getTime(), row.windowEnd.getTime(), row.bids)).sort(),
    [...expected].map(([key, count]) => `${key} ${count}`).sort(),
  );
});

test('q13 joins a side input', async () => {
  const sideInput: SideRow[] = Array.from({ length: 1_000 }, (_, i) => ({ key: 1000 + 3 * i, value: `value ${i}` }));
  const valueByKey = new Map(sideInput.map(({ key, value }) => [key, value]));
  const expected = bids.flatMap((bid) => {
    const value = valueByKey.get(bid.auction % 10_000);
    return value === undefined ? [] : [{ ...bid, value }];
  });
  const environment = new Environment();
  // Each row of the table is older than any bid.
  const side = environment.from(sideInput, { timestamp: () => 0 });
  const rows = await q13(environment.from(bids, inOrder), side).toArray();
  assert.ok(expected.length > 0 && expected.length < bids.length);
  const text = (row: object): string => JSON.stringify(row);
  assert.deepEqual(rows.map(text).sort(), expected.map(text).sort());
});

function line(bidder: number, start: number, end: number, count: number): string {
  return `${bidder} ${start} ${end} ${count}`;
}
