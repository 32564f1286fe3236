// The types of mapAsync: inferred rows and refused arguments.
/* eslint-disable @typescript-eslint/no-unsafe-return -- what does not type-check has no type */
import { from, type Stream } from '../../index.ts';

type Same<A, B> = (<X>() => X extends A ? 1 : 2) extends <X>() => X extends B ? 1 : 2 ? true : false;
/** The value's type is exactly T. */
declare function expectType<T>(): <V>(value: V, ...wrong: Same<V, T> extends true ? [] : [never]) => void;

const orders = from([{ id: 'a', at: 5 }]);
const priced = orders.mapAsync(
  async (order, signal) => {
    expectType<AbortSignal>()(signal);
    return Promise.resolve({ ...order, price: 5 });
  },
  { capacity: 20, ordered: false, timeout: '2s', retries: 2, onError: 'drop' },
);
expectType<Stream<{ price: number; id: string; at: number }>>()(priced);
// @ts-expect-error not a duration
orders.mapAsync(async (order) => Promise.resolve(order), { timeout: 2000 });
// @ts-expect-error a function that gives no promise is map's
orders.mapAsync((order) => order.id);
// @ts-expect-error no such field
orders.mapAsync(async (order) => Promise.resolve(order.price));

const watermarked = orders.assignTimestamps('at', {
  onElement: (order, timestamp) => (order.id === 'mark' ? timestamp : undefined),
  onPeriodic: () => 5,
});
expectType<Stream<{ id: string; at: number }>>()(watermarked);
// @ts-expect-error a watermark is a number
orders.assignTimestamps('at', { onElement: () => new Date() });
