// The rules that every implementation of the queries shares: their names, the sizes of their
// windows, and the higher of two bids.
import type { Bid } from './events.ts';

export const queryNames = ['gen', 'q0', 'q1', 'q2', 'q3', 'q5', 'q7', 'q8', 'wc'] as const;
export type QueryName = (typeof queryNames)[number];

export const windowMillis = 10_000;
export const slideMillis = 2_000;

/**
 * The higher bid. Of equal bids the earlier one, then the one on the smaller auction, then the one
 * of the smaller bidder.
 */
export function better(a: Bid, b: Bid): Bid {
  if (a.price !== b.price) return a.price > b.price ? a : b;
  if (a.dateTime !== b.dateTime) return a.dateTime < b.dateTime ? a : b;
  if (a.auction !== b.auction) return a.auction < b.auction ? a : b;
  return a.bidder <= b.bidder ? a : b;
}
