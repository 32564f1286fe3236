// Nexmark queries over single bids: q0, q1, q2, q14, q21, q22.
import type { Stream } from '../../index.ts';
import type { BidRow } from './rows.ts';

/**
 * Thousandths of a euro for a dollar. One division gives the double that is nearest to the decimal.
 */
const eurosPerThousandDollars = 908;
const inEuros = (price: number): number => (price * eurosPerThousandDollars) / 1000;

/** Passes every bid on. */
export function q0(bids: Stream<BidRow>) {
  return bids.map(({ auction, bidder, price, dateTime }) => ({ auction, bidder, price, dateTime }));
}

/** Currency conversion. */
export function q1(bids: Stream<BidRow>) {
  return bids.map(({ auction, bidder, price, dateTime }) => ({ auction, bidder, price: inEuros(price), dateTime }));
}

/** Bids on five auctions. */
export function q2(bids: Stream<BidRow>) {
  const watched = [1007, 1020, 2001, 2019, 2087];
  return bids.filter(({ auction }) => watched.includes(auction)).map(({ auction, price }) => ({ auction, price }));
}

/** Bids of a medium price, with the part of the day and the number of c's in their text. */
export function q14(bids: Stream<BidRow>) {
  return bids
    .map(({ auction, bidder, price, dateTime, extra }) => ({
      auction,
      bidder,
      price: inEuros(price),
      timeOfDay: timeOfDay(new Date(dateTime).getUTCHours()),
      dateTime,
      cs: extra.split('c').length - 1,
    }))
    .filter(({ price }) => price > 1_000_000 && price < 50_000_000);
}
function timeOfDay(hour: number): 'dayTime' | 'nightTime' | 'otherTime' {
  if (hour >= 8 && hour <= 18) return 'dayTime';
  return hour <= 6 || hour >= 20 ? 'nightTime' : 'otherTime';
}

/**
 * The number of the channel: by name for the four large ones, from the address for others. A bid
 * without a number is left out.
 */
export function q21(bids: Stream<BidRow>) {
  const large = ['apple', 'google', 'facebook', 'baidu'];
  return bids.flatMap(({ auction, bidder, price, channel, url }) => {
    const index = large.indexOf(channel.toLowerCase());
    const channelId = index < 0 ? /(?:&|^)channel_id=([^&]*)/.exec(url)?.[1] : String(index);
    return channelId === undefined ? [] : [{ auction, bidder, price, channel, channelId }];
  });
}

/** The three folders of the address. */
export function q22(bids: Stream<BidRow>) {
  return bids.map(({ auction, bidder, price, channel, url }) => {
    const [, , , first = '', second = '', third = ''] = url.split('/');
    return { auction, bidder, price, channel, first, second, third };
  });
}
