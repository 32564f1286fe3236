// The plan: a dataflow as plain JSON. It can be written to disk or sent to another thread or
// engine, and reading it gives the same graph.
import { invariant } from '../errors/invariant.ts';
import type { Kind } from './kinds.ts';
import type { ParametersByKind } from './parameters.ts';
import type { CapturedName } from './plan-value.ts';
import type { RowType } from './row-type.ts';
import type { FunctionRef, Json, KeySpec } from './spec.ts';

/** Sources are read in batches of this interval, see `engine/runtime/micro-batches.ts`. */
export interface MicroBatchMode {
  readonly microBatchMillis: number;
}

/** Where the user's text calls the verb of a node. One-based. */
export interface CallPlace {
  /** A module of the user; absent: the text of a cell. */
  readonly file?: string;
  /** Another cell than the node's group: it declares the function that makes the call. */
  readonly cell?: string;
  readonly line: number;
  readonly column: number;
  /** The text of the line. */
  readonly excerpt: string;
}

interface NodeOfAnyKind {
  /**
   * The id of the instance, unique in a plan. It equals `uid`, except for copies of the live
   * session (`uid~lane`).
   */
  readonly id: string;
  /**
   * Stable identity of the operator, for its state: `group/variable/verb#ordinal`, or the user's
   * `.id()`.
   */
  readonly uid: string;
  /** The name for the user in panels and errors. */
  readonly name: string;
  /** A chain never spans two groups. In a notebook: the cell's id; else ''. */
  readonly group: string;
  /** Hash of kind, parameters, function texts and their captures. */
  readonly own: string;
  /**
   * Hash of the form of the state: key, window, aggregates, state types. '' for operators without
   * state.
   */
  readonly shape: string;
  /** For errors that have no place of their own. It is no part of any fingerprint. */
  readonly calledAt?: CallPlace;
  /**
   * Other cells may read this node later (it is a named variable), so nothing is fused behind it.
   */
  readonly exposed?: boolean;
  /**
   * A copy that the live session made for a late reader. Readers attach to the instance without
   * this mark.
   */
  readonly copy?: true;
  /**
   * Uids and fingerprints of the sources whose records, from their start, have reached this
   * instance. Read again, they would reach it twice. The live session keeps this list.
   */
  readonly seen?: readonly string[];
}
/**
 * A node whose kind is known. With several kinds it is not a union, so a function that is generic
 * in `K` accepts any of them.
 */
export interface NodeOf<K extends Kind> extends NodeOfAnyKind {
  readonly kind: K;
  readonly parameters: ParametersByKind<FunctionRef>[K];
}
/**
 * The kind determines the type of the parameters. Plans that come from JSON or from another thread
 * are trusted.
 */
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
  /** Of its rows. Absent: the plan was made for this engine alone. */
  readonly type?: RowType;
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
  /** Absent: the plan was made for this engine alone. */
  readonly captured?: readonly CapturedName[];
}

export const emptyPlan: Plan = { version: 1, nodes: [], edges: [] };

/**
 * The functions to which a plan refers. All versions of a plan that exist at a time share one
 * table.
 */
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
  /** The function itself. A reference without a function is a broken invariant. */
  get<F>(ref: FunctionRef): F {
    const found = this.#functions.get(FunctionTable.key(ref));
    invariant(found !== undefined, `function ${ref.slot} of ${ref.uid}, which the plan has, was evaluated here`);
    return found as F;
  }
  addAll(other: FunctionTable): void {
    for (const [key, value] of other.#functions) this.#functions.set(key, value);
  }
  /**
   * A reference of `plan` without a function gets the one that its node has in the same slot now.
   * Its text or what it captured differs. Without one it gets `missing(reference)`.
   */
  fill(plan: Plan, missing: (ref: FunctionRef) => unknown): void {
    for (const ref of plan.nodes.flatMap(functionRefsOf)) {
      if (this.has(ref)) continue;
      const place = FunctionTable.key({ ...ref, textHash: '' });
      const present = [...this.#functions].find(([key]) => key.startsWith(place));
      this.set(ref, present ? present[1] : missing(ref));
    }
  }
  /** Removes every function to which `plan` no longer refers. */
  retain(plan: Plan): void {
    const inLostKeys = plan.edges.flatMap(({ lost }) => referencesIn(lost?.key?.spec));
    const used = new Set([...plan.nodes.flatMap(functionRefsOf), ...inLostKeys].map((ref) => FunctionTable.key(ref)));
    for (const key of this.#functions.keys()) if (!used.has(key)) this.#functions.delete(key);
  }
}

/** The functions that a node needs. */
export function functionRefsOf({ parameters }: Pick<PlanNode, 'parameters'>): readonly FunctionRef[] {
  return referencesIn(parameters);
}
function referencesIn(value: Json | undefined): readonly FunctionRef[] {
  if (value === null || typeof value !== 'object') return [];
  const { uid, slot, textHash } = value as { readonly [name: string]: Json | undefined };
  const isReference = typeof uid === 'string' && typeof slot === 'string' && typeof textHash === 'string';
  const inner = (Array.isArray(value) ? (value as Json[]) : Object.values(value as object)) as Json[];
  return [...(isReference ? [{ uid, slot, textHash }] : []), ...inner.flatMap(referencesIn)];
}
