// What the queries of the comparison agree on, whoever computes them: their names, the sizes of their windows and which of two bids is the higher one.
import type { Bid } from './events.ts';

export const queryNames = ['gen', 'q0', 'q1', 'q2', 'q3', 'q5', 'q7', 'q8', 'wc'] as const;
export type QueryName = (typeof queryNames)[number];

export const windowMillis = 10_000;
export const slideMillis = 2_000;

/** The higher bid; of equals the earlier, then that on the smaller auction, then that of the smaller bidder. */
export function better(a: Bid, b: Bid): Bid {
  if (a.price !== b.price) return a.price > b.price ? a : b;
  if (a.dateTime !== b.dateTime) return a.dateTime < b.dateTime ? a : b;
  if (a.auction !== b.auction) return a.auction < b.auction ? a : b;
  return a.bidder <= b.bidder ? a : b;
}
