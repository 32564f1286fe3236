// The types of tables: inferred rows and refused arguments, through the package as it is imported.

import {
  aggregator,
  collect,
  count,
  from,
  generate,
  max,
  table,
  view,
  Environment,
  type Stream,
  type Table,
  type TableChange,
} from '../../index.ts';

type Same<A, B> = (<X>() => X extends A ? 1 : 2) extends <X>() => X extends B ? 1 : 2 ? true : false;
/** The value's type is exactly T. */
declare function expectType<T>(): <V>(value: V, ...wrong: Same<V, T> extends true ? [] : [never]) => void;

interface Customer {
  id: string;
  tier: 'gold' | 'basic';
  since: Date;
}
interface Order {
  n: number;
  customer: string;
  amount: number;
}
declare module '../../api/surface.ts' {
  interface Topics {
    buyers: Customer;
  }
}

// Sources.
const customers = table('buyers', { key: 'id', timestamp: 'since' });
expectType<Table<Customer, Pick<Customer, 'id'>>>()(customers);
expectType<Table<Order, Pick<Order, 'n'>>>()(table<Order, 'n'>('another', { key: 'n' }));
new Environment().table('buyers', { key: 'id' });
// @ts-expect-error no such field
table('buyers', { key: 'ident' });
// @ts-expect-error a table has a key
table('buyers', {});

// From streams.
const orders = from<Order>([]);
const latest = orders.keyBy('customer').toTable();
expectType<Table<Order, Pick<Order, 'customer'>>>()(latest);
expectType<Table<Order, { key: number }>>()(orders.keyBy(({ n }) => n % 2).toTable());
expectType<Table<number, Pick<Order, 'customer'>>>()(latest.map(({ amount }) => amount));
expectType<Table<Order, Pick<Order, 'customer'>>>()(latest.filter(({ amount }) => amount > 1));
expectType<Stream<TableChange<Order>>>()(latest.toStream());
latest.toStream().map((change) => {
  if (change.kind !== 'insert') expectType<Order>()(change.former);
  return change.former?.amount;
});
expectType<Promise<Order | undefined>>()(latest.get({ customer: 'ann' }));
// @ts-expect-error another key
void latest.get({ n: 1 });
// @ts-expect-error a predicate gives a boolean
latest.filter(({ amount }) => amount);

// Joins.
const both = latest.join(customers, 'outer').select((order, customer) => {
  expectType<Order | undefined>()(order);
  expectType<Customer | undefined>()(customer);
  return { n: order?.n, tier: customer?.tier };
});
expectType<Table<{ n: number | undefined; tier: 'gold' | 'basic' | undefined }, Pick<Order, 'customer'>>>()(both);
// @ts-expect-error no such kind
latest.join(customers, 'full');
// @ts-expect-error a stream is no table
latest.join(orders);
const enriched = orders
  .keyBy('customer')
  .temporalJoin(customers, { time: 'arrival' })
  .select((order, customer) => {
    expectType<Customer | undefined>()(customer);
    return { ...order, tier: customer?.tier ?? 'basic' };
  });
expectType<Stream<{ tier: 'gold' | 'basic'; n: number; customer: string; amount: number }>>()(enriched);
// @ts-expect-error no such time
orders.keyBy('customer').temporalJoin(customers, { time: 'processing' });
orders
  .keyBy('customer')
  .temporalJoin(customers)
  // @ts-expect-error there may be no version
  .select((order, customer) => customer.tier + order.customer);

// Delta iteration.
expectType<Table<Order, Pick<Order, 'customer'>>>()(
  latest.iterateDelta(
    generate({ limit: 3 }, ({ n }) => ({ who: 'ann', n })),
    {
      key: ({ who }) => ({ customer: who }),
      step({ who, n }, current) {
        expectType<Order | undefined>()(current);
        if (n === 0) return;
        return { row: { n, customer: who, amount: (current?.amount ?? 0) + n }, next: [{ who, n: n - 1 }] };
      },
      maxRounds: 9,
    },
  ),
);
latest.iterateDelta(from([{ who: 'ann' }]), {
  // @ts-expect-error another key
  key: ({ who }) => ({ who }),
  step: () => undefined,
});

// Groups.
const byTier = customers.groupBy('tier').aggregate({ n: count(), who: collect((row) => row.id) });
expectType<Table<{ tier: 'gold' | 'basic'; n: number; who: string[] }, Pick<Customer, 'tier'>>>()(byTier);
expectType<Table<{ key: number; most: number }, { key: number }>>()(
  latest.groupBy(({ n }) => n % 2).aggregate({ most: max('amount') }),
);
expectType<Promise<{ n: number; orders: number } | undefined>>()(
  latest.groupBy('n').aggregate({ orders: count() }).get({ n: 1 }),
);
// @ts-expect-error no such field
customers.groupBy('ident');
// @ts-expect-error no such field
latest.groupBy('n').aggregate({ most: max('total') });
// @ts-expect-error aggregates are made by functions
latest.groupBy('n').aggregate({ n: 1 });
const net = aggregator({
  create: () => 0,
  add: (sum: number, row: Order) => sum + row.amount,
  subtract: (sum, row) => sum - row.amount,
  result: (sum) => sum,
});
expectType<Table<{ n: number; net: number }, Pick<Order, 'n'>>>()(latest.groupBy('n').aggregate({ net }));

// Displays.
view(customers, latest.chart({ mark: 'bar', x: 'customer', y: 'amount' }), latest.show());
// @ts-expect-error no such column
latest.chart({ x: 'customer', y: 'total' });
