// The source contract. A source is the head of a task without inputs. The task polls it.
//
//   open ─► restore? ─► ( poll | snapshot | share | endBatch )* ─► close
//
// `poll` emits records until `output.full` is true or no record is available. It returns 'more'
// (poll again soon), 'wait' (no record: the source calls `context.wake()`, or has called
// `context.wakeAt()`), or 'end' (exhausted: the task forwards +Infinity and the end). A source that
// returns 'wait' and never wakes stays silent for good.
//
// The position in a snapshot is exactly that after the last emitted record. After `restore`, `poll`
// continues with the next record: none is emitted twice, none is lost.
//
// The source sets timestamps, watermarks and idleness. It calls output.watermark, idle and active
// every 200 ms, before a record that needs the watermark first, and before it ends: see
// engine/time/source-time.ts. Records that cannot be parsed or have no valid timestamp go to
// `emitTo('errors', …)`.
//
// Errors. User code runs in a source: generate's function, schemas, format functions, timestamp
// selectors. One rule holds for a record at which it throws. Records before it are emitted, nothing
// of the record is, `poll` throws, and the source has failed. The position stays at the record, so
// a run after the user's fix reads it again. An element that cannot be pulled again is kept in the
// snapshot. Such a record does not go to `errors`; those are records with wrong data.
import type { Output, OperatorContext, OperatorStatus, StateReader, StateWriter } from './operator.ts';

/**
 * The columns of a batch while a source fills them in place. The next record goes to index
 * `length`.
 */
export interface SourceColumns {
  readonly values: unknown[];
  readonly timestamps: Float64Array;
  readonly partitions: Int32Array;
  readonly offsets: Float64Array;
  length: number;
}
export interface SourceOutput extends Output {
  emitAt(value: unknown, timestamp: number, partition: number, offset: number): void;
  /** How many records there is room for. Below 1, `full` is true. */
  readonly room: number;
  /**
   * How many records a source may make and emit before it reads `full` or `allowance` again. For
   * sources whose records cost time to make. 0 when `full` is true.
   */
  readonly allowance: number;
  /**
   * Reserves columns for `records` more records, at most `allowance`. The source writes them
   * itself. Until it has done so, it calls nothing else on this output.
   */
  prepare(records: number): SourceColumns;
  /** At least one reader is connected. The task does not poll a source without readers. */
  readonly hasReaders?: boolean;
  /** True during a micro-batch: watermarks and idleness wait for `endBatch`. */
  readonly holdsTime?: boolean;
  /**
   * Emits values[from…to) of one partition. `timestamps` and the offsets, which count up by one,
   * begin with the record at `from`.
   */
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
  /** The session runs in micro-batches. */
  readonly inBatches?: boolean;
  /**
   * Reports an error that ends some of the source's partitions, named as in `orders[3]`. The source
   * goes on with the others. If none is left, it calls `fail`.
   */
  failPartitions(names: readonly string[], error: unknown): void;
}

/**
 * The state of one partition, for a user who wants to know why time stands still. Times are epoch
 * milliseconds.
 */
export interface PartitionStatus {
  readonly partition: string;
  /** Of a topic: its name, and the number of the partition. */
  readonly topic?: string;
  readonly number?: number;
  /** Records that were emitted or rejected since the source was opened. */
  readonly read?: number;
  readonly watermark?: number;
  readonly idle: boolean;
  /** Processing time of the last record. */
  readonly lastRecordAt?: number;
  /**
   * For how long it has had no record, in milliseconds of a source that could read. Records that
   * wait, or that nobody could ask for, are no silence. Absent: unknown.
   */
  readonly silentMillis?: number;
  /**
   * Offsets from the position to the end of the partition's committed records, as of the last
   * answer. Offsets without a record count too. Absent: unknown.
   */
  readonly lag?: number;
  /**
   * While records wait: the age in milliseconds of the last record that was emitted, by the
   * timestamp that the topic gives it. Absent: nothing waits, or it has no timestamp.
   */
  readonly lagMillis?: number;
  /** While records wait: so far is that timestamp ahead of the clock. Absent: it is not. */
  readonly aheadMillis?: number;
  /** The offset of the next record. */
  readonly position?: number;
  /** The offset of the end that `lag` counts to. */
  readonly end?: number;
  /** It has stopped at its position, with this error. The other partitions go on. */
  readonly failed?: string;
}
export interface SourceStatus extends OperatorStatus {
  /** How often the source was opened in this session. Attaching a reader must not open it again. */
  readonly opened: number;
  /** 'connecting' until the source has reached the external system. */
  readonly phase: 'connecting' | 'waiting' | 'live' | 'finished';
  readonly partitions?: readonly PartitionStatus[];
  /**
   * What keeps records away at present, with its begin if it is known: a broker that does not
   * answer, a partition without leader, a schema registry that is away. `waiting` says it too.
   */
  readonly trouble?: string;
  /** The format that it found, if none was given: "Avro (schema registry)". */
  readonly format?: string;
  /** Records that it rejected, whether or not anybody reads `errors`. Restores go on counting. */
  readonly errors: number;
  /** Place and problem of the first of them. */
  readonly firstRejection?: string;
  /**
   * Records that may be missing, in a sentence: of a followed file, or of a topic whose retention
   * was faster than the source. `note` has it too.
   */
  readonly mayBeMissing?: string | undefined;
  /** Records that it emitted, across restores. */
  readonly emitted?: number;
  /**
   * Event time of its first record, if there are older records that it does not read: it began in
   * the middle of a topic. So a window that was open then has only a part of its elements.
   */
  readonly beganAt?: number;
}

export type Progress = Readonly<Record<string, number>>;

export interface Source {
  /** Called once, first. */
  open(context: SourceContext): void;
  /** Emits the available records. See above. */
  poll(): 'more' | 'wait' | 'end';
  /**
   * A micro-batch begins: emit at most `records` records until the next one. A source with several
   * partitions divides them by the lag of each. Absent: the task alone enforces the limit.
   */
  share?(records: number): void;
  /**
   * Number of records that wait outside, as far as the source knows. Absent: unknown, counted as 0.
   */
  behind?(): number;
  /**
   * True while records of the source's share of the micro-batch are still being fetched. Absent:
   * false.
   */
  awaits?(): boolean;
  /** All records of the micro-batch are emitted: emit watermarks and idleness now. */
  endBatch?(now: number): void;
  /**
   * The current position as a short text, for users and for the log of graph changes: "n=1042",
   * "orders 0:188204 1:…".
   */
  position(): string;
  /**
   * How far it has read, by partition: numbers that only grow, across restores too. Absent:
   * unknown.
   */
  progress?(): Progress;
  snapshot(writer: StateWriter): void;
  restore(reader: StateReader): void;
  /** As of an operator, before a snapshot. It returns true. */
  preCommit?(checkpoint: number): boolean;
  /** As of an operator: everything up to this checkpoint is durable. */
  complete?(checkpoint: number): void;
  aborted?(checkpoint: number): void;
  /**
   * It has ended, and its last positions are to be committed somewhere. As of an operator, it wakes
   * when this becomes false.
   */
  readonly hasUncommitted?: boolean;
  status(): SourceStatus;
  close(): void;
}
