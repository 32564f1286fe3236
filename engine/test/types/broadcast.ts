// The types of broadcast state: inferred rows and refused arguments.
/* eslint-disable @typescript-eslint/no-unsafe-call -- what does not type-check has no type */
import { type BroadcastStream, from, listState, mapState, type Stream, valueState } from '../../index.ts';

type Same<A, B> = (<X>() => X extends A ? 1 : 2) extends <X>() => X extends B ? 1 : 2 ? true : false;
/** The value's type is exactly T. */
declare function expectType<T>(): <V>(value: V, ...wrong: Same<V, T> extends true ? [] : [never]) => void;

const trips = from([{ zone: 'north', fare: 1 }]);
const rules = from([{ name: 'x', limit: 5 }]).broadcast();
expectType<BroadcastStream<{ name: string; limit: number }>>()(rules);

expectType<Stream<string | number>>()(
  trips.connect(rules).process({
    broadcast: { limits: mapState<string, number>(), all: listState<number>(), last: valueState<number>() },
    *onElement(trip, { broadcast, key }) {
      // eslint-disable-next-line @typescript-eslint/no-empty-object-type -- a key of no field
      expectType<{}>()(key);
      expectType<number | undefined>()(broadcast.limits.get(trip.zone));
      expectType<number | undefined>()(broadcast.last.get());
      for (const one of broadcast.all) expectType<number>()(one);
      yield trip.zone;
      // @ts-expect-error it is only read here
      broadcast.limits.set('x', 5);
      // @ts-expect-error it is only read here
      broadcast.all.add(5);
      // @ts-expect-error it is only read here
      broadcast.last.clear();
    },
    *onBroadcast({ name, limit }, { broadcast }) {
      broadcast.limits.set(name, limit);
      broadcast.all.add(limit);
      broadcast.last.set(limit);
      yield limit;
      // @ts-expect-error limits are numbers
      broadcast.limits.set(name, name);
    },
  }),
);
expectType<Stream<{ zone: string }>>()(
  trips
    .keyBy('zone')
    .connect(rules)
    .process({
      broadcast: { limits: mapState<string, number>() },
      state: { spent: valueState<number>() },
      *onElement({ fare }, { state, key, timers }) {
        expectType<string>()(key.zone);
        state.spent.set(fare);
        timers.eventTime(5);
        yield { zone: key.zone };
      },
      onBroadcast() {},
      *onTimer(_at, { key, broadcast }) {
        expectType<number | undefined>()(broadcast.limits.get(key.zone));
        // @ts-expect-error it is only read here
        broadcast.limits.set('x', 5);
        yield { zone: key.zone };
      },
    }),
);
// @ts-expect-error a keyed stream connects to a broadcast one
trips.keyBy('zone').connect(trips);
