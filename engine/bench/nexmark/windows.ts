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
      // A result has the last millisecond of its window as its time: all results of a window, and no others, are in one of these.
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

/** How many bids each bidder makes in a stretch without a pause of ten seconds. */
export function q11(bids: Stream<BidRow>) {
  return bids.keyBy('bidder').window(session('10s')).aggregate({ bids: count() });
}

/** How many bids each bidder makes in ten seconds of the clock, whatever the bids say. */
export function q12(bids: Stream<BidRow>) {
  return bids
    .keyBy('bidder')
    .window(tumbling('10s', { time: 'processing' }))
    .aggregate({ bids: count() });
}

/** All elements that share the greatest value; `maxBy` gives the first of them. */
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
