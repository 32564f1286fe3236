// What one evaluation declares: plan nodes, the functions they refer to, and what should be shown, written or set.
// A notebook's cell gives one fragment; the session merges the fragments of all cells into one plan. An Environment is one fragment.
import type { FunctionTable, Exchange, PlanNode } from '../graph/plan.ts';
import type { SessionOptions } from './surface.ts';

/** A place where records can be read: a node's port, or whatever the named variable of another group holds at the moment (by name, so that it follows a re-run). */
export type Endpoint =
  | { readonly node: string; readonly port: string }
  | { readonly group: string; readonly variable: string; readonly port: string };

export interface FragmentEdge {
  readonly from: Endpoint;
  readonly to: string;
  readonly input: 0 | 1;
  readonly exchange: Exchange;
}

/** With `changes` what comes from there are changes of a table, each with its key: they take the place of the row with that key, or remove it. */
export type DisplaySpec =
  | {
      readonly kind: 'table';
      readonly from: Endpoint;
      readonly rows: number;
      readonly key?: readonly string[];
      readonly changes?: true;
    }
  /** `mark` is the shorthand of the contract, `vega` a Vega-Lite spec without data; exactly one is there. */
  | {
      readonly kind: 'chart';
      readonly from: Endpoint;
      readonly mark?: Readonly<Record<string, unknown>>;
      readonly vega?: Readonly<Record<string, unknown>>;
      readonly key?: readonly string[];
      readonly changes?: true;
    }
  | { readonly kind: 'backpressure' }
  | { readonly kind: 'view'; readonly parts: readonly DisplaySpec[] };

export interface SinkSpec {
  /** Uid of the sink's node (its kind is 'kafkaSink', 'functionSink', …). */
  readonly node: string;
  /** What arming it writes to, for people: "topic customer-totals". */
  readonly target: string;
}

export interface Fragment {
  readonly group: string;
  /** `id` equals `uid` here; instances are the session's business. */
  readonly nodes: readonly PlanNode[];
  readonly edges: readonly FragmentEdge[];
  readonly functions: FunctionTable;
  readonly sinks: readonly SinkSpec[];
  readonly options?: SessionOptions;
}

/** Where pulls go: `toArray` and `for await` of a stream inside an evaluation. The executor, an Environment and the test kit each give their own. */
export interface PullHost {
  /**
   * Attaches `from` as a temporary branch and gives its elements one by one, with backpressure; `return()` removes the branch.
   * `label` names the stream for messages ("totals"). The fragment so far is what the branch may refer to.
   */
  pull(from: Endpoint, label: string, fragment: Fragment): AsyncIterableIterator<unknown>;
  /** The present row of a key in the table whose changes are read there, and whether reading its input to the end could tell more; undefined when the table does not run. */
  lookup?(from: Endpoint, key: readonly unknown[]): { readonly row: unknown; readonly isBest: boolean } | undefined;
}
