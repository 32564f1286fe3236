// The types of keyed state and pairwise: inferred rows and refused arguments.
/* eslint-disable @typescript-eslint/no-unsafe-return, @typescript-eslint/no-unsafe-call, @typescript-eslint/no-unsafe-member-access -- what does not type-check has no type */
import { from, listState, mapState, type Stream, valueState } from '../../index.ts';

type Same<A, B> = (<X>() => X extends A ? 1 : 2) extends <X>() => X extends B ? 1 : 2 ? true : false;
/** The value's type is exactly T. */
declare function expectType<T>(): <V>(value: V, ...wrong: Same<V, T> extends true ? [] : [never]) => void;

const trips = from([{ zone: 'north', day: new Date(0), fare: 1 }]);

expectType<Stream<string>>()(
  trips.keyBy('zone').process({
    state: {
      fares: listState<number>({ ttl: '1h', refresh: 'read-write' }),
      byDay: mapState<Date, number>(),
      last: valueState<string>(),
    },
    *onElement({ day, fare }, { state, timers }) {
      for (const one of state.fares) expectType<number>()(one);
      for (const entry of state.byDay) expectType<[Date, number]>()(entry);
      expectType<number | undefined>()(state.byDay.get(day));
      expectType<boolean>()(state.byDay.has(day));
      state.fares.set(new Set([1, 2]));
      state.byDay.set(day, fare);
      timers.deleteProcessingTime(5);
      yield 'row';
      // @ts-expect-error a list of numbers
      state.fares.add('1');
      // @ts-expect-error the keys are dates
      state.byDay.get('monday');
      // @ts-expect-error no such state
      state.first.get();
    },
  }),
);
// @ts-expect-error not a duration
listState({ ttl: 60 });
// @ts-expect-error no such refresh
mapState({ ttl: '1h', refresh: 'read' });

from([{ n: 1 }])
  .pairwise()
  .map(([previous, current]) => {
    expectType<number>()(previous.n - current.n);
    // @ts-expect-error no such field
    return current.m;
  });
from([{ n: 1 }])
  .keyBy('n')
  .pairwise()
  .map((pair) => {
    expectType<{ n: number }>()(pair[1]);
    // @ts-expect-error a pair has two
    return pair[2];
  });
