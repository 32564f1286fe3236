// A split is a partition of a topic that a source reads. Its position is {topic id, leader epoch,
// offset}: the name alone does not tell a topic from one that was made again, and the offset alone
// does not tell a record from one that another leader wrote in its place.
import type { SluiceError } from '../../errors/error.ts';

export interface Split {
  readonly topic: string;
  /** undefined: the brokers are older than 3.1 and have no ids. */
  readonly topicId?: string;
  readonly partition: number;
}
export interface SplitPosition extends Split {
  /** The offset of the next record. */
  readonly offset: number;
  /** The epoch of the leader that wrote the record before it; −1: unknown. */
  readonly epoch: number;
  /** Where a bounded read ends. */
  readonly end?: number;
  /** A bounded read ends at the first record with this timestamp, which is in the future. */
  readonly endTime?: number;
}

/** What a source keeps of a split that it reads. */
export interface SplitState {
  readonly split: Split;
  readonly name: string;
  /** The offset of the next record to emit. */
  next: number;
  /** The epoch of the leader that wrote the record before it; −1: unknown. */
  epoch: number;
  /** Where a bounded read ends; undefined: it has no end, or the end is not known yet. */
  end: number | undefined;
  readonly endTime: number | undefined;
  /** The partition's end as of the last answer; −Infinity: there was none. */
  knownEnd: number;
  /** Records that were emitted or rejected since the source was opened. */
  read: number;
  /** The timestamp in the topic of the last record that was emitted or rejected. */
  lastRead?: number;
  /** Chunks that were handed over and are not emitted as a whole. */
  inHand: number;
  /** Set: the reader has given it up. It has stopped when what it has in hand is emitted. */
  failure?: SluiceError;
  /** How many records it may still add to the micro-batch. */
  share: number;
  /** Its number in the source's event time; undefined: it had ended when it was found. */
  readonly time: number | undefined;
}

/** The split with this name, without the id of its topic. */
export function splitNamed(name: string): Split {
  const at = name.lastIndexOf('[');
  return { topic: name.slice(0, at), partition: Number(name.slice(at + 1, -1)) };
}
/** As users and Kafka's own tools name it: orders[3]. It identifies the split within a source. */
export function nameOf({ topic, partition }: Split): string {
  return `${topic}[${partition}]`;
}
