// The types of joins: keys are tuples of values, and a side that may be missing may be undefined.
/* eslint-disable @typescript-eslint/no-unsafe-return, @typescript-eslint/no-unsafe-call -- what does not type-check has no type */
import { from, session, tumbling, type Stream, type WindowResult } from '../../index.ts';

type Same<A, B> = (<X>() => X extends A ? 1 : 2) extends <X>() => X extends B ? 1 : 2 ? true : false;
/** The value's type is exactly T. */
declare function expectType<T>(): <V>(value: V, ...wrong: Same<V, T> extends true ? [] : [never]) => void;

interface Order {
  id: string;
  shop: number;
  placed: Date;
}
interface Payment {
  orderId: string;
  at: number;
  sum: number;
}
declare const orders: Stream<Order>;
declare const payments: Stream<Payment>;

// Interval joins: names of key fields are labels only.
const paid = orders
  .keyBy('id')
  .intervalJoin(payments.keyBy('orderId'))
  .between('-5m', '1h')
  .select((order, payment) => ({ id: order.id, sum: payment.sum }));
expectType<WindowResult<{ id: string; sum: number }, Order | Payment>>()(paid);
expectType<Stream<Order | Payment>>()(paid.late);
orders
  .keyBy('id')
  .intervalJoin(payments.keyBy('orderId'), 'left')
  .between('0s', '1h')
  .select((order, payment) => {
    expectType<Order | undefined>()(order);
    expectType<Payment | undefined>()(payment);
    return 1;
  });
orders
  .keyBy('id')
  .intervalJoin(payments.keyBy('orderId'), 'outer')
  .between('0s', '1h')
  // @ts-expect-error without a partner there is no payment
  .select((_, { sum }) => sum);
// @ts-expect-error not a bound
orders.keyBy('id').intervalJoin(payments.keyBy('orderId')).between('-5 minutes', '1h');
// @ts-expect-error there is no such kind
orders.keyBy('id').intervalJoin(payments.keyBy('orderId'), 'right');
const unbounded = orders.keyBy('id').intervalJoin(payments.keyBy('orderId'));
// @ts-expect-error no bounds, no rows
unbounded.select(() => 1);

// Keys of different types are never the same.
// @ts-expect-error a text is no number
orders.keyBy('id').intervalJoin(payments.keyBy('at'));
// @ts-expect-error a text is no number
orders.keyBy('id').join(payments.keyBy((payment) => payment.sum));
// @ts-expect-error a Date is no number
orders.keyBy('placed').coGroup(payments.keyBy('at'));
// @ts-expect-error the other stream has no key
orders.keyBy('id').join(payments);
// @ts-expect-error a stream without a key joins nothing
orders.join(payments.keyBy('orderId'));
orders.keyBy(({ id }) => id).join(payments.keyBy('orderId'));
orders.keyBy('id', 'shop').join(payments.keyBy('orderId', 'at'));
orders.keyBy((order) => order.placed).join(payments.keyBy(({ at }) => new Date(at)));

// Window joins and coGroup.
expectType<WindowResult<number, Order | Payment>>()(
  orders
    .keyBy('id')
    .join(payments.keyBy('orderId'), 'outer')
    .window(tumbling('1m'))
    .select((order, payment) => {
      expectType<Order | undefined>()(order);
      return payment?.sum ?? 0;
    }),
);
orders
  .keyBy('id')
  .join(payments.keyBy('orderId'))
  .window(session((element: Order | Payment) => ('sum' in element ? '10s' : '1m')))
  .select((order) => order);
orders
  .keyBy('id')
  .join(payments.keyBy('orderId'))
  // @ts-expect-error the gap is asked of elements of both sides
  .window(session((order: Order) => (order.shop > 1 ? '10s' : '1m')));
expectType<WindowResult<{ id: string; n: number; from: Date }, Order | Payment>>()(
  orders
    .keyBy('id')
    .coGroup(payments.keyBy('orderId'))
    .window(tumbling('1m'))
    .apply(function* (key, left, right, window) {
      expectType<{ id: string }>()({ ...key });
      expectType<readonly Order[]>()(left);
      expectType<readonly Payment[]>()(right);
      yield { id: key.id, n: left.length, from: window.windowStart };
    }),
);
orders
  .keyBy('id')
  .coGroup(payments.keyBy('orderId'))
  .window(tumbling('1m'))
  // @ts-expect-error rows come in an iterable
  .apply((_key, left) => left.length);
from([1])
  .keyBy((n) => n)
  .join(orders.keyBy('shop'))
  .window(tumbling('1m'))
  .select((n, order) => (n ?? 0) + (order?.shop ?? 0));
