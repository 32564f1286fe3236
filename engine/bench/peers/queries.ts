// The queries of the comparison in the fluent API. Each is one chain, from the generator to a
// function that adds each result to a checksum.
import {
  aggregator,
  count,
  Environment,
  max,
  type Sink,
  sliding,
  type Stream,
  sum,
  tumbling,
  valueState,
} from '../../index.ts';
import { Checksum } from '../checksum.ts';
import {
  type Auction,
  auctionKind,
  type Bid,
  bidKind,
  type PeerEvent,
  peerEvent,
  type Person,
  personKind,
} from './events.ts';
import {
  hashOfBid,
  hashOfCounts,
  hashOfEvent,
  hashOfHottest,
  hashOfNewSeller,
  hashOfPrice,
  hashOfSale,
} from './hashes.ts';
import { better, type QueryName, windowMillis } from './rules.ts';

const isPerson = (event: PeerEvent): event is Person => event.kind === personKind;
const isAuction = (event: PeerEvent): event is Auction => event.kind === auctionKind;
const isBid = (event: PeerEvent): event is Bid => event.kind === bidKind;

type Query = (events: Stream<PeerEvent>, checksum: Checksum) => Sink;

const queries: Readonly<Record<QueryName, Query>> = {
  gen: (events, checksum) => events.sink((event) => checksum.add(hashOfEvent(event.kind, event.dateTime))),

  q0: (events, checksum) =>
    events.filter(isBid).sink((bid) => checksum.add(hashOfBid(bid.auction, bid.bidder, bid.price, bid.dateTime))),

  q1: (events, checksum) =>
    events
      .filter(isBid)
      .map(({ auction, bidder, price, dateTime }) => ({ auction, bidder, price: Math.floor(price * 0.908), dateTime }))
      .sink((bid) => checksum.add(hashOfBid(bid.auction, bid.bidder, bid.price, bid.dateTime))),

  q2: (events, checksum) =>
    events
      .filter(isBid)
      .filter((bid) => bid.auction % 123 === 0)
      .map(({ auction, price }) => ({ auction, price }))
      .sink(({ auction, price }) => checksum.add(hashOfPrice(auction, price))),

  q3: (events, checksum) => {
    const people = events.filter(isPerson).filter(({ state }) => state === 'OR' || state === 'ID' || state === 'CA');
    const auctions = events.filter(isAuction).filter(({ category }) => category === 10);
    return people
      .connect(auctions)
      .keyBy(
        (person) => person.id,
        (auction) => auction.seller,
      )
      .process({
        state: { person: valueState<Pick<Person, 'name' | 'city' | 'state'>>(), waiting: valueState<number[]>() },
        onLeft({ name, city, state }, ctx) {
          const person = { name, city, state };
          ctx.state.person.set(person);
          const waiting = ctx.state.waiting.get();
          if (waiting === undefined) return;
          ctx.state.waiting.clear();
          return waiting.map((auction) => ({ person, auction }));
        },
        onRight({ id }, ctx) {
          const person = ctx.state.person.get();
          if (person !== undefined) return [{ person, auction: id }];
          ctx.state.waiting.set([...(ctx.state.waiting.get() ?? []), id]);
          return;
        },
      })
      .sink(({ person, auction }) => checksum.add(hashOfSale(person, auction)));
  },

  q5: (events, checksum) =>
    events
      .filter(isBid)
      .keyBy('auction')
      .window(sliding('10s', '2s'))
      .aggregate({ bids: count() })
      // A result has the last millisecond of its window, so all results of a window are in one of
      // these windows.
      .windowAll(tumbling('2s'))
      .aggregate({ hottest: hottest() })
      .flatMap(({ hottest, windowEnd }) =>
        hottest.auctions.map((auction) => ({ auction, windowEnd, bids: hottest.bids })),
      )
      .sink(({ auction, windowEnd, bids }) => checksum.add(hashOfHottest(auction, windowEnd.getTime(), bids))),

  q7: (events, checksum) =>
    events
      .filter(isBid)
      .windowAll(tumbling('10s'))
      .reduce(better)
      .sink((bid) => checksum.add(hashOfBid(bid.auction, bid.bidder, bid.price, bid.dateTime))),

  q8: (events, checksum) => {
    // Fields that the result does not need are dropped, so that the window does not keep them.
    const people = events.filter(isPerson).map(({ id, name }) => ({ id, name }));
    const auctions = events.filter(isAuction).map(({ id, seller, dateTime }) => ({ id, seller, dateTime }));
    return people
      .keyBy('id')
      .join(auctions.keyBy('seller'))
      .window(tumbling('10s'))
      .select((person, auction) => ({
        id: person!.id,
        name: person!.name,
        auction: auction!.id,
        windowStart: auction!.dateTime - (auction!.dateTime % windowMillis),
      }))
      .sink((row) => checksum.add(hashOfNewSeller(row.id, row.name, row.auction, row.windowStart)));
  },

  wc: (events, checksum) =>
    events
      .filter(isBid)
      .keyBy('auction')
      .window(tumbling('10s'))
      .aggregate({ n: count(), sum: sum('price'), max: max('price') })
      .sink((row) => checksum.add(hashOfCounts(row.auction, row.windowStart.getTime(), row.n, row.sum, row.max))),
};

/** All auctions with the most bids, with the number of bids. */
function hottest() {
  return aggregator({
    create: () => ({ bids: 0, auctions: [] as number[] }),
    add(hottest, row: { readonly auction: number; readonly bids: number }) {
      if (row.bids > hottest.bids) return { bids: row.bids, auctions: [row.auction] };
      if (row.bids === hottest.bids) hottest.auctions.push(row.auction);
      return hottest;
    },
    result: (hottest) => hottest,
  });
}

/** Runs the first `events` events through one of the queries. */
export async function runQuery(name: QueryName, events: number): Promise<Checksum> {
  const checksum = new Checksum();
  const environment = new Environment();
  queries[name](
    environment.generate<PeerEvent>({ limit: events, timestamp: 'dateTime' }, ({ n }) => peerEvent(n)),
    checksum,
  );
  const job = await environment.execute(name);
  await job.finished;
  return checksum;
}
