// A source: the head of a task that has no input. It is polled, emits as much as there is room for, and knows its own position.
//
//   open ─► restore? ─► poll* ─► close
//
// `poll` emits until `output.full` or until there is nothing more at hand, and says which: 'more' (call again soon), 'wait' (nothing at hand: the
// source calls `context.wake()` or has called `context.wakeAt()`), 'end' (exhausted; the task then forwards +Infinity and the end).
// The position in a snapshot is exactly what has been emitted: restore and poll give the next record, none twice, none lost.
// Timestamps, watermarks and idleness are the source's: it calls output.watermark / idle / active (see engine/time/source-time.ts), at most every 200 ms
// and before it ends. Records that cannot be parsed or have no usable timestamp go to `emitTo('errors', …)`.
// Only operators of kind source may use emitAt, emitRun and prepare, which carry partition and offset for error messages.
import type { Output, OperatorContext, OperatorStatus, StateReader, StateWriter } from './operator.ts';

/** The columns of a batch that is being filled, in place: the next record goes to `length`. */
export interface SourceColumns {
  readonly values: unknown[];
  readonly timestamps: Float64Array;
  readonly partitions: Int32Array;
  readonly offsets: Float64Array;
  length: number;
}
export interface SourceOutput extends Output {
  emitAt(value: unknown, timestamp: number, partition: number, offset: number): void;
  /** How many records there is room for; below 1: `full` is true. */
  readonly room: number;
  /** How many of them may go out before `full` or this is asked again, when making one costs time; 0: `full` is true. */
  readonly allowance: number;
  /** For a loop that makes records and writes them into the columns itself: place for so many, no more than `allowance` says. Nothing else is emitted or said in between. */
  prepare(records: number): SourceColumns;
  /** Somebody reads it; without readers a source is not polled. */
  readonly hasReaders?: boolean;
  /** Set within a micro-batch: watermarks and idleness wait for `endBatch`. */
  readonly holdsTime?: boolean;
  /** Records values[from…to) of one partition at once; `timestamps` and the offsets, which count up by one, begin with the first of them. */
  emitRun(
    values: readonly unknown[],
    from: number,
    to: number,
    timestamps: Float64Array,
    partition: number,
    offset: number,
  ): void;
}
export interface SourceContext extends OperatorContext {
  readonly output: SourceOutput;
  /** It is opened in a session of micro-batches. */
  readonly inBatches?: boolean;
}

/** What a user must know about a partition to see why time stands still. Times in epoch milliseconds. */
export interface PartitionStatus {
  readonly partition: string;
  readonly watermark?: number;
  readonly idle: boolean;
  /** When its last record came, by the clock. */
  readonly lastRecordAt?: number;
}
export interface SourceStatus extends OperatorStatus {
  /** How often the source was opened in this session: an attach must not open it again. */
  readonly opened: number;
  /** 'connecting' until the first contact with what it reads. */
  readonly phase: 'connecting' | 'waiting' | 'live' | 'finished';
  readonly partitions?: readonly PartitionStatus[];
  /** Records that went to `errors`. */
  readonly errors: number;
}

export interface Source {
  open(context: SourceContext): void;
  poll(): 'more' | 'wait' | 'end';
  /** A micro-batch begins: at most so many records until the next; a source of several partitions divides them by how far each is behind. */
  share?(records: number): void;
  /** Records that it knows to be waiting outside; absent: it knows of none. */
  behind?(): number;
  /** Records of its share of the micro-batch are still on their way to it. */
  awaits?(): boolean;
  /** The micro-batch is in: says how far time has come. */
  endBatch?(now: number): void;
  /** A short text of the current position, for people and for the record of a mutation: "n=1042", "orders 0:188204 1:…". */
  position(): string;
  snapshot(writer: StateWriter): void;
  restore(reader: StateReader): void;
  status(): SourceStatus;
  close(): void;
}
