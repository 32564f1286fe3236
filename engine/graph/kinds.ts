// The table of operator kinds: every kind of node that a plan may hold, by its spelling, with its
// traits.
//
// A kind has the spelling of Flink's method, in camel case (`flatMap`, `windowAggregate`). The
// parts of an iteration and the sinks have no method in Flink; their kinds follow the same
// convention. A uid holds the verb that the user called, not the kind. Code that needs to know
// whether a node is a source, can be fused or ends by itself reads this table. The parameters of
// each kind are in parameters.ts. The factories of operators are in engine/runtime and
// engine/connectors.
import type { ParametersByKind } from './parameters.ts';
import type { PidSpec } from './spec.ts';
import { windowMargin } from './window-spec.ts';

export type Kind = keyof ParametersByKind<unknown>;

export interface Traits<K extends Kind> {
  /**
   * `source`: it has no input. `sink`: rows leave the dataflow for a system outside. `leaf`: rows
   * leave it for the host of the runtime (a display, a pull, the test kit). `exchange`: it divides
   * records among instances and is not a task.
   */
  readonly role: 'source' | 'operator' | 'exchange' | 'sink' | 'leaf';
  /** The host of the runtime provides its operator or source. The engine has no factory for it. */
  readonly isHosted?: true;
  /**
   * It can be fused behind another operator: for one record it emits at most one record, and it has
   * neither state nor time of its own.
   */
  readonly isStage?: true;
  /** A stage that emits only records that it has tested: none of them is a Promise. */
  readonly emitsTested?: true;
  /**
   * An output record belongs to the input record that is being processed, so it keeps partition and
   * offset. (A fused stage has no output of its own.) The operator may keep state, as `take` does.
   */
  readonly keepsOrigin?: true;
  /**
   * It processes each element alone and keeps no state. So parallel instances give the same rows
   * together, however the elements are divided among them. `take` is different: it counts.
   */
  readonly keepsKey?: true;
  /**
   * The number of inputs, from the first on, that must come through a keyBy, because its state
   * belongs to keys.
   */
  readonly keyedInputs?: 1 | 2;
  /**
   * Whether what it holds follows from the rows that the table above has now. When an edit changes
   * what it gets, a new instance starts with these rows. To go on would subtract rows that were
   * never added, and keep rows that are in the new table no more.
   */
  readonly startsFromTable?: (parameters: ParametersByKind<unknown>[K]) => boolean;
  /**
   * A table that keeps no rows: its function makes a row of each row of the table above (`map`), or
   * says which of them are rows of this table (`filter`).
   */
  readonly derivesRows?: 'map' | 'filter';
  /** Its present rows are those of the table above, each with its group. */
  readonly groupsTable?: true;
  /** It assigns elements to windows, so an element can be late. */
  readonly opensWindows?: true;
  /** A window that is still open has a result, which a display may show. */
  readonly showsOpenWindows?: true;
  /** It sets new event times, and emits watermarks of its own. Sources do so too. */
  readonly setsTime?: true;
  /**
   * A record with a timestamp up to W + margin must not reach it before the watermark W: see
   * time-margin.ts. Absent: 0.
   */
  readonly timeMargin?: (parameters: ParametersByKind<unknown>[K]) => number;
  /** It becomes the key of the edge behind it. */
  readonly collapses?: true;
  /**
   * Whether its output ends by itself, even if its inputs do not end. Absent: it ends when its
   * inputs end; a source never ends.
   */
  readonly isBounded?: (parameters: ParametersByKind<unknown>[K]) => boolean;
  /**
   * Of a source: a reader that is added later can read the same records from the start. Absent: it
   * cannot.
   */
  readonly canReadAgain?: (parameters: ParametersByKind<unknown>[K]) => boolean;
  /** Of a source: whether its records are lost with the process, as those of an iterator are. */
  readonly isLostWithProcess?: (parameters: ParametersByKind<unknown>[K]) => boolean;
  /** Of a source: whether its first record may be in the middle of what there is. */
  readonly mayBeginMidway?: (parameters: ParametersByKind<unknown>[K]) => boolean;
  /** Of a source: who says where it starts. Absent: it begins at its beginning. */
  readonly start?: (parameters: ParametersByKind<unknown>[K]) => Start;
  /**
   * Of a source: how many records a micro-batch has. Absent: as many as are due by the source's own
   * time.
   */
  readonly batchRate?: (parameters: ParametersByKind<unknown>[K]) => BatchRate | undefined;
  /** The source is not read in micro-batches, even if all others are. */
  readonly ignoresMicroBatches?: true;
  /**
   * It takes every record at once and keeps as many as fit on the screen, so it never holds back
   * upstream.
   */
  readonly conflates?: true;
  /** It writes, and its rows become visible when a checkpoint is complete. Absent: at once. */
  readonly commitsRows?: (parameters: ParametersByKind<unknown>[K]) => boolean;
  /**
   * The parameters that a commit needs: without the functions that make rows. Absent: all of them,
   * as those of the user's own sinks, whose cell has the functions.
   */
  readonly forCommit?: (parameters: ParametersByKind<unknown>[K]) => ParametersByKind<unknown>[K];
  /** Its commit is code of the user. */
  readonly commitsByUserCode?: true;
  /** It does something outside when a checkpoint is complete, besides committing rows. */
  readonly hearsCheckpoints?: (parameters: ParametersByKind<unknown>[K]) => boolean;
  /**
   * Of a source: what its text says, without what a job gives it instead (start, group) and without
   * idleness, which has another default in a job. Absent: all of its parameters.
   */
  readonly asWritten?: (parameters: ParametersByKind<unknown>[K]) => unknown;
  /** The code of a cell reads it. It takes rows at its own pace, and ends with its executor. */
  readonly isReadByCell?: true;
  /** In messages it has the name of the stream that it reads. */
  readonly goesByItsInput?: true;
}

/**
 * `chosen`: a job may start it elsewhere. `written`: what is read is a part of a topic, as the
 * notebook says. `whole`: a table needs its whole topic.
 */
export type Start = 'chosen' | 'written' | 'whole' | 'beginning';

/** Records per second, or the estimator that finds them. */
export type BatchRate = number | { readonly pid: PidSpec };
type HasRate = { readonly rate?: BatchRate };
const batchRate = ({ rate }: HasRate): BatchRate | undefined => rate;

type HasTimer = { readonly onTimer?: unknown };
const timerMargin = ({ onTimer }: HasTimer): number => (onTimer === undefined ? 0 : Infinity);
const opensWindows = { opensWindows: true, timeMargin: windowMargin } as const;

type HasDelivery = { readonly armed?: boolean; readonly delivery?: string };
const commitsExactlyOnce = ({ armed, delivery }: HasDelivery): boolean =>
  armed !== false && delivery === 'exactly-once';

const table = {
  generate: {
    role: 'source',
    isBounded: ({ limit }) => limit !== undefined,
    canReadAgain: ({ limit }) => limit !== undefined,
  },
  // The engine cannot find out whether an iterable ends. It counts as bounded.
  from: {
    role: 'source',
    isBounded: () => true,
    canReadAgain: ({ replayable }) => replayable,
    isLostWithProcess: ({ replayable }) => !replayable,
    batchRate,
  },
  file: { role: 'source', isBounded: ({ follow }) => follow !== true, canReadAgain: () => true, batchRate },
  kafka: {
    role: 'source',
    isBounded: ({ until }) => until !== undefined,
    // A group may commit other offsets in between.
    canReadAgain: ({ from }) => from === 'earliest' || (typeof from === 'object' && !('committed' in from)),
    mayBeginMidway: ({ from }) => from !== 'earliest',
    start: ({ tableKey, until }) => (tableKey !== undefined ? 'whole' : until !== undefined ? 'written' : 'chosen'),
    batchRate,
    hearsCheckpoints: ({ commitTo }) => commitTo !== undefined,
    asWritten: ({ from: _start, commitTo: _group, watermark, ...others }) => {
      const { idlenessMillis: _idle, ...bounds } = watermark ?? {};
      return { ...others, bounds };
    },
  },
  microBatches: { role: 'source', ignoresMicroBatches: true },
  harnessInput: { role: 'source', isHosted: true },

  keyBy: { role: 'exchange', collapses: true },

  map: { role: 'operator', isStage: true, keepsKey: true },
  filter: { role: 'operator', isStage: true, emitsTested: true, keepsKey: true },
  flatMap: { role: 'operator', keepsOrigin: true, keepsKey: true },
  mapAsync: { role: 'operator' },
  union: { role: 'operator', keepsOrigin: true, keepsKey: true },
  take: { role: 'operator', keepsOrigin: true, isBounded: () => true, goesByItsInput: true },
  assignTimestamps: { role: 'operator', keepsOrigin: true, setsTime: true },
  reduce: { role: 'operator', keyedInputs: 1 },
  aggregate: { role: 'operator', keyedInputs: 1 },
  pairwise: { role: 'operator', keyedInputs: 1 },
  pattern: { role: 'operator', keyedInputs: 1 },
  process: { role: 'operator', keyedInputs: 1, timeMargin: timerMargin },
  windowAggregate: { role: 'operator', keyedInputs: 1, ...opensWindows, showsOpenWindows: true },
  windowReduce: { role: 'operator', keyedInputs: 1, ...opensWindows, showsOpenWindows: true },
  windowApply: { role: 'operator', keyedInputs: 1, ...opensWindows },
  connectMap: { role: 'operator', keepsOrigin: true, keepsKey: true },
  connectProcess: { role: 'operator', keyedInputs: 2, timeMargin: timerMargin },
  // Its first input may have a key or not.
  broadcastProcess: { role: 'operator', timeMargin: timerMargin },
  intervalJoin: { role: 'operator', keyedInputs: 2 },
  windowJoin: { role: 'operator', keyedInputs: 2, ...opensWindows },
  windowCoGroup: { role: 'operator', keyedInputs: 2, ...opensWindows },
  iterateHead: { role: 'operator' },
  iterateTail: { role: 'operator' },
  toTable: { role: 'operator', keyedInputs: 1 },
  tableMap: { role: 'operator', keepsKey: true, derivesRows: 'map' },
  tableFilter: { role: 'operator', keepsKey: true, derivesRows: 'filter' },
  // Changes of a table carry their key, so an operator that reads only tables needs no key in the
  // plan.
  tableJoin: { role: 'operator' },
  tableToStream: { role: 'operator', keepsKey: true },
  tableGroup: { role: 'operator', startsFromTable: () => true, groupsTable: true },
  tableAggregate: { role: 'operator', keyedInputs: 1, startsFromTable: () => true },
  tableGet: { role: 'operator' },
  temporalJoin: { role: 'operator', keyedInputs: 1 },
  arrivalJoin: { role: 'operator', keyedInputs: 1 },
  // The elements between two watermarks are one workset.
  iterateDelta: { role: 'operator', timeMargin: ({ isBatch }) => (isBatch ? 0 : Infinity) },

  kafkaSink: {
    role: 'sink',
    commitsRows: commitsExactlyOnce,
    forCommit: ({ key: _key, timestamp: _time, headers: _headers, partitioner: _by, ...others }) => others,
  },
  functionSink: { role: 'sink' },
  twoPhaseSink: { role: 'sink', commitsRows: ({ armed }) => armed !== false, commitsByUserCode: true },
  fileSink: {
    role: 'sink',
    commitsRows: commitsExactlyOnce,
    forCommit: ({ partitionBy: _by, ...others }) => others,
  },

  display: {
    role: 'leaf',
    isHosted: true,
    conflates: true,
    startsFromTable: ({ changes }) => changes === true,
  },
  pull: { role: 'leaf', isHosted: true, isReadByCell: true },
  harnessOutput: { role: 'leaf', isHosted: true, keepsKey: true },
} as const satisfies { readonly [K in Kind]: Traits<K> };

export const kinds: { readonly [K in Kind]: Traits<K> } = table;

/** The kinds whose entry in the table matches `Entry`. */
type KindsLike<Entry> = { [K in Kind]: (typeof table)[K] extends Entry ? K : never }[Kind];
type HostedKind = KindsLike<{ readonly isHosted: true }>;
/** The sources, operators and sinks with a factory in the engine. */
export type SourceKind = Exclude<KindsLike<{ readonly role: 'source' }>, HostedKind>;
export type OperatorKind = KindsLike<{ readonly role: 'operator' }>;
export type SinkKind = KindsLike<{ readonly role: 'sink' }>;
export type StageKind = KindsLike<{ readonly isStage: true }>;
/** The number of inputs of the kind that must have a key. */
export type KeyedInputsOf<K extends Kind> = (typeof table)[K] extends { readonly keyedInputs: infer N } ? N : 0;

/**
 * The argument of a trait that depends on the parameters. The type of the functions in them does
 * not matter.
 */
interface Asked<K extends Kind> {
  readonly kind: K;
  readonly parameters: ParametersByKind<unknown>[K];
}
/** Whether the node's output ends by itself, even if its inputs do not end. */
export function isBoundedNode<K extends Kind>({ kind, parameters }: Asked<K>): boolean {
  return kinds[kind].isBounded?.(parameters) ?? false;
}
/** Whether the node is a source that gives the same records to a reader that is added later. */
export function canReadNodeAgain<K extends Kind>({ kind, parameters }: Asked<K>): boolean {
  return kinds[kind].canReadAgain?.(parameters) ?? false;
}

/** Whether a new instance of the node starts with the present rows of the table above. */
export function startsFromTable<K extends Kind>({ kind, parameters }: Asked<K>): boolean {
  return kinds[kind].startsFromTable?.(parameters) ?? false;
}

/** Whether its rows wait for a checkpoint, and only then become visible. */
export function commitsRows<K extends Kind>({ kind, parameters }: Asked<K>): boolean {
  return kinds[kind].commitsRows?.(parameters) ?? false;
}

/** The parameters that a commit of its rows needs. */
export function forCommit<K extends Kind>({ kind, parameters }: Asked<K>): ParametersByKind<unknown>[K] {
  return kinds[kind].forCommit?.(parameters) ?? parameters;
}

/** Without the code of its cell, its rows cannot be committed. */
export function commitsByUserCode({ kind }: HasKind): boolean {
  return kinds[kind].commitsByUserCode === true;
}

/** Whether a checkpoint changes something outside, also where nothing is stored. */
export function needsCheckpoints<K extends Kind>(node: Asked<K>): boolean {
  return commitsRows(node) || (kinds[node.kind].hearsCheckpoints?.(node.parameters) ?? false);
}

/** What the text of a node says, whether a session or a job runs it. */
export function asWritten<K extends Kind>({ kind, parameters }: Asked<K>): unknown {
  return kinds[kind].asWritten?.(parameters) ?? parameters;
}

/** What the node itself needs, without the nodes below it. */
export function timeMarginOf<K extends Kind>({ kind, parameters }: Asked<K>): number {
  return kinds[kind].timeMargin?.(parameters) ?? 0;
}

/** Whether its records are lost with the process that reads them. */
export function isLostWithProcess<K extends Kind>({ kind, parameters }: Asked<K>): boolean {
  return kinds[kind].isLostWithProcess?.(parameters) ?? false;
}
/** Whether the source may begin in the middle of what there is. */
export function mayBeginMidway<K extends Kind>({ kind, parameters }: Asked<K>): boolean {
  return kinds[kind].mayBeginMidway?.(parameters) ?? false;
}
/** Who says where the source starts. */
export function startOfSource<K extends Kind>({ kind, parameters }: Asked<K>): Start {
  return kinds[kind].start?.(parameters) ?? 'beginning';
}
/** How many records a micro-batch of the source has; undefined: those that are due. */
export function batchRateOf<K extends Kind>({ kind, parameters }: Asked<K>): BatchRate | undefined {
  return kinds[kind].batchRate?.(parameters);
}

interface HasKind {
  readonly kind: Kind;
}
/** The node has no input. The host may feed it. */
export function isSource({ kind }: HasKind): boolean {
  return kinds[kind].role === 'source';
}
export function isSink<N extends HasKind>(node: N): node is Extract<N, { readonly kind: SinkKind }> {
  return kinds[node.kind].role === 'sink';
}
/** Its rows leave the dataflow for the host. The user did not declare it as an operator. */
export function isLeaf({ kind }: HasKind): boolean {
  return kinds[kind].role === 'leaf';
}
export function isStage<N extends HasKind>(node: N): node is Extract<N, { readonly kind: StageKind }> {
  return kinds[node.kind].isStage === true;
}
/** Windows that are still open have results. */
export function showsOpenWindows<N extends HasKind>(
  node: N,
): node is Extract<N, { readonly kind: KindsLike<{ readonly showsOpenWindows: true }> }> {
  return kinds[node.kind].showsOpenWindows === true;
}
/** A table without rows of its own. */
export function derivesRows<N extends HasKind>(
  node: N,
): node is Extract<N, { readonly kind: KindsLike<{ readonly derivesRows: 'map' | 'filter' }> }> {
  return kinds[node.kind].derivesRows !== undefined;
}
export function groupsTable<N extends HasKind>(
  node: N,
): node is Extract<N, { readonly kind: KindsLike<{ readonly groupsTable: true }> }> {
  return kinds[node.kind].groupsTable === true;
}
/** It is not a task. The edge behind it has its key. */
export function collapses<N extends HasKind>(node: N): node is Extract<N, { readonly kind: 'keyBy' }> {
  return kinds[node.kind].collapses === true;
}
