// What a batch computation makes of the input: the rows that each topic must have in the end. It
// knows nothing of the engine. Of one partition it also knows which records are late: the watermark
// is that of a source that emits it after every record. Of several partitions nothing is late.
import { boundMillis, type Event } from './input.ts';

/** A record of the input topic, as another client reads it. */
export interface InputRecord {
  readonly partition: number;
  readonly offset: number;
  readonly value: string;
}
export const outputs = ['windows', 'rolling', 'joins', 'errors', 'late'] as const;
export type Output = (typeof outputs)[number];
/** Rows as JSON, by topic. */
export type Rows = Readonly<Record<Output, readonly string[]>>;

export const windowMillis = 5_000;
/** |left − right| of a pair is at most this, inclusive. */
export const pairMillis = 2_000;

interface Read {
  readonly record: InputRecord;
  /** undefined: it cannot be read. */
  readonly event: TimedEvent | undefined;
}
interface TimedEvent extends Event {
  /** Before the record. */
  readonly watermark: number;
}

export function batchResult(records: readonly InputRecord[]): Rows {
  const read = inOrder(records);
  const events = read.flatMap(({ event }) => (event ? [event] : []));
  return {
    windows: windows(events, finalWatermark(read)),
    rolling: rolling(events),
    joins: joins(events.filter(({ isBehind }) => !isBehind)),
    errors: read.flatMap(({ record, event }) => (event ? [] : [errorOf(record)])),
    late: events.filter(isLate).map(({ n }) => JSON.stringify({ to: 'late', for: 'windows', n })),
  };
}

function inOrder(records: readonly InputRecord[]): Read[] {
  const sorted = records.toSorted((a, b) => a.partition - b.partition || a.offset - b.offset);
  const isOne = sorted.every(({ partition }) => partition === sorted[0]!.partition);
  let newest = -Infinity;
  return sorted.map((record) => {
    const event = eventOf(record.value);
    if (!event) return { record, event };
    const timed = { ...event, watermark: isOne ? newest - boundMillis - 1 : -Infinity };
    newest = Math.max(newest, event.at);
    return { record, event: timed };
  });
}
function eventOf(value: string): Event | undefined {
  try {
    const parsed = JSON.parse(value) as Event;
    return typeof parsed.at === 'number' ? parsed : undefined;
  } catch {
    return undefined;
  }
}

function startOf({ at }: Event): number {
  return Math.floor(at / windowMillis) * windowMillis;
}
function isLate(event: TimedEvent): boolean {
  return startOf(event) + windowMillis - 1 <= event.watermark;
}
/** The minimum over the partitions. */
function finalWatermark(read: readonly Read[]): number {
  const newest = new Map<number, number>();
  for (const { record, event } of read)
    newest.set(record.partition, Math.max(newest.get(record.partition) ?? -Infinity, event?.at ?? -Infinity));
  return Math.min(...newest.values()) - boundMillis - 1;
}

function windows(events: readonly TimedEvent[], watermark: number): string[] {
  const sums = new Map<string, { k: string; start: number; c: number; s: number }>();
  for (const event of events) {
    if (isLate(event)) continue;
    const { k, n } = event;
    const start = startOf(event);
    const sum = sums.get(`${k} ${start}`) ?? { k, start, c: 0, s: 0 };
    sums.set(`${k} ${start}`, { ...sum, c: sum.c + 1, s: sum.s + n });
  }
  return [...sums.values()]
    .filter(({ start }) => start + windowMillis - 1 <= watermark)
    .map(({ k, start, c, s }) => JSON.stringify({ to: 'windows', k, start, c, s }));
}

function rolling(events: readonly Event[]): string[] {
  const sums = new Map<string, { c: number; s: number }>();
  return events.map(({ k, n }) => {
    const { c, s } = sums.get(k) ?? { c: 0, s: 0 };
    const next = { c: c + 1, s: s + n };
    sums.set(k, next);
    return JSON.stringify({ to: 'rolling', k, ...next });
  });
}

function joins(events: readonly Event[]): string[] {
  const byKey = Map.groupBy(events, ({ k }) => k);
  return [...byKey.values()].flatMap((own) => {
    const rights = own.filter(({ side }) => side === 'right').sort((a, b) => a.at - b.at);
    return own
      .filter(({ side }) => side === 'left')
      .flatMap((left) => {
        const from = firstAt(rights, left.at - pairMillis);
        const to = firstAt(rights, left.at + pairMillis + 1);
        return rights
          .slice(from, to)
          .map((right) => JSON.stringify({ to: 'joins', k: left.k, left: left.n, right: right.n }));
      });
  });
}
/** The index of the first event at or after this time. */
function firstAt(sorted: readonly Event[], at: number): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle]!.at < at) low = middle + 1;
    else high = middle;
  }
  return low;
}

function errorOf({ partition, offset, value }: InputRecord): string {
  return JSON.stringify({ to: 'errors', partition, offset: String(offset), raw: value });
}
