// The result of one evaluation: plan nodes, the functions they refer to, displays, sinks and
// options. A notebook's cell gives one fragment. The session merges the fragments of all cells into
// one plan. An Environment is one fragment.
import type { FunctionTable, Exchange, PlanNode } from '../graph/plan.ts';
import type { SessionOptions } from './surface.ts';

/**
 * A place where records can be read: a node's port, or the stream in a variable of another group. A
 * variable is referred to by name, so the edge follows a re-run of that group.
 */
export type Endpoint =
  | { readonly node: string; readonly port: string }
  | { readonly group: string; readonly variable: string; readonly port: string };

export interface FragmentEdge {
  readonly from: Endpoint;
  readonly to: string;
  readonly input: 0 | 1;
  readonly exchange: Exchange;
}

/**
 * With `changes`, the endpoint gives changes of a table, each with its key. A change replaces the
 * row with that key, or removes it.
 */
export type DisplaySpec =
  | {
      readonly kind: 'table';
      readonly from: Endpoint;
      readonly rows: number;
      readonly key?: readonly string[];
      readonly changes?: true;
      /** Absent: the name of the stream. */
      readonly title?: string;
    }
  /**
   * `mark` is the short form of the contract, `vega` a Vega-Lite spec without data. Exactly one of
   * them is given.
   */
  | {
      readonly kind: 'chart';
      readonly from: Endpoint;
      readonly mark?: Readonly<Record<string, unknown>>;
      readonly vega?: Readonly<Record<string, unknown>>;
      readonly key?: readonly string[];
      readonly changes?: true;
    }
  | { readonly kind: 'backpressure' | 'lag' | 'watermarks' | 'checkpoints' }
  | { readonly kind: 'view'; readonly parts: readonly DisplaySpec[] };

export interface SinkSpec {
  /** Uid of the sink's node. Its kind is 'kafkaSink', 'functionSink' and so on. */
  readonly node: string;
  /** The target of the armed sink, for people: "topic customer-totals". */
  readonly target: string;
}

export interface Fragment {
  readonly group: string;
  /** Here `id` equals `uid`. The session makes the instances. */
  readonly nodes: readonly PlanNode[];
  readonly edges: readonly FragmentEdge[];
  readonly functions: FunctionTable;
  readonly sinks: readonly SinkSpec[];
  readonly options?: SessionOptions;
}

/**
 * Reads a stream for `toArray` and `for await` inside an evaluation. The executor, an Environment
 * and the test kit have their own implementations.
 */
export interface PullHost {
  /**
   * Attaches `from` as a temporary branch and returns its elements one by one, with backpressure.
   * `return()` removes the branch. `label` names the stream in messages ("totals"). The branch may
   * refer to nodes of the fragment, which is everything declared so far.
   */
  pull(from: Endpoint, label: string, fragment: Fragment): AsyncIterableIterator<unknown>;
  /**
   * The present row of a key in the table whose changes are read at `from`. `isBest`: reading the
   * input to its end could not give a newer row. undefined when the table does not run.
   */
  lookup?(from: Endpoint, key: readonly unknown[]): { readonly row: unknown; readonly isBest: boolean } | undefined;
}
