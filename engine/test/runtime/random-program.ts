// Random whole programs over two sources. Each has one result as a multiset of rows, however its
// tasks are scheduled: an operator whose result depends on the order of arrival reads only streams
// whose order the sources decide. Nothing is late: the feedback of a loop holds back no watermark,
// so an operator that looks at event time reads no result of a loop.
import fc from 'fast-check';
import { countWindow, session, sliding, tumbling } from '../../api/windows.ts';
import { count, max, min, sum } from '../../api/aggregates.ts';
import { pattern } from '../../api/pattern.ts';
import { listState, mapState, valueState } from '../../api/state.ts';
import type { KeyedStream, Stream } from '../../api/surface.ts';
import type { Declare } from './crashing-job.ts';

interface Row {
  readonly k: string;
  readonly v: number;
}
export interface SourceRow extends Row {
  readonly at: number;
}
/** A stream that was made, and what is known of it. */
interface Made {
  readonly stream: Stream<Row>;
  /** Records of one key come in an order that the schedule does not change. */
  readonly isOrdered: boolean;
  /** No record comes behind the watermark. */
  readonly isTimely: boolean;
  /** About the most rows, so that joins of joins stay small. */
  readonly rows: number;
}
/** One line of the program: a kind of operator, its inputs, and a number for its parameters. */
export interface Line {
  readonly kind: Kind;
  readonly left: number;
  readonly right: number;
  readonly size: number;
}
interface Built {
  readonly stream: Stream<Row>;
  readonly keepsOrder?: boolean;
  readonly losesTime?: boolean;
  readonly rows?: number;
}
type Build = (left: Stream<Row>, right: Stream<Row>, size: number, answered: <T>(value: T) => Promise<T>) => Built;

const keyed = (stream: Stream<Row>): KeyedStream<Row, Pick<Row, 'k'>> => stream.keyBy('k');
/** Keeps numbers small and exact. */
const small = (n: number): number => ((n % 997) + 997) % 997;
const row = (k: string, ...parts: readonly number[]): Row => ({
  k,
  v: parts.reduce((sum, part) => small(sum * 31 + part), 7),
});
const of = (side: Row | undefined): number => side?.v ?? -1;
const windowsOf = (size: number) =>
  [tumbling(`${size * 100}ms`), sliding(`${size * 100}ms`, '100ms'), session(`${50 + size * 40}ms`)][size % 3]!;
const sums = { c: count(), s: sum<Row>('v'), low: min<Row, 'v'>('v'), high: max<Row, 'v'>('v') };
type Sums = {
  readonly k?: string;
  readonly c: number;
  readonly s: number;
  readonly low: number;
  readonly high: number;
};
const summed = ({ k = 'all', c, s, low, high }: Sums): Row => row(k, c, s, low, high);
const rising = (size: number) =>
  pattern<Row>('low')
    .where(({ v }) => v % 5 < 3)
    .followedBy('high')
    .where(({ v }, { low }) => v > low![0]!.v)
    .within(`${size * 150}ms`);

/** Operators that may read any stream. */
const unordered = {
  map: (left, _, size) => ({ stream: left.map(({ k, v }) => row(k, v, size)), keepsOrder: true }),
  filter: (left, _, size) => ({ stream: left.filter(({ v }) => v % (size + 1) !== 0), keepsOrder: true }),
  flatMap: (left, _, size) => ({
    stream: left.flatMap(function* (one) {
      yield one;
      if (one.v % (size + 1) === 0) yield row(one.k, one.v, size);
    }),
    keepsOrder: true,
    rows: 2,
  }),
  otherKey: (left, _, size) => ({ stream: left.map(({ k, v }) => ({ k: `${k[0]}${v % (size + 1)}`, v })) }),
  union: (left, right) => ({ stream: left.union(right), rows: 2 }),
  mapAsync: (left, _, size, answered) => ({
    stream: left.mapAsync(({ k, v }) => answered(row(k, v, size)), { capacity: size + 1, ordered: size % 2 === 0 }),
    keepsOrder: size % 2 === 0,
  }),
  window: (left, _, size) => ({
    stream: keyed(left).window(windowsOf(size)).aggregate(sums).map(summed),
    rows: 3,
  }),
  windowAll: (left, _, size) => ({
    stream: left.windowAll(windowsOf(size)).aggregate(sums).map(summed),
    rows: 3,
  }),
  windowFunction: (left, _, size) => ({
    stream: keyed(left)
      .window(tumbling(`${size * 100}ms`))
      .apply(({ k }, _window, elements) => [row(k, ...elements.map(({ v }) => v).toSorted((a, b) => a - b))]),
  }),
  intervalJoin: (left, right, size) => ({
    stream: keyed(left)
      .intervalJoin(keyed(right), (['left', 'outer'] as const)[size % 2]!)
      .between(`-${size * 20}ms`, `${size * 15}ms`)
      .select((l, r) => row((l ?? r)!.k, of(l), of(r))),
    rows: 4,
  }),
  windowJoin: (left, right, size) => ({
    stream: keyed(left)
      .join(keyed(right), (['inner', 'left', 'outer'] as const)[size % 3])
      .window(tumbling(`${size * 50}ms`))
      .select((l, r) => row((l ?? r)!.k, of(l), of(r))),
    rows: 6,
  }),
  timers: (left, _, size) => ({
    stream: keyed(left).process({
      state: { open: mapState<number, number>() },
      onElement({ v }, { state: { open }, timers, timestamp }) {
        const due = Math.floor(timestamp / 300) * 300 + 300 + size * 50;
        open.set(due, (open.get(due) ?? 0) + v);
        timers.eventTime(due);
      },
      *onTimer(due, { key: { k }, state: { open } }) {
        yield row(k, open.get(due)!);
        open.delete(due);
      },
    }),
  }),
  connected: (left, right, size) => ({
    stream: left
      .connect(right)
      .keyBy(
        ({ k }) => k,
        ({ k }) => k,
      )
      .process<Row, { waiting: ReturnType<typeof listState<readonly [number, number]>> }>({
        state: { waiting: listState<readonly [number, number]>() },
        onLeft({ v }, { state: { waiting }, timers, timestamp }) {
          waiting.add([timestamp, v]);
          timers.eventTime(timestamp + size * 40);
        },
        onRight({ v }, { state: { waiting }, timers, timestamp }) {
          waiting.add([timestamp, -v]);
          timers.eventTime(timestamp + size * 40);
        },
        *onTimer(at, { key, state: { waiting } }) {
          const all = [...waiting];
          const due = all.filter(([time]) => time + size * 40 === at).map(([, v]) => v);
          waiting.set(all.filter(([time]) => time + size * 40 > at));
          yield row(String(Object.values(key)[0]), ...due.toSorted((a, b) => a - b));
        },
      }),
    rows: 2,
  }),
  iterate: (left, _, size) => ({
    stream: left.iterate((loop) => {
      const next = loop.map(({ k, v }) => ({ k, v: v + 40 * size }));
      return { feedback: next.filter(({ v }) => v < 997), output: next.filter(({ v }) => v >= 997) };
    }),
    losesTime: true,
  }),
  iterateInRounds: (left, _, size) => ({
    stream: left.iterate(
      (loop) => {
        const next = loop.map(({ k, v }) => ({ k, v: v + 5 }));
        return { feedback: next, output: next.filter(({ v }) => v % 2 === 0) };
      },
      { maxRounds: 1 + size },
    ),
    losesTime: true,
    rows: 1 + size,
  }),
} satisfies Record<string, Build>;

/** Operators whose result depends on the order in which the records of a key arrive. */
const ordered = {
  rolling: (left) => ({
    stream: keyed(left).aggregate(sums).map(summed),
    keepsOrder: true,
  }),
  reduce: (left) => ({ stream: keyed(left).reduce((all, one) => row(all.k, all.v, one.v)), keepsOrder: true }),
  pairwise: (left) => ({
    stream: keyed(left)
      .pairwise()
      .map(([a, b]) => row(b.k, a.v, b.v)),
    keepsOrder: true,
  }),
  process: (left, _, size) => ({
    stream: keyed(left).process({
      state: { last: valueState<number>(), recent: listState<number>() },
      *onElement({ k, v }, { state: { last, recent } }) {
        recent.add(v);
        if ([...recent].length > size) {
          yield row(k, last.get() ?? 0, ...recent);
          recent.clear();
          last.set(v);
        }
      },
    }),
    keepsOrder: true,
  }),
  countWindow: (left, _, size) => ({
    stream: keyed(left)
      .window(countWindow(1 + size))
      .aggregate(sums)
      .map(summed),
  }),
  pattern: (left, _, size) => ({
    stream: keyed(left)
      .pattern(rising(size))
      .select(({ low, high }) => row(low![0]!.k, low![0]!.v, high![0]!.v)),
    rows: 2,
  }),
  table: (left) => ({
    stream: keyed(left)
      .toTable()
      .filter(({ v }) => v % 4 !== 0)
      .toStream()
      .map(({ row: { k, v }, former }) => row(k, v, of(former))),
    keepsOrder: true,
  }),
} satisfies Record<string, Build>;

export type Kind = keyof typeof unordered | keyof typeof ordered;
export const builds: Readonly<Record<Kind, Build>> = { ...unordered, ...ordered };
/** Their result depends on the watermark at which a record comes. */
const timed: ReadonlySet<Kind> = new Set<Kind>([
  ...(['window', 'windowAll', 'windowFunction', 'intervalJoin', 'windowJoin'] as const),
  ...(['timers', 'connected', 'pattern'] as const),
]);
export const kinds = Object.keys(builds) as readonly Kind[];
const mostRows = 3000;

const line: fc.Arbitrary<Line> = fc.record({
  kind: fc.constantFrom(...kinds),
  left: fc.nat(20),
  right: fc.nat(20),
  size: fc.integer({ min: 1, max: 6 }),
});
/** Out of order by less than the sources allow. */
const rows: fc.Arbitrary<readonly SourceRow[]> = fc
  .array(fc.record({ k: fc.nat(3), v: fc.nat(99), step: fc.nat(60), back: fc.nat(90) }), {
    minLength: 30,
    maxLength: 120,
  })
  .map((records) => {
    let time = 1_700_000_000_000;
    return records.map(({ k, v, step, back }) => ({ k: `k${k}`, v, at: (time += step) - back }));
  });

export interface RandomProgram {
  readonly lines: readonly Line[];
  readonly inputs: readonly [readonly SourceRow[], readonly SourceRow[]];
}
export const randomProgram: fc.Arbitrary<RandomProgram> = fc.record({
  lines: fc.array(line, { minLength: 2, maxLength: 9, size: 'max' }),
  inputs: fc.tuple(rows, rows),
});

export interface Outside {
  /** Writes a stream to the n-th result. */
  readonly write: (stream: Stream<Row>, n: number) => void;
  /** The value, at once or later. */
  readonly answered: <T>(value: T) => Promise<T>;
  /** This kind is part of the program. */
  readonly used?: (kind: Kind) => void;
}
/** The program. Each stream that no other operator reads is a result. */
export function declared({ lines, inputs }: RandomProgram, { write, answered, used }: Outside): Declare {
  return ({ from }) => {
    // A few records at each step of the clock, so that a crash finds windows and joins half full.
    const time = { timestamp: 'at', watermark: { outOfOrderness: '100ms' }, rate: 200 } as const;
    const made = inputs.map((given): Made => {
      const stream = from(given, time).map(({ k, v }) => ({ k, v }));
      return { stream, isOrdered: true, isTimely: true, rows: given.length };
    });
    const isRead = new Set<Made>();
    for (const { kind, left: l, right: r, size } of lines) {
      const needsOrder = kind in ordered;
      const needsTime = timed.has(kind);
      const possible = made.filter(
        (one) => (one.isOrdered || !needsOrder) && (one.isTimely || !needsTime) && one.rows < mostRows,
      );
      const left = possible[l % possible.length]!;
      const right = possible[r % possible.length]!;
      const built = builds[kind](left.stream, right.stream, size, answered);
      const { stream, keepsOrder = false, losesTime = false, rows: times = 1 } = built;
      used?.(kind);
      for (const one of [left, right]) isRead.add(one);
      made.push({
        stream,
        isOrdered: keepsOrder && left.isOrdered,
        isTimely: !losesTime && left.isTimely && right.isTimely,
        rows: times * Math.max(left.rows, right.rows),
      });
    }
    const results = made.filter((one) => !isRead.has(one));
    for (const [n, { stream }] of results.entries()) write(stream, n);
  };
}
