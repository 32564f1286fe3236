// What goes into the topic of the chaos, such that no record is late in any order in which its
// partitions are read:
//
// - Each record is at most `spreadMillis` ahead of the time of its round, and the bound of the
//   source is twice that. So no record is late in its own partition.
// - Time is the minimum over the partitions, and none of them becomes idle. So a partition that is
//   read late holds time back.
// - A partition that is added does not hold time back before the source knows it. So time stands
//   still until a complete checkpoint knows it: until then all records stay within the bound.
//
// A key has one partition, so its records have one order, and so have its rolling aggregates.
//
// With one partition it is also known which records are late for their windows, whatever is killed.
// So an input with late records has one partition. The join does not get them: what is late for an
// operator with two inputs depends on which input is read first.

export const spreadMillis = 5_000;
export const boundMillis = 2 * spreadMillis;
const roundMillis = 1_000;
const begin = Date.UTC(2026, 0, 31, 12);
const keysOfPartition = 4;
const recordsOfPartition = 5;

/** A record that can be read. */
export interface Event {
  readonly n: number;
  readonly at: number;
  readonly k: string;
  readonly side: 'left' | 'right';
  /** Far behind the others, and so late for its window. */
  readonly isBehind?: boolean;
}
export interface Message {
  readonly partition: number;
  readonly value: string;
}

export function keyOf(partition: number, n: number): string {
  return `p${partition}-k${n % keysOfPartition}`;
}

/**
 * Which of them a partition has depends on the number of partitions: with eight, one may have
 * three.
 */
export function keysOf(partition: number): readonly string[] {
  return Array.from({ length: keysOfPartition }, (_, n) => keyOf(partition, n));
}

export interface InputKind {
  /** Some records are late. */
  readonly hasLate: boolean;
}
/** One round of records. `first` is the number of its first record, and time follows `round`. */
export function messagesOf(round: number, first: number, partitions: number, { hasLate }: InputKind): Message[] {
  return Array.from({ length: partitions * recordsOfPartition }, (_, i) => {
    const n = first + i;
    const partition = i % partitions;
    const event = eventOf(round, n, partition);
    const isBehind = hasLate && n % 13 === 5;
    return { partition, value: isBad(n) ? badValue(n) : JSON.stringify(isBehind ? behind(event) : event) };
  });
}

/** Records that bring time beyond all others, one for each partition. */
export function lastMessages(round: number, first: number, partitions: number): Message[] {
  return Array.from({ length: partitions }, (_, partition) => ({
    partition,
    value: JSON.stringify({ ...eventOf(round + 1_000, first + partition, partition), k: `p${partition}-last` }),
  }));
}

function eventOf(round: number, n: number, partition: number): Event {
  return {
    n,
    at: begin + round * roundMillis + ((n * 2_654_435_761) % spreadMillis),
    k: keyOf(partition, Math.floor(n / 3)),
    side: n % 3 === 0 ? 'left' : 'right',
  };
}
/** Three bounds behind. Before the watermark has come so far it is not late. */
function behind(event: Event): Event {
  return { ...event, at: event.at - 3 * boundMillis, isBehind: true };
}
function isBad(n: number): boolean {
  return n % 29 === 7;
}
/** It is no JSON, or it has no event time. */
function badValue(n: number): string {
  return n % 2 === 0 ? `not JSON ${n}` : JSON.stringify({ n });
}
