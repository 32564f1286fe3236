// The types of the contract: inferred rows and refused arguments, through the package as it is
// imported.
/* eslint-disable @typescript-eslint/no-unsafe-return, @typescript-eslint/no-unsafe-call -- what does not type-check has no type */
import {
  avg,
  count,
  from,
  generate,
  kafka,
  max,
  min,
  param,
  sliding,
  sum,
  tumbling,
  valueState,
  view,
  backpressure,
  type KeyedStream,
  type SourceStream,
  type Stream,
  type WindowResult,
} from '../../index.ts';

type Same<A, B> = (<X>() => X extends A ? 1 : 2) extends <X>() => X extends B ? 1 : 2 ? true : false;
/** The value's type is exactly T. */
declare function expectType<T>(): <V>(value: V, ...wrong: Same<V, T> extends true ? [] : [never]) => void;

interface Trip {
  id: string;
  zone: 'north' | 'south';
  fare: number;
  at: Date;
  tip?: number;
  day: Date;
}
declare module '../../api/surface.ts' {
  interface Topics {
    trips: Trip;
  }
}

const trips = kafka('trips', { timestamp: 'at', watermark: { outOfOrderness: '5s', idleness: '1m' } });
expectType<SourceStream<Trip>>()(trips);
expectType<SourceStream<unknown>>()(kafka('another'));
expectType<SourceStream<{ n: number }>>()(kafka<{ n: number }>('another'));
expectType<Stream<{ n: number; at: Date }>>()(generate({ rate: 10 }, ({ n, now }) => ({ n, at: now })));
expectType<Stream<number>>()(from([1, 2, 3]));
// @ts-expect-error a string field is no time of a record that has none
generate({ timestamp: 'missing' }, ({ n }) => ({ n }));
// @ts-expect-error not a duration
kafka('trips', { watermark: { outOfOrderness: '5 seconds' } });

// The place, the key and the headers of a record.
const placed = kafka('trips', { meta: true, timestamp: 'at' }).map((trip) => ({
  fare: trip.fare,
  place: [trip.meta.topic, trip.meta.partition, trip.meta.offset] as const,
  at: trip.meta.timestamp,
  key: trip.meta.key,
  trace: trip.meta.headers['trace'],
}));
expectType<
  Stream<{
    fare: number;
    place: readonly [string, number, string];
    at: number | null;
    key: string | null;
    trace: string | Uint8Array | null | undefined;
  }>
>()(placed);
kafka('trips', { meta: true }).keyBy('zone');
expectType<Stream<Uint8Array | null>>()(kafka('trips', { meta: true, keyFormat: 'bytes' }).map(({ meta }) => meta.key));
expectType<Stream<unknown>>()(kafka('trips', { meta: true, keyFormat: 'avro' }).map(({ meta }) => meta.key));
expectType<Stream<unknown>>()(kafka('trips', { meta: true, keySchemaFile: 'k.avsc' }).map(({ meta }) => meta.key));
expectType<Stream<number>>()(kafka<{ n: number }>('another', { meta: true, keyFormat: 'json' }).map(({ n }) => n));
expectType<Stream<string | null>>()(kafka<{ n: number }>('another', { meta: true }).map(({ meta }) => meta.key));
expectType<Stream<string>>()(kafka<string>('another', { meta: true }).map(({ value }) => value));
expectType<Stream<unknown>>()(kafka<{ meta: string }>('another', { meta: true }).map(({ meta }) => meta.own));
// @ts-expect-error `timestamp` selects a field of the value
kafka<{ n: number }>('another', { meta: true, timestamp: 'missing' });
// @ts-expect-error without meta: true there is none
kafka('trips').map(({ meta }) => meta);

// Per record.
expectType<Stream<number>>()(trips.map((trip) => trip.fare));
expectType<Stream<Trip & { zone: 'north' }>>()(
  trips.filter((trip): trip is Trip & { zone: 'north' } => trip.zone === 'north'),
);
expectType<Stream<string>>()(trips.flatMap((trip) => [trip.id]));
expectType<Stream<Trip | number>>()(trips.union(from([1])));
// @ts-expect-error no such field
trips.map((trip) => trip.fair);
const fares = sum('fare');
// @ts-expect-error a predicate gives a boolean
trips.filter((trip) => trip.fare);

// Keys: fields, a value, a date, a tuple.
expectType<KeyedStream<Trip, Pick<Trip, 'zone'>>>()(trips.keyBy('zone'));
expectType<KeyedStream<Trip, Pick<Trip, 'zone' | 'id'>>>()(trips.keyBy('zone', 'id'));
expectType<KeyedStream<Trip, { key: Date }>>()(trips.keyBy((trip) => trip.day));
expectType<KeyedStream<Trip, { key: [string, Date] }>>()(trips.keyBy((trip): [string, Date] => [trip.zone, trip.day]));
expectType<KeyedStream<Trip, { region: string }>>()(trips.keyBy((trip): { region: string } => ({ region: trip.zone })));
// @ts-expect-error no such field
trips.keyBy('zome');

// Aggregates: a flat row of key, bounds and results.
const totals = trips
  .keyBy('zone')
  .window(tumbling('1m', { offset: '-30s' }))
  .allowedLateness('10s')
  .aggregate({ total: sum('fare'), n: count(), mean: avg((trip) => trip.fare), first: min('at'), last: max('id') });
expectType<
  WindowResult<
    {
      zone: 'north' | 'south';
      windowStart: Date;
      windowEnd: Date;
      total: number;
      n: number;
      mean: number;
      first: Date;
      last: string;
    },
    Trip
  >
>()(totals);
expectType<Stream<Trip>>()(totals.late);
expectType<Stream<{ zone: 'north' | 'south'; n: number }>>()(trips.keyBy('zone').aggregate({ n: count() }));
expectType<WindowResult<{ windowStart: Date; windowEnd: Date; n: number }, Trip>>()(
  trips.windowAll(sliding('10m', '1m')).aggregate({ n: count() }),
);
// @ts-expect-error not a number
trips.keyBy('zone').aggregate({ total: sum('id') });
// A field that may be missing: without a value, the result is null.
expectType<Stream<{ zone: 'north' | 'south'; total: number | null; most: number | null }>>()(
  trips.keyBy('zone').aggregate({ total: sum('tip'), most: max((trip) => trip.tip) }),
);
// Not tied to a stream.
expectType<Stream<{ zone: 'north' | 'south'; total: number }>>()(trips.keyBy('zone').aggregate({ total: fares }));
// @ts-expect-error a window needs a key, or windowAll
trips.window(tumbling('1m'));
// @ts-expect-error not a duration
sliding('10m', 60);
expectType<WindowResult<{ zone: string; rows: number }, Trip>>()(
  trips
    .keyBy('zone')
    .window(tumbling('1m'))
    .apply((key, _window, elements): { zone: string; rows: number }[] => [{ zone: key.zone, rows: elements.length }]),
);

// process: two result types.
const seen = trips.keyBy('zone').process({
  state: { last: valueState<Trip>() },
  *onElement(trip, { state, timers, key }) {
    expectType<'north' | 'south'>()(key.zone);
    expectType<Trip | undefined>()(state.last.get());
    timers.eventTime(0);
    yield { id: trip.id };
  },
  *onTimer(at) {
    yield at;
  },
});
expectType<Stream<{ id: string } | number>>()(seen);

// onElement gives nothing: the type is that of what onTimer yields.
expectType<Stream<number>>()(
  trips.keyBy('zone').process({
    state: { last: valueState<Trip>() },
    onElement(trip, { state, timers }) {
      state.last.set(trip);
      timers.eventTime(0);
    },
    *onTimer(at) {
      yield at;
    },
  }),
);
expectType<Stream<never>>()(trips.keyBy('zone').process({ onElement() {} }));
trips.keyBy('zone').process({
  state: { last: valueState<Trip>() },
  onElement(_trip, { state }) {
    // @ts-expect-error the state holds trips
    state.last.set('a trip');
  },
});

// Two inputs.
const connected = trips.connect(from([1n]));
expectType<Stream<string | bigint>>()(
  connected.map(
    (trip): string | bigint => trip.id,
    (n) => n,
  ),
);
expectType<Stream<string>>()(
  connected
    .keyBy(
      (trip) => trip.id,
      (n) => String(n),
    )
    .process({
      *onLeft(trip, { key }) {
        yield trip.id + key.key;
      },
      *onRight(n) {
        yield String(n);
      },
    }),
);

// Sinks, displays, parameters.
trips.to('copies', { key: 'zone', timestamp: 'at' });
// @ts-expect-error a key is a string field
trips.to('copies', { key: 'fare' });
trips.to('copies', { key: 'fare', keyFormat: 'json' });
const named = kafka<{ name: string | null; short?: string }>('named');
named.to('copies', { key: 'name' });
named.to('copies', { key: 'short' });
named.to('copies', { key: ({ name }) => name });
trips.to('copies', { key: ({ id, zone }) => ({ id, zone }), keyFormat: 'avro', keySchemaFile: 'key.avsc' });
trips.to('copies', {
  headers: ({ zone }) => ({ zone, raw: Uint8Array.of(1), none: null }),
  partitioner: ({ fare }, partitions) => Math.floor(fare) % partitions,
  acks: 1,
  compression: 'zstd',
  linger: '20ms',
  create: { partitions: 3, config: { 'retention.ms': 86_400_000 } },
});
// @ts-expect-error a header is a text, bytes or null
trips.to('copies', { headers: ({ fare }) => ({ fare }) });
// @ts-expect-error Kafka has no such acknowledgement
trips.to('copies', { acks: 2 });
view(totals.chart({ mark: 'bar', x: 'windowEnd', y: 'total', color: 'zone', last: '5m' }), trips, backpressure());
totals.chart({ encoding: { x: { field: 'windowEnd' } } });
// @ts-expect-error no such column
totals.chart({ x: 'windowEnd', y: 'totle' });
// @ts-expect-error no such mark
totals.chart({ mark: 'pie', x: 'windowEnd', y: 'total' });
expectType<number>()(param<number>('minutes', 5));
