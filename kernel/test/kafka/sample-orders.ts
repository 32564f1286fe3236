// The orders that the samples on topics read, and the totals of each country and minute.
const minute = 60_000;
const begin = Date.UTC(2026, 0, 31, 12);
const minutes = 5;
const perMinute = 40;

/**
 * Two countries over four partitions, out of order within the sample's bound of ten seconds. At the
 * end each partition has an order far ahead, so that all minutes close.
 */
export function orders(): { readonly partition: number; readonly value: unknown }[] {
  const counted = Array.from({ length: minutes * perMinute }, (_, n) => ({
    partition: n % 4,
    value: order(n, begin + Math.floor((n * minute) / perMinute) + ((n * 7) % 9) * 1000),
  }));
  const ahead = Array.from({ length: 4 }, (_, partition) => ({
    partition,
    value: order(10_000 + partition, begin + (minutes + 5) * minute),
  }));
  return [...counted, ...ahead, { partition: 0, value: 'not JSON' }];
}
function order(n: number, at: number): { country: string; amount: number; createdAt: string; id: string } {
  return { id: `o-${n}`, country: n % 3 === 0 ? 'DE' : 'CH', amount: n % 100, createdAt: new Date(at).toISOString() };
}
export interface Total {
  readonly country: string;
  readonly windowStart: string;
  readonly orders: number;
  readonly amount: number;
}
/** Of orders with this amount at least. */
export function expectedTotals(least = 0): Map<string, { orders: number; amount: number }> {
  const totals = new Map<string, { orders: number; amount: number }>();
  for (const { value } of orders()) {
    if (typeof value === 'string') continue;
    const { country, amount, createdAt } = value as ReturnType<typeof order>;
    const at = Date.parse(createdAt);
    if (at >= begin + (minutes + 5) * minute || amount < least) continue;
    const key = `${country} ${new Date(at - (at % minute)).toISOString()}`;
    const total = totals.get(key) ?? { orders: 0, amount: 0 };
    totals.set(key, { orders: total.orders + 1, amount: total.amount + amount });
  }
  return totals;
}
export function asMap(totals: readonly Total[]): Map<string, { orders: number; amount: number }> {
  return new Map(
    totals.map(({ country, windowStart, orders, amount }) => [`${country} ${windowStart}`, { orders, amount }]),
  );
}
