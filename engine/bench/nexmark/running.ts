// Nexmark queries whose results change with every bid: q15 to q19. Each bid gives a new row of its
// key, and the last row of a key is its result.
import { avg, count, countDistinct, max, min, type Stream, sum, topN } from '../../index.ts';
import type { BidRow } from './rows.ts';

type Rank = (bid: BidRow) => boolean;
const isRank1: Rank = ({ price }) => price < 10_000;
const isRank2: Rank = ({ price }) => price >= 10_000 && price < 1_000_000;
const isRank3: Rank = ({ price }) => price >= 1_000_000;

/** SQL's `count(*) filter (where …)`. */
const countWhere = (rank: Rank) => sum((bid: BidRow) => (rank(bid) ? 1 : 0));
/** SQL's `count(distinct …) filter (where …)`: null is not counted. */
const distinctWhere = (field: 'bidder' | 'auction', rank: Rank) =>
  countDistinct((bid: BidRow) => (rank(bid) ? bid[field] : null));

const dayOf = ({ dateTime }: BidRow): string => new Date(dateTime).toISOString().slice(0, 10);

const statistics = {
  bids: count(),
  rank1Bids: countWhere(isRank1),
  rank2Bids: countWhere(isRank2),
  rank3Bids: countWhere(isRank3),
  bidders: countDistinct<BidRow>('bidder'),
  rank1Bidders: distinctWhere('bidder', isRank1),
  rank2Bidders: distinctWhere('bidder', isRank2),
  rank3Bidders: distinctWhere('bidder', isRank3),
  auctions: countDistinct<BidRow>('auction'),
  rank1Auctions: distinctWhere('auction', isRank1),
  rank2Auctions: distinctWhere('auction', isRank2),
  rank3Auctions: distinctWhere('auction', isRank3),
};

/** Bids, bidders and auctions of each day, in three ranks of price. */
export function q15(bids: Stream<BidRow>) {
  return bids.keyBy((bid) => ({ day: dayOf(bid) })).aggregate(statistics);
}

/** The same figures for each channel, with the latest time. */
export function q16(bids: Stream<BidRow>) {
  return bids
    .keyBy((bid) => ({ channel: bid.channel, day: dayOf(bid) }))
    .aggregate({ time: max((bid: BidRow) => timeOf(bid)), ...statistics });
}
/**
 * `HH:mm` as PostgreSQL reads it: the hour of a 12-hour clock, and the month. The expected rows
 * were recorded with it.
 */
function timeOf({ dateTime }: BidRow): string {
  const date = new Date(dateTime);
  const two = (number: number): string => String(number).padStart(2, '0');
  return `${two(date.getUTCHours() % 12 || 12)}:${two(date.getUTCMonth() + 1)}`;
}

/** The prices of each auction and day. */
export function q17(bids: Stream<BidRow>) {
  return bids
    .keyBy((bid) => ({ auction: bid.auction, day: dayOf(bid) }))
    .aggregate({
      bids: count(),
      rank1Bids: countWhere(isRank1),
      rank2Bids: countWhere(isRank2),
      rank3Bids: countWhere(isRank3),
      min: min((bid: BidRow) => bid.price),
      max: max((bid: BidRow) => bid.price),
      avg: avg((bid: BidRow) => bid.price),
      sum: sum((bid: BidRow) => bid.price),
    });
}

/**
 * The last bid of each bidder on each auction. Of bids at the same time, the bid with the least
 * text.
 */
export function q18(bids: Stream<BidRow>) {
  return bids.keyBy('bidder', 'auction').reduce((last, bid) => {
    if (bid.dateTime !== last.dateTime) return bid.dateTime > last.dateTime ? bid : last;
    return bid.extra < last.extra ? bid : last;
  });
}

/** The ten highest bids on each auction, with their ranks. */
export function q19(bids: Stream<BidRow>) {
  return bids.keyBy('auction').aggregate({ top: topN<BidRow>(10, 'price') });
}
