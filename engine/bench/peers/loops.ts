// The queries of the comparison as loops written by hand by a programmer who knows V8: one object
// per event with all its fields. Events come in order, so the first event behind a window closes
// it. They are the limit for the engine (`plain-alloc`).
import { Checksum } from '../checksum.ts';
import { auctionKind, baseMillis, type Bid, bidKind, peerEvent, type Person, personKind } from './events.ts';
import {
  hashOfBid,
  hashOfCounts,
  hashOfEvent,
  hashOfHottest,
  hashOfNewSeller,
  hashOfPrice,
  hashOfSale,
} from './hashes.ts';
import { better, type QueryName, slideMillis, windowMillis } from './rules.ts';

export const loops: Readonly<Record<QueryName, (events: number) => Checksum>> = {
  gen(events) {
    const checksum = new Checksum();
    for (let n = 0; n < events; n++) {
      const event = peerEvent(n);
      checksum.add(hashOfEvent(event.kind, event.dateTime));
    }
    return checksum;
  },

  q0(events) {
    const checksum = new Checksum();
    for (let n = 0; n < events; n++) {
      const event = peerEvent(n);
      if (event.kind !== bidKind) continue;
      checksum.add(hashOfBid(event.auction, event.bidder, event.price, event.dateTime));
    }
    return checksum;
  },

  q1(events) {
    const checksum = new Checksum();
    for (let n = 0; n < events; n++) {
      const event = peerEvent(n);
      if (event.kind !== bidKind) continue;
      checksum.add(hashOfBid(event.auction, event.bidder, Math.floor(event.price * 0.908), event.dateTime));
    }
    return checksum;
  },

  q2(events) {
    const checksum = new Checksum();
    for (let n = 0; n < events; n++) {
      const event = peerEvent(n);
      if (event.kind === bidKind && event.auction % 123 === 0) checksum.add(hashOfPrice(event.auction, event.price));
    }
    return checksum;
  },

  q3(events) {
    const checksum = new Checksum();
    const personById = new Map<number, Person>();
    const waitingBySeller = new Map<number, number[]>();
    for (let n = 0; n < events; n++) {
      const event = peerEvent(n);
      if (event.kind === personKind) {
        if (event.state !== 'OR' && event.state !== 'ID' && event.state !== 'CA') continue;
        personById.set(event.id, event);
        const waiting = waitingBySeller.get(event.id);
        if (waiting === undefined) continue;
        for (const auction of waiting) checksum.add(hashOfSale(event, auction));
        waitingBySeller.delete(event.id);
      } else if (event.kind === auctionKind && event.category === 10) {
        const person = personById.get(event.seller);
        if (person !== undefined) {
          checksum.add(hashOfSale(person, event.id));
          continue;
        }
        const waiting = waitingBySeller.get(event.seller);
        if (waiting === undefined) waitingBySeller.set(event.seller, [event.id]);
        else waiting.push(event.id);
      }
    }
    return checksum;
  },

  /** Panes of one slide; a window is five of them. */
  q5(events) {
    const checksum = new Checksum();
    const panes: Map<number, number>[] = [];
    let pane = new Map<number, number>();
    let paneEnd = baseMillis + slideMillis;
    const closePane = (): void => {
      panes.push(pane);
      if (panes.length * slideMillis > windowMillis) panes.shift();
      pane = new Map();
      const bidsByAuction = new Map<number, number>();
      for (const one of panes)
        for (const [auction, bids] of one) bidsByAuction.set(auction, (bidsByAuction.get(auction) ?? 0) + bids);
      let most = 1;
      for (const bids of bidsByAuction.values()) if (bids > most) most = bids;
      for (const [auction, bids] of bidsByAuction)
        if (bids === most) checksum.add(hashOfHottest(auction, paneEnd, bids));
      paneEnd += slideMillis;
    };
    for (let n = 0; n < events; n++) {
      const event = peerEvent(n);
      if (event.kind !== bidKind) continue;
      while (event.dateTime >= paneEnd) closePane();
      pane.set(event.auction, (pane.get(event.auction) ?? 0) + 1);
    }
    // The windows that end after the last event.
    for (let i = 0; i < windowMillis / slideMillis; i++) closePane();
    return checksum;
  },

  q7(events) {
    const checksum = new Checksum();
    let windowEnd = baseMillis + windowMillis;
    let highest: Bid | undefined;
    const close = (): void => {
      if (highest === undefined) return;
      checksum.add(hashOfBid(highest.auction, highest.bidder, highest.price, highest.dateTime));
      highest = undefined;
    };
    for (let n = 0; n < events; n++) {
      const event = peerEvent(n);
      if (event.kind !== bidKind) continue;
      if (event.dateTime >= windowEnd) {
        close();
        windowEnd = event.dateTime - (event.dateTime % windowMillis) + windowMillis;
      }
      highest = highest === undefined ? event : better(highest, event);
    }
    close();
    return checksum;
  },

  q8(events) {
    const checksum = new Checksum();
    let windowStart = baseMillis;
    let personById = new Map<number, Person>();
    let auctions: { readonly id: number; readonly seller: number }[] = [];
    const close = (): void => {
      for (const { id, seller } of auctions) {
        const person = personById.get(seller);
        if (person !== undefined) checksum.add(hashOfNewSeller(person.id, person.name, id, windowStart));
      }
      personById = new Map();
      auctions = [];
    };
    for (let n = 0; n < events; n++) {
      const event = peerEvent(n);
      if (event.kind === bidKind) continue;
      if (event.dateTime >= windowStart + windowMillis) {
        close();
        windowStart = event.dateTime - (event.dateTime % windowMillis);
      }
      if (event.kind === personKind) personById.set(event.id, event);
      else auctions.push(event);
    }
    close();
    return checksum;
  },

  wc(events) {
    const checksum = new Checksum();
    let windowStart = baseMillis;
    let open = new Map<number, { n: number; sum: number; max: number }>();
    const close = (): void => {
      for (const [auction, { n, sum, max }] of open) checksum.add(hashOfCounts(auction, windowStart, n, sum, max));
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
  },
};
