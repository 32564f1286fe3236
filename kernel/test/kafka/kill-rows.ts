// What the kill test on a topic runs, what goes into its topic, and the rows that a batch
// computation makes of it. The batch computation knows nothing of the engine.
//
// A key has one partition, so its records have one order, and so have its rolling sums. Records are
// in the order of time in each partition, so none is late.

const windowMillis = 5_000;
const pairMillis = 2_000;
/** No two records are so far apart, so it does not matter whether it is inclusive. */
const withinMillis = 4_025;
const keys = 11;
export const outputs = ['rolling', 'windows', 'joined', 'matched'] as const;
export type Output = (typeof outputs)[number];

export const notebook = `// %% id=source
import { configure, count, kafka, pattern, sum, tumbling } from 'sluice';
configure({ checkpoint: { interval: '300ms' }, restart: { kind: 'fixed-delay', attempts: 1000000, delay: '100ms' } });
type Event = { n: number; at: number; k: string; v: number };
const events$ = kafka<Event>('events', { from: 'earliest', format: 'json', timestamp: 'at', watermark: { outOfOrderness: '10s' } });

// %% id=rolling
events$.keyBy('k').aggregate({ c: count(), s: sum('n') }).map(({ k, c, s }) => ({ k, c, s })).to('rolling', { key: 'k' });

// %% id=windows
events$.keyBy('k').window(tumbling('${windowMillis}ms')).aggregate({ c: count(), s: sum('n') })
  .map(({ k, windowStart, c, s }) => ({ k, at: Number(windowStart), c, s })).to('windows', { key: 'k' });

// %% id=joined
const low$ = events$.filter(({ v }) => v < 30).keyBy('k');
const high$ = events$.filter(({ v }) => v >= 70).keyBy('k');
low$.intervalJoin(high$).between('-${pairMillis}ms', '${pairMillis}ms')
  .select((low, high) => ({ k: low.k, low: low.n, high: high.n })).to('joined', { key: 'k' });

// %% id=matched
const rising = pattern<Event>('a').where(({ v }) => v < 20).followedBy('b').where(({ v }) => v > 80).within('${withinMillis}ms');
events$.keyBy('k').pattern(rising).select(({ a, b }) => ({ k: a![0]!.k, a: a![0]!.n, b: b![0]!.n })).to('matched', { key: 'k' });
export {};
`;

export interface Event {
  readonly n: number;
  readonly at: number;
  readonly k: string;
  readonly v: number;
}
/** It brings time beyond all others. Its key is in no row that counts. */
const isLast = ({ k }: Event): boolean => k === 'last';

export function eventOf(n: number): Event {
  return { n, at: 1_000_000 + n * 50, k: `k${(n * 7) % keys}`, v: (Math.imul(n, 2_654_435_761) >>> 0) % 100 };
}
export function lastEvent(n: number): Event {
  return { n, at: 1e10, k: 'last', v: 50 };
}
/** There is one last event for each partition. */
export function partitionOf(event: Event, partitions: number): number {
  return (isLast(event) ? event.n : Number(event.k.slice(1))) % partitions;
}

/** The rows of a topic as JSON, and for each key its last rolling row. */
export type Expected = Readonly<Record<Output, ReadonlySet<string>>> & { readonly last: ReadonlySet<string> };

/** `events`: as they lie in their partitions. */
export function expectedRows(events: readonly Event[]): Expected {
  const byKey = [...Map.groupBy(events, ({ k }) => k)].filter(([, own]) => !isLast(own[0]!));
  const each = (rows: (k: string, own: readonly Event[]) => readonly object[]): ReadonlySet<string> =>
    new Set(byKey.flatMap(([k, own]) => rows(k, own).map((row) => JSON.stringify(row))));
  return {
    rolling: each(rolling),
    windows: each((k, own) =>
      [...Map.groupBy(own, ({ at }) => Math.floor(at / windowMillis) * windowMillis)].map(([at, all]) => ({
        ...{ k, at, c: all.length, s: sumOf(all) },
      })),
    ),
    joined: each(joined),
    matched: each(matched),
    last: each((k, own) => rolling(k, own).slice(-1)),
  };
}

function sumOf(events: readonly Event[]): number {
  return events.reduce((sum, { n }) => sum + n, 0);
}
function rolling(k: string, own: readonly Event[]): readonly object[] {
  let s = 0;
  return own.map(({ n }, index) => ({ k, c: index + 1, s: (s += n) }));
}
function joined(k: string, own: readonly Event[]): readonly object[] {
  const highs = own.filter(({ v }) => v >= 70);
  return own
    .filter(({ v }) => v < 30)
    .flatMap((low) =>
      highs.filter((high) => Math.abs(high.at - low.at) <= pairMillis).map((high) => ({ k, low: low.n, high: high.n })),
    );
}
/** Each begin is matched with the first end behind it. */
function matched(k: string, own: readonly Event[]): readonly object[] {
  const inTime = own.toSorted((a, b) => a.at - b.at);
  return inTime.flatMap((a, index) => {
    if (a.v >= 20) return [];
    const b = inTime.slice(index + 1).find(({ v }) => v > 80);
    return b && b.at - a.at < withinMillis ? [{ k, a: a.n, b: b.n }] : [];
  });
}
