// The table of operator kinds: every kind of node that a plan may hold, by its spelling, with its
// traits.
//
// A kind is spelled as Flink's method is, in camel case (`flatMap`, `windowAggregate`); the two
// parts of an iteration and the sinks, which Flink has no method for, follow the same convention. A
// uid holds the verb that the user called, not the kind. Code that asks whether a node is a source,
// can be fused or ends by itself asks this table. The parameters of each kind are in parameters.ts;
// the functions that make operators are in engine/runtime and engine/connectors.
import type { ParametersByKind } from './parameters.ts';

export type Kind = keyof ParametersByKind<unknown>;

export interface Traits<K extends Kind> {
  /**
   * `source`: it has no input. `sink`: rows leave the dataflow for a system outside. `leaf`: rows
   * leave it for the host of the runtime (a display, a pull, the test kit). `exchange`: it says how
   * records are divided and is no task.
   */
  readonly role: 'source' | 'operator' | 'exchange' | 'sink' | 'leaf';
  /** The host of the runtime gives its operator or source; there is no function that makes one. */
  readonly isHosted?: true;
  /**
   * It can be fused behind another operator: one record in, at most one out, and neither state nor
   * time of its own.
   */
  readonly isStage?: true;
  /**
   * An output record belongs to the one input record at work, so that partition and offset travel
   * along. (A fused stage has no output of its own.) An operator may remember something, as `take`
   * does.
   */
  readonly keepsOrigin?: true;
  /**
   * It looks at one element at a time and remembers nothing, so parallel instances that share the
   * elements in any way give the same rows together. `take` does not: it counts.
   */
  readonly keepsKey?: true;
  /**
   * So many of its inputs, from the first on, must come through a keyBy: its state belongs to keys.
   */
  readonly keyedInputs?: 1 | 2;
  /** It assigns elements to windows, so an element can be late. */
  readonly opensWindows?: true;
  /** It is collapsed into the edge behind it, as its key. */
  readonly collapses?: true;
  /**
   * Whether its output ends by itself, whatever is above it. Absent: it ends when its inputs do; a
   * source never does.
   */
  readonly isBounded?: (parameters: ParametersByKind<unknown>[K]) => boolean;
  /**
   * Of a source: a reader that comes later can read the same records from the start. Absent: it
   * cannot.
   */
  readonly canReadAgain?: (parameters: ParametersByKind<unknown>[K]) => boolean;
  /** The source is not read in micro-batches, even where all others are. */
  readonly ignoresMicroBatches?: true;
  /**
   * It takes every record at once and keeps what fits on the screen, so it never holds others back.
   */
  readonly conflates?: true;
  /**
   * The code of a cell reads it: it takes rows when it likes, and it does not outlive its executor.
   */
  readonly isReadByCell?: true;
  /** In messages it goes by the name of the stream that it reads. */
  readonly goesByItsInput?: true;
}

const table = {
  generate: {
    role: 'source',
    isBounded: ({ limit }) => limit !== undefined,
    canReadAgain: ({ limit }) => limit !== undefined,
  },
  // An iterable is given the benefit of the doubt: it is taken to end.
  from: { role: 'source', isBounded: () => true, canReadAgain: ({ replayable }) => replayable },
  file: { role: 'source', isBounded: ({ follow }) => follow !== true, canReadAgain: () => true },
  kafka: {
    role: 'source',
    isBounded: ({ until }) => until !== undefined,
    canReadAgain: ({ from }) => from === 'earliest' || typeof from === 'object',
  },
  microBatches: { role: 'source', ignoresMicroBatches: true },
  harnessInput: { role: 'source', isHosted: true },

  keyBy: { role: 'exchange', collapses: true },

  map: { role: 'operator', isStage: true, keepsKey: true },
  filter: { role: 'operator', isStage: true, keepsKey: true },
  flatMap: { role: 'operator', keepsOrigin: true, keepsKey: true },
  mapAsync: { role: 'operator' },
  union: { role: 'operator', keepsOrigin: true, keepsKey: true },
  take: { role: 'operator', keepsOrigin: true, isBounded: () => true, goesByItsInput: true },
  assignTimestamps: { role: 'operator', keepsOrigin: true },
  reduce: { role: 'operator', keyedInputs: 1 },
  aggregate: { role: 'operator', keyedInputs: 1 },
  pairwise: { role: 'operator', keyedInputs: 1 },
  pattern: { role: 'operator', keyedInputs: 1 },
  process: { role: 'operator', keyedInputs: 1 },
  windowAggregate: { role: 'operator', keyedInputs: 1, opensWindows: true },
  windowReduce: { role: 'operator', keyedInputs: 1, opensWindows: true },
  windowApply: { role: 'operator', keyedInputs: 1, opensWindows: true },
  connectMap: { role: 'operator', keepsOrigin: true, keepsKey: true },
  connectProcess: { role: 'operator', keyedInputs: 2 },
  // Its first input may have a key or none.
  broadcastProcess: { role: 'operator' },
  intervalJoin: { role: 'operator', keyedInputs: 2 },
  windowJoin: { role: 'operator', keyedInputs: 2, opensWindows: true },
  windowCoGroup: { role: 'operator', keyedInputs: 2, opensWindows: true },
  iterateHead: { role: 'operator' },
  iterateTail: { role: 'operator' },
  toTable: { role: 'operator', keyedInputs: 1 },
  tableMap: { role: 'operator', keepsKey: true },
  tableFilter: { role: 'operator', keepsKey: true },
  // Changes of a table carry their key, so operators that read nothing but tables need none from
  // the plan.
  tableJoin: { role: 'operator' },
  tableToStream: { role: 'operator', keepsKey: true },
  tableGet: { role: 'operator' },
  temporalJoin: { role: 'operator', keyedInputs: 1 },
  arrivalJoin: { role: 'operator', keyedInputs: 1 },
  iterateDelta: { role: 'operator' },

  kafkaSink: { role: 'sink' },
  functionSink: { role: 'sink' },
  fileSink: { role: 'sink' },

  display: { role: 'leaf', isHosted: true, conflates: true },
  pull: { role: 'leaf', isHosted: true, isReadByCell: true },
  harnessOutput: { role: 'leaf', isHosted: true, keepsKey: true },
} as const satisfies { readonly [K in Kind]: Traits<K> };

export const kinds: { readonly [K in Kind]: Traits<K> } = table;

/** The kinds whose entry in the table is like this one. */
type KindsLike<Entry> = { [K in Kind]: (typeof table)[K] extends Entry ? K : never }[Kind];
type HostedKind = KindsLike<{ readonly isHosted: true }>;
/** The sources, operators and sinks that the engine makes itself. */
export type SourceKind = Exclude<KindsLike<{ readonly role: 'source' }>, HostedKind>;
export type OperatorKind = KindsLike<{ readonly role: 'operator' }>;
export type SinkKind = KindsLike<{ readonly role: 'sink' }>;
export type StageKind = KindsLike<{ readonly isStage: true }>;
/** How many inputs of the kind must have a key. */
export type KeyedInputsOf<K extends Kind> = (typeof table)[K] extends { readonly keyedInputs: infer N } ? N : 0;

/**
 * What a trait that depends on the parameters is asked about. Which functions stand in them does
 * not matter.
 */
interface Asked<K extends Kind> {
  readonly kind: K;
  readonly parameters: ParametersByKind<unknown>[K];
}
/** Whether the node ends its branch by itself, whatever is above it. */
export function isBoundedNode<K extends Kind>({ kind, parameters }: Asked<K>): boolean {
  return kinds[kind].isBounded?.(parameters) ?? false;
}
/** Whether the node is a source that gives the same records to a reader that comes later. */
export function canReadNodeAgain<K extends Kind>({ kind, parameters }: Asked<K>): boolean {
  return kinds[kind].canReadAgain?.(parameters) ?? false;
}

interface HasKind {
  readonly kind: Kind;
}
/** It has no input; the host may be the one who feeds it. */
export function isSource({ kind }: HasKind): boolean {
  return kinds[kind].role === 'source';
}
export function isSink<N extends HasKind>(node: N): node is Extract<N, { readonly kind: SinkKind }> {
  return kinds[node.kind].role === 'sink';
}
/** Rows leave the dataflow for the host there: the node is no operator of the user's. */
export function isLeaf({ kind }: HasKind): boolean {
  return kinds[kind].role === 'leaf';
}
export function isStage<N extends HasKind>(node: N): node is Extract<N, { readonly kind: StageKind }> {
  return kinds[node.kind].isStage === true;
}
/** It is no task; the edge behind it has its key. */
export function collapses<N extends HasKind>(node: N): node is Extract<N, { readonly kind: 'keyBy' }> {
  return kinds[node.kind].collapses === true;
}
