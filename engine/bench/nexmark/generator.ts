// The events of the Nexmark benchmark as Apache Beam generates them: people, auctions and bids.
// Each event is a function of its number only.
import { JavaRandom } from './java-random.ts';
import type { AuctionRow, BidRow, PersonRow } from './rows.ts';

export interface Person extends PersonRow {
  readonly type: 'person';
}
export interface Auction extends AuctionRow {
  readonly type: 'auction';
}
export interface Bid extends Omit<BidRow, 'channel' | 'url'> {
  readonly type: 'bid';
}
export type NexmarkEvent = Person | Auction | Bid;

export interface GeneratorOptions {
  /** Event time of event 0. Default: 2015-07-15T00:00:00Z. */
  readonly baseTime?: number;
  /** The default 100 gives ten thousand events per second of event time. */
  readonly interEventDelayMicros?: number;
  /** The size of the groups in which events are out of order. Default 1: in order. */
  readonly outOfOrderGroupSize?: number;
}

const epochEvents = 50;
const personsPerEpoch = 1;
const auctionsPerEpoch = 3;
const firstPersonId = 1000;
const firstAuctionId = 1000;
const firstCategoryId = 10;
const categories = 5;
/** One in this many persons and auctions is hot. */
const hotEvery = 100;
const hotAuctionRatio = 2;
const hotSellersRatio = 4;
const hotBiddersRatio = 4;
const auctionsInFlight = 100;
const activePeople = 1000;
/** The number of ids that may be used before they exist. */
const idLead = 10;
const personBytes = 200;
const auctionBytes = 500;
const bidBytes = 100;
const longBytes = 8;

const states = ['AZ', 'CA', 'ID', 'OR', 'WA', 'WY'];
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
const firstNames = ['Peter', 'Paul', 'Luke', 'John', 'Saul', 'Vicky', 'Kate', 'Julie', 'Sarah', 'Deiter', 'Walter'];
const lastNames = ['Shultz', 'Abrams', 'Spencer', 'White', 'Bartels', 'Walton', 'Smith', 'Jones', 'Noris'];

/** Returns the function that gives event n, n ≥ 0. */
export function nexmarkGenerator(options: GeneratorOptions = {}): (n: number) => NexmarkEvent {
  const { baseTime = 1_436_918_400_000, interEventDelayMicros = 100, outOfOrderGroupSize = 1 } = options;
  const timeOf = (number: number): number => baseTime + Math.floor((number * interEventDelayMicros) / 1000);
  return (n) => {
    const id = adjustedEventNumber(n, outOfOrderGroupSize);
    const random = new JavaRandom(id);
    const place = id % epochEvents;
    if (place < personsPerEpoch) return nextPerson(id, random, timeOf(id));
    if (place >= personsPerEpoch + auctionsPerEpoch) return nextBid(id, random, timeOf(id));
    // On average, an auction stays open until as many new auctions exist as may be in flight.
    const eventsForAuctions = Math.trunc((auctionsInFlight * epochEvents) / auctionsPerEpoch);
    return nextAuction(id, random, timeOf(id), timeOf(id + eventsForAuctions) - timeOf(id));
  };
}

/** The number of the event at place n: a permutation inside each group. */
export function adjustedEventNumber(n: number, groupSize: number): number {
  return Math.floor(n / groupSize) * groupSize + ((n * 953) % groupSize);
}

function nextPerson(id: number, random: JavaRandom, dateTime: number): Person {
  const name = `${pick(firstNames, random)} ${pick(lastNames, random)}`;
  const emailAddress = `${nextText(random, 7)}@${nextText(random, 5)}.com`;
  const creditCard = Array.from({ length: 4 }, () => String(random.nextBelow(10_000)).padStart(4, '0')).join(' ');
  const city = pick(cities, random);
  const state = pick(states, random);
  const texts = name.length + emailAddress.length + creditCard.length + city.length + state.length;
  return {
    type: 'person',
    id: lastPerson(id) + firstPersonId,
    name,
    emailAddress,
    creditCard,
    city,
    state,
    dateTime,
    extra: nextExtra(random, longBytes + texts, personBytes),
  };
}

function nextAuction(id: number, random: JavaRandom, dateTime: number, horizonMillis: number): Auction {
  const isHot = random.nextBelow(hotSellersRatio) > 0;
  const seller = firstPersonId + (isHot ? hot(lastPerson(id)) : nextPersonOf(id, random));
  const category = firstCategoryId + random.nextBelow(categories);
  const initialBid = nextPrice(random);
  const expires = dateTime + 1 + random.nextBelow(Math.max(horizonMillis * 2, 1));
  const itemName = nextText(random, 20);
  const description = nextText(random, 100);
  const reserve = initialBid + nextPrice(random);
  const size = 6 * longBytes + itemName.length + description.length;
  return {
    type: 'auction',
    id: lastAuction(id) + firstAuctionId,
    itemName,
    description,
    initialBid,
    reserve,
    dateTime,
    expires,
    seller,
    category,
    extra: nextExtra(random, size, auctionBytes),
  };
}

function nextBid(id: number, random: JavaRandom, dateTime: number): Bid {
  const isHotAuction = random.nextBelow(hotAuctionRatio) > 0;
  const auction = firstAuctionId + (isHotAuction ? hot(lastAuction(id)) : nextAuctionOf(id, random));
  // The second of each hundred, so that hot bidders are not also hot sellers.
  const isHotBidder = random.nextBelow(hotBiddersRatio) > 0;
  const bidder = firstPersonId + (isHotBidder ? hot(lastPerson(id)) + 1 : nextPersonOf(id, random));
  const price = nextPrice(random);
  return { type: 'bid', auction, bidder, price, dateTime, extra: nextExtra(random, 4 * longBytes, bidBytes) };
}

// ------------------------------------------------------------------------------------- ids, from 0

/** The newest person at event `id`. */
function lastPerson(id: number): number {
  return Math.floor(id / epochEvents);
}
/** The newest auction at event `id`; −1 before the first. */
function lastAuction(id: number): number {
  const epoch = Math.floor(id / epochEvents);
  const place = id % epochEvents;
  if (place < personsPerEpoch) return (epoch - 1) * auctionsPerEpoch + auctionsPerEpoch - 1;
  return epoch * auctionsPerEpoch + Math.min(place - personsPerEpoch, auctionsPerEpoch - 1);
}
function hot(last: number): number {
  return Math.trunc(last / hotEvery) * hotEvery;
}
function nextPersonOf(id: number, random: JavaRandom): number {
  const people = lastPerson(id) + 1;
  const active = Math.min(people, activePeople);
  return people - active + random.nextBelow(active + idLead);
}
function nextAuctionOf(id: number, random: JavaRandom): number {
  const last = lastAuction(id);
  const first = Math.max(last - auctionsInFlight, 0);
  return first + random.nextBelow(last - first + 1 + idLead);
}

// ------------------------------------------------------------------------------------------ values

function pick<T>(values: readonly T[], random: JavaRandom): T {
  return values[random.nextBelow(values.length)]!;
}
/** 1.00 to a million, log-uniform, in cents. */
function nextPrice(random: JavaRandom): number {
  return Math.round(10 ** (random.nextDouble() * 6) * 100);
}
/** 3 to maxLength − 1 letters, one in thirteen of them a space. */
function nextText(random: JavaRandom, maxLength: number): string {
  let text = '';
  for (let left = 3 + random.nextBelow(maxLength - 3); left > 0; left--)
    text += random.nextBelow(13) === 0 ? ' ' : letter(random.nextBelow(26));
  return text.trim();
}
/** Fills an event up to `wanted` bytes, plus or minus a fifth of the missing bytes. */
function nextExtra(random: JavaRandom, size: number, wanted: number): string {
  if (size > wanted) return '';
  const missing = wanted - size;
  const spread = Math.round(missing * 0.2);
  let left = missing - spread + (spread === 0 ? 0 : random.nextBelow(2 * spread));
  let text = '';
  while (left > 0) {
    // Six letters from one number. A negative number gives characters below 'a', because Java's
    // remainder has the sign of the dividend. This is part of the definition.
    let bits = random.nextInt();
    for (let i = 0; i < 6 && left > 0; i++, left--) {
      text += letter(bits % 26);
      bits = Math.trunc(bits / 26);
    }
  }
  return text;
}
function letter(index: number): string {
  return String.fromCharCode(97 + index);
}
