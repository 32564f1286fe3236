// The types of windows, triggers and evictors: inferred rows and refused arguments.
import {
  aggregator,
  count,
  countWindow,
  customWindow,
  evictor,
  from,
  globalWindow,
  session,
  sliding,
  sum,
  trigger,
  tumbling,
  type Stream,
  type WindowResult,
} from '../../index.ts';

type Same<A, B> = (<X>() => X extends A ? 1 : 2) extends <X>() => X extends B ? 1 : 2 ? true : false;
declare function expectType<T>(): <V>(value: V, ...wrong: Same<V, T> extends true ? [] : [never]) => void;

interface Trip {
  zone: string;
  fare: number;
}
const trips = from<Trip>([]);
const byZone = trips.keyBy('zone');
interface Bounds {
  windowStart: Date;
  windowEnd: Date;
}
type Row<R> = { [K in keyof R]: R[K] } & {};

// Every kind of window gives the same rows.
for (const window of [
  session('30s'),
  session('30s', { time: 'processing' }),
  countWindow(100),
  countWindow(100, 10),
  globalWindow(),
  tumbling('1m', { time: 'processing', offset: '-10s' }),
  sliding('1m', '10s', { time: 'processing' }),
])
  expectType<WindowResult<Row<{ zone: string } & Bounds & { n: number; total: number }>, Trip>>()(
    byZone.window(window).aggregate({ n: count(), total: sum('fare') }),
  );
expectType<WindowResult<Trip, Trip>>()(
  byZone.window(session((trip) => `${trip.fare}s`)).reduce((a, b) => (a.fare > b.fare ? a : b)),
);
expectType<WindowResult<[string, number], Trip>>()(
  byZone.window(countWindow(5)).apply(({ zone }, _window, all): [string, number][] => [[zone, all.length]]),
);
expectType<Stream<Trip>>()(byZone.window(session('1m')).reduce((a) => a).late);
expectType<WindowResult<Row<Bounds & { n: number }>, Trip>>()(trips.windowAll(session('1m')).aggregate({ n: count() }));

// A gap is a duration.
session((trip: Trip) => `${trip.fare}ms`);
// @ts-expect-error a gap is no number
session((trip: Trip) => trip.fare);
// @ts-expect-error the gap of another element
byZone.window(session((other: { minutes: number }) => `${other.minutes}m`));
// @ts-expect-error not a time
session('1m', { time: 'ingestion' });
// @ts-expect-error sessions have no offset
session('1m', { offset: '1s' });
// @ts-expect-error a count is no duration
countWindow('1m');

// Custom windows.
byZone.window(customWindow<Trip>({ assign: ({ fare }, at) => [{ start: at, end: at + fare }], merging: true }));
byZone.window(
  customWindow<Trip>({
    assign: (_, at) => [{ start: at, end: at + 1 }],
    trigger: trigger.count(5),
    time: 'processing',
  }),
);
// @ts-expect-error bounds are epoch milliseconds
customWindow<Trip>({ assign: () => [{ start: new Date(), end: new Date() }] });
// @ts-expect-error assign is missing
customWindow<Trip>({ merging: true });

// Triggers and evictors know the element.
const windowed = byZone.window(tumbling('1m'));
windowed
  .trigger(trigger.early('10s', { time: 'processing' }))
  .evictor(evictor.count(5))
  .allowedLateness('1m');
windowed.trigger(trigger.purging(trigger.delta<Trip>(5, (last, now) => now.fare - last.fare)));
windowed.evictor(evictor.delta<Trip>(5, (element, last) => last.fare - element.fare, { after: true }));
windowed.trigger(
  trigger.custom<Trip>({
    onElement: ({ fare }, at, { state, timers, window, watermark }) => {
      timers.eventTime(Math.max(at, watermark, window.windowEnd.getTime()));
      state.set('fare', fare);
      return fare > 100 ? 'fire-and-purge' : 'continue';
    },
    onMerge: ({ state }) => state.clear(),
  }),
);
// @ts-expect-error the delta of another element
windowed.trigger(trigger.delta<{ minutes: number }>(5, (last, now) => now.minutes - last.minutes));
// @ts-expect-error no such result
trigger.custom<Trip>({ onElement: () => 'emit' });
// @ts-expect-error onElement is missing
trigger.custom<Trip>({ onEventTime: () => 'fire' });
// @ts-expect-error a trigger is no window
byZone.window(trigger.count(5));
// @ts-expect-error an evictor is no trigger
windowed.trigger(evictor.count(5));
// @ts-expect-error a duration is kept, not a number
evictor.time(5000);

// An aggregator without merge has the type of one with it. Sessions refuse it when the cell is
// evaluated.
const plain = aggregator({ create: () => 0, add: (a: number, _: Trip) => a + 1, result: (a) => `${a}` });
expectType<WindowResult<Row<{ zone: string } & Bounds & { n: string }>, Trip>>()(windowed.aggregate({ n: plain }));
