// The records of the first comparison: a million orders of a thousand customers, out of order
// within the bound. They are made once and kept in memory.
import { RecordRandom, recordSeed } from '../connectors/record-random.ts';

export interface Order {
  readonly customer: string;
  readonly cents: number;
  readonly at: number;
}

export const orderCount = 1_000_000;
export const customerCount = 1_000;
export const boundMillis = 2_000;
export const windowMillis = 10_000;
const start = Date.UTC(2024, 0, 1);
/** Records per millisecond of event time. All records span a minute and a half. */
const perMilli = 11;

export function makeOrders(): Order[] {
  const customers = Array.from({ length: customerCount }, (_, i) => `customer-${i}`);
  const seed = recordSeed(11);
  return Array.from({ length: orderCount }, (_, n) => {
    const random = new RecordRandom(seed, n);
    return {
      customer: customers[Math.floor(random.next() * customerCount)]!,
      cents: Math.floor(random.next() * 100_000),
      at: start + Math.floor(n / perMilli) - Math.floor(random.next() * boundMillis),
    };
  });
}
