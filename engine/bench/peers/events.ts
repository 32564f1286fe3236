// The events for all engines of the comparison: Nexmark's shape, each a function of n with 32-bit
// integers only. Another implementation of the same definition gives the same events, field by
// field. The hash over the first million events is 939272270.
import type { AuctionRow, BidRow, PersonRow } from '../nexmark/rows.ts';
import { fmix32 } from '../../connectors/record-random.ts';

export const personKind = 0;
export const auctionKind = 1;
export const bidKind = 2;

export interface Person extends PersonRow {
  readonly kind: typeof personKind;
}
export interface Auction extends AuctionRow {
  readonly kind: typeof auctionKind;
}
export interface Bid extends BidRow {
  readonly kind: typeof bidKind;
}
export type PeerEvent = Person | Auction | Bid;

/** Event time of event 0: a multiple of ten seconds. */
export const baseMillis = 1_700_000_000_000;

const firstNames = ['Peter', 'Paul', 'Luke', 'John', 'Saul', 'Vicky', 'Kate', 'Julie', 'Sarah', 'Deiter', 'Walter'];
const lastNames = ['Shultz', 'Abrams', 'Spencer', 'White', 'Bartels', 'Walton', 'Smith', 'Jones', 'Noris'];
const people = firstNames.flatMap((first) => lastNames.map((last) => ({ first, last })));
const names = people.map(({ first, last }) => `${first} ${last}`);
const emails = people.map(({ first, last }) => `${first.toLowerCase()}@${last.toLowerCase()}.com`);
const states = ['AZ', 'CA', 'ID', 'OR', 'WA', 'WY'];
const channels = ['Google', 'Facebook', 'Baidu', 'Apple'];
const cities = [
  'Phoenix',
  'Los Angeles',
  'San Francisco',
  'Boise',
  'Portland',
  'Bend',
  'Redmond',
  'Seattle',
  'Kent',
  'Cheyenne',
];
const extras = makeExtras();
const urls = extras.map((text, i) => `https://www.nexmark.com/${text.slice(0, 8)}/item.htm?query=${i}`);
const cards = extras.map((_, i) => `4${1_000_000 + i * 7919} 0000 1111`);

/** 256 texts of 40 to 71 letters, made from one sequence of random numbers. */
function makeExtras(): string[] {
  let state = 7;
  return Array.from({ length: 256 }, (_, i) => {
    let text = '';
    while (text.length < 40 + (i & 31)) {
      state = fmix32((state + 0x9e3779b9) | 0);
      text += String.fromCharCode(97 + ((state >>> 8) % 26));
    }
    return text;
  });
}

/**
 * Event n, 0 ≤ n < 2^31. Of each fifty events one is a person, three are auctions and the rest are
 * bids.
 */
export function peerEvent(n: number): PeerEvent {
  const epoch = (n / 50) | 0;
  const place = n - epoch * 50;
  const h = fmix32((n + 0x9e3779b9) | 0);
  const g = fmix32((h + 0x7f4a7c15) | 0);
  const dateTime = baseMillis + ((n / 10) | 0);
  const extra = extras[(h >>> 16) & 255]!;
  if (place > 3)
    return {
      kind: bidKind,
      auction: 1000 + bidOn(3 * epoch + 2, h),
      bidder: 1000 + ((h & 6) !== 0 ? hot(epoch) + 1 : coldPerson(epoch, g)),
      price: priceOf(g),
      channel: channels[(h >>> 3) & 3]!,
      url: urls[g & 255]!,
      dateTime,
      extra,
    };
  if (place === 0)
    return {
      kind: personKind,
      id: 1000 + epoch,
      name: names[((h >>> 3) & 0xffff) % names.length]!,
      emailAddress: emails[((h >>> 4) & 0xffff) % emails.length]!,
      creditCard: cards[g & 255]!,
      city: cities[(g >>> 8) % cities.length]!,
      state: states[(h >>> 20) % states.length]!,
      dateTime,
      extra,
    };
  const initialBid = priceOf(g);
  return {
    kind: auctionKind,
    id: 1000 + 3 * epoch + place - 1,
    itemName: extras[g & 255]!,
    description: urls[(g >>> 8) & 255]!,
    initialBid,
    reserve: initialBid + priceOf(h),
    dateTime,
    expires: dateTime + 1 + ((g >>> 12) % 20_000),
    seller: 1000 + ((h & 3) !== 0 ? hot(epoch) : coldPerson(epoch, g)),
    category: 10 + ((h >>> 4) % 5),
    extra,
  };
}

/**
 * The last multiple of a hundred up to `index`. It is chosen much more often than other numbers.
 */
function hot(index: number): number {
  return index - (index % 100);
}
function bidOn(lastAuction: number, h: number): number {
  return (h & 1) !== 0 ? hot(lastAuction) : Math.max(0, lastAuction - 99 + ((h >>> 8) % 110));
}
/** One of the 1000 newest persons, or a person up to ten numbers ahead of them. */
function coldPerson(epoch: number, g: number): number {
  return Math.max(0, epoch - 999 + ((g >>> 4) % 1010));
}
function priceOf(bits: number): number {
  return 100 + ((bits & 0x3ffffff) >>> ((bits >>> 26) % 20));
}
