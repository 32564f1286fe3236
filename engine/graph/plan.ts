// The plan: a dataflow as plain JSON. It can be written to disk, sent to another thread or engine, and read back to the same graph.
import type { Kind } from './kinds.ts';
import type { ParametersByKind } from './parameters.ts';
import type { FunctionRef, Json, KeySpec } from './spec.ts';

/** Sources are read in batches of this interval, see `engine/runtime/micro-batches.ts`. */
export interface MicroBatchMode {
  readonly microBatchMillis: number;
}

interface NodeOfAnyKind {
  /** The instance: unique in a plan. Equals `uid` except for copies made by the live session (`uid~lane`). */
  readonly id: string;
  /** Stable identity of the operator, for state: `group/variable/verb#ordinal`, or what `.id()` said. */
  readonly uid: string;
  /** What the user sees in panels and errors. */
  readonly name: string;
  /** A chain never spans two groups. In a notebook: the cell's id; else ''. */
  readonly group: string;
  /** Hash of kind, parameters, function texts and what they capture. */
  readonly own: string;
  /** Hash of what the state looks like: key, window, aggregates, state types; '' for operators without state. */
  readonly shape: string;
  /** Others may come to read this node (it is a named variable): nothing is fused behind it. */
  readonly exposed?: boolean;
  /** A copy that the live session made for a late reader; the instance without this mark is the one that others attach to. */
  readonly copy?: true;
  /**
   * Uids and fingerprints of the sources whose records, from their start, have reached this
   * instance. Read again, they would reach it twice. The live session keeps this list.
   */
  readonly seen?: readonly string[];
}
/** A node whose kind is known. Of several kinds it is no union: a function that is generic in `K` takes any of them. */
export interface NodeOf<K extends Kind> extends NodeOfAnyKind {
  readonly kind: K;
  readonly parameters: ParametersByKind<FunctionRef>[K];
}
/** The kind tells the type of the parameters. Plans that come from JSON or from another thread are trusted. */
export type PlanNode = { readonly [K in Kind]: NodeOf<K> }[Kind];

export type Exchange = 'forward' | 'key' | 'broadcast' | 'rebalance';

export interface PlanEdge {
  /** Instance id of the upstream node. */
  readonly from: string;
  /** 'out', or a side output: 'late', 'errors', 'timedOut'. */
  readonly port: string;
  readonly to: string;
  /** 0, or 1 for the right side of an operator with two inputs. */
  readonly input: 0 | 1;
  readonly exchange: Exchange;
  /** Of an edge whose upstream has gone: what the slot read last. */
  readonly lost?: LostInput;
}
/** What a slot read before its upstream went. The slot still has this key and this lineage. */
export interface LostInput {
  /**
   * The instance and its port, as long as the instance stands still: when the input is back, the
   * slot goes on there and has missed nothing. Absent: records may have passed meanwhile.
   */
  readonly from?: { readonly id: string; readonly port: string };
  readonly lineage: string;
  readonly canReadAgain: boolean;
  /** `own` is the fingerprint of the keyBy. */
  readonly key?: { readonly own: string; readonly spec: KeySpec };
}

export interface Plan {
  readonly version: 1;
  readonly nodes: readonly PlanNode[];
  /** The order of a node's edges is the order of its slots. */
  readonly edges: readonly PlanEdge[];
  /** Absent: continuous. */
  readonly mode?: MicroBatchMode;
}

export const emptyPlan: Plan = { version: 1, nodes: [], edges: [] };

/** Finds the functions that a plan refers to. One table serves all versions that live side by side. */
export class FunctionTable {
  readonly #functions = new Map<string, unknown>();

  static key(ref: FunctionRef): string {
    return `${ref.uid}\u0000${ref.slot}\u0000${ref.textHash}`;
  }
  has(ref: FunctionRef): boolean {
    return this.#functions.has(FunctionTable.key(ref));
  }
  set(ref: FunctionRef, value: unknown): void {
    this.#functions.set(FunctionTable.key(ref), value);
  }
  /** The function itself; a reference without one is a broken invariant. */
  get<F>(ref: FunctionRef): F {
    const found = this.#functions.get(FunctionTable.key(ref));
    if (found === undefined)
      throw new Error(`The plan refers to function ${ref.slot} of ${ref.uid}, which was never evaluated here.`);
    return found as F;
  }
  addAll(other: FunctionTable): void {
    for (const [key, value] of other.#functions) this.#functions.set(key, value);
  }
  /** Forgets every function that `plan` no longer refers to. */
  retain(plan: Plan): void {
    const used = new Set<string>();
    const visit = (value: Json | undefined): void => {
      if (value === null || typeof value !== 'object') return;
      const { uid, slot, textHash } = value as { readonly [name: string]: Json | undefined };
      if (typeof uid === 'string' && typeof slot === 'string' && typeof textHash === 'string')
        used.add(FunctionTable.key({ uid, slot, textHash }));
      for (const inner of Array.isArray(value) ? (value as Json[]) : Object.values(value as object))
        visit(inner as Json);
    };
    for (const node of plan.nodes) visit(node.parameters);
    for (const { lost } of plan.edges) visit(lost?.key?.spec);
    for (const key of this.#functions.keys()) if (!used.has(key)) this.#functions.delete(key);
  }
}
