// The types of aggregates: inferred rows and refused arguments, through the package as it is
// imported.
import {
  aggregator,
  collect,
  countDistinct,
  first,
  from,
  maxBy,
  minBy,
  quantile,
  type Stream,
  topN,
  variance,
} from '../../index.ts';

type Same<A, B> = (<X>() => X extends A ? 1 : 2) extends <X>() => X extends B ? 1 : 2 ? true : false;
/** The value's type is exactly T. */
declare function expectType<T>(): <V>(value: V, ...wrong: Same<V, T> extends true ? [] : [never]) => void;

interface Trip {
  id: string;
  zone: 'north' | 'south';
  fare: number;
  day: Date;
}
const trips = from<Trip>([]);

expectType<
  Stream<{
    zone: 'north' | 'south';
    cheapest: Trip;
    dearest: Trip;
    first: Date | undefined;
    spread: number;
    p95: number;
    riders: number;
    top: Trip[];
    ids: string[];
    all: Trip[];
    own: { fares: number };
  }>
>()(
  trips.keyBy('zone').aggregate({
    cheapest: minBy('fare'),
    dearest: maxBy((trip) => trip.fare),
    first: first((trip): Date | undefined => trip.day),
    spread: variance('fare'),
    p95: quantile(0.95, 'fare'),
    riders: countDistinct('id', { approximate: true }),
    top: topN(3, 'fare'),
    ids: collect((trip: Trip) => trip.id),
    all: collect<Trip>(),
    own: aggregator({
      create: () => 0,
      add: (sum: number, trip: Trip) => sum + trip.fare,
      result: (fares: number) => ({ fares }),
    }),
  }),
);
// @ts-expect-error not a number
trips.keyBy('zone').aggregate({ dearest: maxBy('id') });
// @ts-expect-error no such field
trips.keyBy('zone').aggregate({ riders: countDistinct('rider') });
// @ts-expect-error an accumulator of another type
aggregator({ create: () => 0, add: (sum: string, trip: Trip) => sum + trip.id, result: (all) => all });
// @ts-expect-error a quantile is a share of a value
trips.keyBy('zone').aggregate({ p95: quantile('fare') });
