// Nexmark queries with joins: q3, q4, q8, q9, q13, q20.
import { avg, listState, type Stream, tumbling, valueState } from '../../index.ts';
import type { AuctionRow, BidRow, PersonRow } from './rows.ts';

/**
 * Sellers of three states with their auctions of one category. A person and an auction join,
 * whichever arrives first.
 */
export function q3(people: Stream<PersonRow>, auctions: Stream<AuctionRow>) {
  return people
    .filter(({ state }) => state === 'or' || state === 'id' || state === 'ca')
    .connect(auctions.filter(({ category }) => category === 10))
    .keyBy(
      (person) => person.id,
      (auction) => auction.seller,
    )
    .process({
      state: { person: valueState<Pick<PersonRow, 'name' | 'city' | 'state'>>(), waiting: listState<number>() },
      *onLeft({ name, city, state }, ctx) {
        ctx.state.person.set({ name, city, state });
        for (const auction of ctx.state.waiting) yield { name, city, state, auction };
        ctx.state.waiting.clear();
      },
      *onRight({ id }, ctx) {
        const person = ctx.state.person.get();
        if (person === undefined) ctx.state.waiting.add(id);
        else yield { ...person, auction: id };
      },
    });
}

/**
 * The winning bid of each auction when it closes: the highest bid while it was open, of equal bids
 * the earliest. An auction without bids gives nothing.
 */
export function q9(auctions: Stream<AuctionRow>, bids: Stream<BidRow>) {
  return auctions
    .connect(bids)
    .keyBy(
      (auction) => auction.id,
      (bid) => bid.auction,
    )
    .process({
      // A bid may arrive before its auction. Whether it counts is known only when the auction
      // arrives.
      state: { auction: valueState<AuctionRow>(), highest: valueState<BidRow>(), early: listState<BidRow>() },
      onLeft(auction, ctx) {
        ctx.state.auction.set(auction);
        // A watermark at `expires` means that the last bid has arrived. A bid at `expires` counts.
        ctx.timers.eventTime(auction.expires);
        let highest: BidRow | undefined;
        for (const bid of ctx.state.early) if (isDuring(bid, auction)) highest = higher(highest, bid);
        if (highest !== undefined) ctx.state.highest.set(highest);
        ctx.state.early.clear();
      },
      onRight(bid, ctx) {
        const auction = ctx.state.auction.get();
        if (auction === undefined) ctx.state.early.add(bid);
        else if (isDuring(bid, auction)) ctx.state.highest.set(higher(ctx.state.highest.get(), bid));
      },
      *onTimer(_at, ctx) {
        const auction = ctx.state.auction.get()!;
        const bid = ctx.state.highest.get();
        if (bid !== undefined) yield { auction, bid };
        ctx.state.auction.clear();
        ctx.state.highest.clear();
      },
    });
}
function isDuring(bid: BidRow, auction: AuctionRow): boolean {
  return bid.dateTime >= auction.dateTime && bid.dateTime <= auction.expires;
}
function higher(a: BidRow | undefined, b: BidRow): BidRow {
  if (a === undefined || b.price > a.price) return b;
  return b.price === a.price && b.dateTime < a.dateTime ? b : a;
}

/**
 * The average price of the closed auctions of a category: a new row each time an auction closes.
 */
export function q4(auctions: Stream<AuctionRow>, bids: Stream<BidRow>) {
  return q9(auctions, bids)
    .map(({ auction, bid }) => ({ category: auction.category, price: bid.price }))
    .keyBy('category')
    .aggregate({ average: avg('price') });
}

/** People who opened an auction in the same ten seconds in which they registered. */
export function q8(people: Stream<PersonRow>, auctions: Stream<AuctionRow>) {
  return people
    .keyBy('id')
    .coGroup(auctions.keyBy('seller'))
    .window(tumbling('10s'))
    .apply(({ id }, arrivals, opened, { windowStart }) => {
      if (opened.length === 0) return [];
      return [...new Set(arrivals.map(({ name }) => name))].map((name) => ({ id, name, windowStart }));
    });
}

/** Bids with their auction, of one category, whichever arrives first. */
export function q20(auctions: Stream<AuctionRow>, bids: Stream<BidRow>) {
  return auctions
    .filter(({ category }) => category === 10)
    .connect(bids)
    .keyBy(
      (auction) => auction.id,
      (bid) => bid.auction,
    )
    .process({
      state: { auction: valueState<AuctionRow>(), waiting: listState<BidRow>() },
      *onLeft(auction, ctx) {
        ctx.state.auction.set(auction);
        for (const bid of ctx.state.waiting) yield { bid, auction };
        ctx.state.waiting.clear();
      },
      *onRight(bid, ctx) {
        const auction = ctx.state.auction.get();
        if (auction === undefined) ctx.state.waiting.add(bid);
        else yield { bid, auction };
      },
    });
}

/** Bids with the row of a table for their auction. Bids without a row are left out. */
export function q13(bids: Stream<BidRow>, sideInput: Stream<SideRow>) {
  return bids
    .keyBy((bid) => bid.auction % 10_000)
    .temporalJoin(sideInput.keyBy('key').toTable())
    .select((bid, side) => ({ ...bid, value: side?.value }))
    .filter(({ value }) => value !== undefined);
}
export interface SideRow {
  readonly key: number;
  readonly value: string;
}
