// Nexmark queries over windows: q5, q7 and q11 in event time, q12 in processing time.
import { aggregator, count, session, sliding, type Stream, tumbling } from '../../index.ts';
import type { BidRow } from './rows.ts';

/** The auctions with the most bids in the last ten seconds, every two seconds. */
export function q5(bids: Stream<BidRow>) {
  return (
    bids
      .keyBy('auction')
      .window(sliding('10s', '2s'))
      .aggregate({ bids: count() })
      // All results of a window have its last millisecond as their time, so they are in one of
      // these windows, without results of other windows.
      .windowAll(tumbling('2s'))
      .aggregate({ hottest: allWithTheMost((row: { auction: number; bids: number }) => row.bids) })
      .flatMap(({ hottest }) => hottest)
  );
}

/** The highest bids of each ten seconds. */
export function q7(bids: Stream<BidRow>) {
  return bids
    .windowAll(tumbling('10s'))
    .aggregate({ highest: allWithTheMost((bid: BidRow) => bid.price) })
    .flatMap(({ highest }) => highest)
    .map(({ auction, price, bidder, dateTime }) => ({ auction, price, bidder, dateTime }));
}

/** The number of bids of each bidder in a session: a period without a pause of ten seconds. */
export function q11(bids: Stream<BidRow>) {
  return bids.keyBy('bidder').window(session('10s')).aggregate({ bids: count() });
}

/** The number of bids of each bidder in ten seconds of processing time. */
export function q12(bids: Stream<BidRow>) {
  return bids
    .keyBy('bidder')
    .window(tumbling('10s', { time: 'processing' }))
    .aggregate({ bids: count() });
}

/** All elements with the greatest value; `maxBy` gives only the first of them. */
function allWithTheMost<T>(value: (element: T) => number) {
  return aggregator({
    create: () => ({ most: -Infinity, elements: [] as T[] }),
    add(kept, element: T) {
      const mine = value(element);
      if (mine > kept.most) return { most: mine, elements: [element] };
      if (mine === kept.most) kept.elements.push(element);
      return kept;
    },
    merge(a, b) {
      if (a.most !== b.most) return a.most > b.most ? a : b;
      return { most: a.most, elements: [...a.elements, ...b.elements] };
    },
    result: ({ elements }) => elements,
  });
}
