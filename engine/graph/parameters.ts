// The parameters of every kind of node, as types. They are plain JSON.
//
// `F` is the type of a user function: a reference in the plan (FunctionRef), the function itself in
// the builders (UserFunction), or any type for a reader that calls none. All of them are type
// aliases, because TypeScript does not accept an interface as JSON.
import type { AggregatesSpec } from './aggregate-spec.ts';
import type { AvroSpec, FormatSpec, Integers } from './format-spec.ts';
import type { IntervalBounds, JoinKind } from './join-spec.ts';
import type { PatternSpec } from './pattern-spec.ts';
import type { FunctionRef, GroupKeySpec, KeySpec, PidSpec, SelectorSpec, TimeReading, WatermarkSpec } from './spec.ts';
import type { StateSpecs } from './state-spec.ts';
import type { EvictorSpec, TriggerSpec, WindowSpec } from './window-spec.ts';

type None = { readonly [name: string]: never };

// ----------------------------------------------------------------------------------------- sources

/** Event time and watermarks of a source. */
export type TimeParameters<F = FunctionRef> = {
  readonly timestamp?: SelectorSpec<F>;
  /** Absent: numbers are milliseconds, texts have a zone. */
  readonly time?: TimeReading;
  readonly watermark?: WatermarkSpec;
};

type GenerateParameters<F> = TimeParameters<F> & {
  /** Records per second; absent: as fast as they are read. */
  readonly rate?: number;
  readonly seed: number;
  readonly limit?: number;
  readonly next: { readonly fn: F };
};
type FromParameters<F> = TimeParameters<F> & {
  readonly elements: { readonly fn: F };
  readonly isAsync: boolean;
  /** Most records per second. */
  readonly rate?: number;
  /** Whether each of its iterators starts from the beginning. */
  readonly replayable: boolean;
};
export type FileFormat = 'jsonl' | 'csv' | 'tsv' | 'json';
export type ColumnType = 'text' | 'number' | 'boolean';
/** Absent options have the defaults of file(). */
export type CsvSpec = {
  readonly delimiter?: string;
  /** Empty: no character quotes. */
  readonly quote?: string;
  readonly comment?: string;
  readonly decimal?: ',' | '.';
  /** true: the first record has the names; false: column1, column2, …; or the names. */
  readonly header?: boolean | readonly string[];
  /** Of some columns, or of all. The others are found. */
  readonly types?: ColumnType | { readonly [column: string]: ColumnType };
};
type FileParameters<F> = TimeParameters<F> & {
  /** An absolute path. */
  readonly path: string;
  readonly format: FileFormat;
  /** The source also reads records that are appended later, and never ends. */
  readonly follow?: true;
  readonly schema?: { readonly fn: F };
  /** The factor of a replay by event time. */
  readonly speed?: number;
  /** Most records per second. */
  readonly rate?: number;
  readonly csv?: CsvSpec;
  /** Of a file without byte order mark. Absent: UTF-8. */
  readonly encoding?: string;
  /** Absent: bigint. */
  readonly integers?: Integers;
};
export type StartFrom =
  | 'earliest'
  | 'latest'
  | { readonly timestamp: number }
  | { readonly offsets: { readonly [partition: string]: string } }
  /** The name of a consumer group. */
  | { readonly committed: string };
/** What a job says of its topics, instead of the notebook. */
export type JobTopics = {
  /** The start of topics without an end. Tables always start at the earliest record. */
  readonly startFrom?: StartFrom | undefined;
  /** The group that gets the offsets of all topics but those of tables. */
  readonly commitTo?: string | undefined;
};
/** Where reading goes on when the topic's retention has deleted the next records. */
export type OffsetReset = 'earliest' | 'latest';
export type StopAt = 'latest' | { readonly timestamp: number };
/** Without a format, values are JSON. */
export type KafkaParameters<F> = TimeParameters<F> &
  Partial<FormatSpec> & {
    /** With a pattern: its text, for messages. */
    readonly topic: string;
    /** Every topic whose name this expression finds is read. */
    readonly pattern?: { readonly source: string; readonly flags: string };
    /** How often new partitions and topics are looked for. */
    readonly discoveryMillis?: number;
    /** The group that gets the offsets of complete checkpoints, for monitors. */
    readonly commitTo?: string;
    readonly connection?: string;
    readonly from: StartFrom;
    readonly until?: StopAt;
    /** Absent: an error. */
    readonly offsetReset?: OffsetReset;
    /** Elements have the field `meta`, see engine/connectors/kafka/meta-decoder.ts. */
    readonly meta?: true;
    /** Absent: keys are text. Those of a table may be JSON, see table-decoder.ts. */
    readonly keyFormat?: FormatSpec;
    /** From the parsed value to { value } or { issues }, as in Standard Schema. */
    readonly schema?: { readonly fn: F };
    /**
     * The topic is read as a table: the field with the key of its rows. Elements are {key, row}.
     */
    readonly tableKey?: string;
    /** Most records per second, or the estimator that controls micro-batches. */
    readonly rate?: number | { readonly pid: PidSpec };
    /** Most bytes of a batch when it is decompressed. */
    readonly maxBatchBytes?: number;
  };

// --------------------------------------------------------------------------------------- operators

type Function<F> = { readonly fn: F };
type Select<F> = { readonly select: F };

type KeyByParameters<F> = {
  readonly key: KeySpec<F>;
  /** For a table as an input by key: the key of its rows. */
  readonly of?: KeySpec<F> | string | null;
};
type MapAsyncParameters<F> = Function<F> & {
  readonly capacity: number;
  readonly ordered: boolean;
  readonly timeoutMillis: number;
  readonly retries: number;
  readonly onError: 'fail' | 'drop';
};
/** With a generator there is no `watermark`. */
type AssignTimestampsParameters<F> = {
  readonly timestamp: SelectorSpec<F>;
  readonly watermark?: WatermarkSpec;
  readonly generator?: F;
};
export type StateAndTimer<F = FunctionRef> = { readonly state: StateSpecs; readonly onTimer?: F };
type BroadcastProcessParameters<F> = StateAndTimer<F> & {
  readonly onElement: F;
  readonly onBroadcast: F;
  readonly broadcast: StateSpecs;
};

/** The parameters of all window operators. */
export type WindowParameters<F = FunctionRef> = {
  readonly window: WindowSpec<F>;
  readonly trigger?: TriggerSpec<F>;
  readonly evictor?: EvictorSpec<F>;
  readonly allowedLatenessMillis: number;
};
type IterateDeltaParameters<F> = {
  readonly key: F;
  readonly step: F;
  /** The key fields of the table; absent when a function gives its key. */
  readonly keyFields?: readonly string[];
  readonly maxRounds?: number;
  /** Both inputs end by themselves. */
  readonly isBatch: boolean;
};
/** Head and tail name the same loop. */
type IterateParameters = { readonly loop: string; readonly maxRounds?: number };

// ------------------------------------------------------------------------------------------- sinks

/** false: a preview, which takes rows and writes nothing. */
type Armed = { readonly armed?: boolean };
type KafkaSinkParameters<F> = Armed & {
  readonly topic: string;
  readonly connection?: string;
  readonly key?: SelectorSpec<F>;
  readonly format: 'json' | 'string' | 'bytes' | 'avro';
  readonly avro?: AvroSpec;
  /** Absent: 'string'. */
  readonly keyFormat?: 'json' | 'string' | 'bytes' | 'avro';
  readonly keyAvro?: AvroSpec;
  readonly timestamp?: SelectorSpec<F>;
  /** 'none': a barrier does not wait for rows in flight. */
  readonly delivery: 'exactly-once' | 'at-least-once' | 'none';
  /** Of exactly-once. Absent: it is drawn. */
  readonly transactionalIdPrefix?: string;
  /** Of exactly-once. Absent: 15 minutes. */
  readonly transactionTimeoutMillis?: number;
  readonly headers?: { readonly fn: F };
  readonly partitioner?: { readonly fn: F };
  /** Absent: 'all'. */
  readonly acks?: 'all' | 1 | 0;
  /** Absent: true if `acks` is 'all'. */
  readonly idempotent?: boolean;
  readonly compression?: 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd';
  readonly lingerMillis?: number;
  /** A missing topic is created. Absent numbers are the broker's defaults. */
  readonly create?: {
    readonly partitions?: number;
    readonly replication?: number;
    readonly config?: { readonly [name: string]: string };
  };
};
type FileSinkParameters<F> = Armed & {
  /** An absolute path. */
  readonly path: string;
  readonly format: 'jsonl' | 'csv';
  readonly partitionBy?: { readonly fn: F };
  /** Absent: one file, which a restore cuts. */
  readonly delivery?: 'exactly-once';
};

type TwoPhaseParameters<F> = Armed & {
  readonly begin: F;
  readonly write: F;
  readonly preCommit: F;
  readonly commit: F;
  readonly abort: F;
};

// ------------------------------------------------------------------------------------- all of them

export interface ParametersByKind<F> {
  readonly generate: GenerateParameters<F>;
  readonly from: FromParameters<F>;
  readonly file: FileParameters<F>;
  readonly kafka: KafkaParameters<F>;
  readonly microBatches: None;
  /** `index`: the number of the harness's input. */
  readonly harnessInput: { readonly index: number };

  readonly keyBy: KeyByParameters<F>;

  readonly map: Function<F>;
  readonly filter: Function<F>;
  readonly flatMap: Function<F>;
  readonly mapAsync: MapAsyncParameters<F>;
  readonly union: None;
  readonly take: { readonly n: number };
  readonly assignTimestamps: AssignTimestampsParameters<F>;
  readonly reduce: Function<F>;
  readonly aggregate: { readonly aggregates: AggregatesSpec<F> };
  readonly pairwise: None;
  readonly pattern: PatternSpec<F> & Select<F>;
  readonly process: StateAndTimer<F> & { readonly onElement: F };
  readonly windowAggregate: WindowParameters<F> & { readonly aggregates: AggregatesSpec<F> };
  readonly windowReduce: WindowParameters<F> & Function<F>;
  readonly windowApply: WindowParameters<F> & Function<F>;
  readonly connectMap: { readonly left: F; readonly right: F };
  readonly connectProcess: StateAndTimer<F> & { readonly onLeft: F; readonly onRight: F };
  readonly broadcastProcess: BroadcastProcessParameters<F>;
  readonly intervalJoin: IntervalBounds & Function<F> & { readonly join: JoinKind };
  readonly windowJoin: WindowParameters<F> & Function<F> & { readonly join: JoinKind };
  readonly windowCoGroup: WindowParameters<F> & Function<F>;
  readonly iterateHead: IterateParameters;
  readonly iterateTail: IterateParameters;
  /** `wrapped`: elements are {key, row} of a table source. The row may be null. */
  readonly toTable: { readonly wrapped?: true };
  readonly tableMap: Function<F>;
  readonly tableFilter: Function<F>;
  readonly tableJoin: Select<F> & { readonly kind: JoinKind };
  readonly tableToStream: None;
  readonly tableGroup: { readonly key: GroupKeySpec<F> };
  readonly tableAggregate: { readonly key: GroupKeySpec<F>; readonly aggregates: AggregatesSpec<F> };
  /** `key`: the text of the key's tuple. */
  readonly tableGet: { readonly key: string };
  readonly temporalJoin: Select<F>;
  readonly arrivalJoin: Select<F>;
  readonly iterateDelta: IterateDeltaParameters<F>;

  readonly kafkaSink: KafkaSinkParameters<F>;
  readonly functionSink: Armed & Function<F>;
  readonly twoPhaseSink: TwoPhaseParameters<F>;
  readonly fileSink: FileSinkParameters<F>;

  /** `leaf`: the id of the display or the pull. `changes`: it shows the rows of a table. */
  readonly display: { readonly leaf: string; readonly changes?: true };
  readonly pull: { readonly leaf: string };
  readonly harnessOutput: None;
}
