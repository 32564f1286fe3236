// Shares of the keys: two harnesses, each with its own key groups, simulate the two instances of a
// parallel operator. Both receive all inputs. After an exchange by key, each skips the elements
// whose key belongs to the other.
import type { FunctionTable, Plan, PlanEdge, PlanNode } from '../graph/plan.ts';
import { collapses, isLeaf, isSource, kinds } from '../graph/kinds.ts';
import { edgesByReader } from '../graph/walk.ts';
import type { KeySpec } from '../graph/spec.ts';
import type { Batch, Operator, Output } from '../contract/operator.ts';
import { createOperator } from '../runtime/operator-registry.ts';
import { rescale } from '../runtime/rescale.ts';
import type { TaskSnapshot } from '../runtime/snapshot.ts';
import { keyGroupOf } from '../state/key-group.ts';
import { compileKeys } from '../state/keys.ts';
import { segmentValue, valueSegment } from '../state/segment.ts';

/** Whether the key group belongs to this instance. */
export type Share = (keyGroup: number) => boolean;

type Reach = 'all' | 'share' | 'neither';

/**
 * The operators of a plan whose keys two instances can share without changing the rows. The map has
 * the keys by input, for each operator at which an element gets its first key. undefined: the keys
 * cannot be shared. Either an element would have to move between the instances (a second keyBy), or
 * an operator has no key (an iteration, broadcast state, mapAsync).
 */
export function sharedOperators({ nodes, edges }: Plan): ReadonlyMap<string, readonly KeySpec[]> | undefined {
  const nodeById = new Map(nodes.map((node) => [node.id, node]));
  const edgesInto = edgesByReader(edges);
  const reach = new Map<string, Reach>();
  const byKey = new Map<string, readonly KeySpec[]>();

  const along = (edge: PlanEdge): { readonly key?: KeySpec; readonly reached: Reach } => {
    const from = nodeById.get(edge.from)!;
    if (!collapses(from)) return { reached: reachOf(from) };
    return { key: from.parameters.key, reached: along(edgesInto.get(from.id)![0]!).reached };
  };
  const reachOf = (node: PlanNode): Reach => {
    const known = reach.get(node.id);
    if (known) return known;
    reach.set(node.id, 'neither');
    // Elements of the test go to all instances.
    const found = isSource(node) && kinds[node.kind].isHosted ? 'all' : through(node);
    reach.set(node.id, found);
    return found;
  };
  const through = (node: PlanNode): Reach => {
    const inputs = (edgesInto.get(node.id) ?? []).map((edge) => ({ ...edge, ...along(edge) }));
    if (inputs.every(({ exchange }) => exchange === 'forward')) {
      const [first = 'neither', ...others] = new Set(inputs.map(({ reached }) => reached));
      return kinds[node.kind].keepsKey && others.length === 0 ? first : 'neither';
    }
    const keys: KeySpec[] = [];
    for (const { exchange, key, reached, input } of inputs) {
      if (exchange !== 'key' || key === undefined) return 'neither';
      if (reached === 'all') keys[input] = key;
      // A change of a table carries the key by which it was shared.
      else if (reached === 'neither' || !('carried' in key)) return 'neither';
    }
    byKey.set(node.id, keys);
    return 'share';
  };

  const leaves = nodes.filter(isLeaf);
  return leaves.every((leaf) => reachOf(leaf) === 'share') ? byKey : undefined;
}

/** The operator of a node. It skips elements whose key belongs to another instance. */
export function sharingOperator(
  node: PlanNode,
  functions: FunctionTable,
  {
    keys,
    own,
    share,
  }: { readonly keys: readonly (KeySpec | undefined)[]; readonly own: readonly KeySpec[]; readonly share: Share },
): Operator {
  const operator = createOperator(node, functions, keys);
  const compiled = own.map((key) => compileKeys(key, functions, node.uid));
  const isOwn = (input: 0 | 1, element: unknown): boolean => {
    const by = compiled[input];
    return by === undefined || share(keyGroupOf(by.tuple(by.row(element, by.read(element)))));
  };
  let output!: Output;
  const open = operator.open?.bind(operator);
  operator.open = (context) => {
    output = context.output;
    open?.(context);
  };
  const process = operator.process.bind(operator);
  operator.process = (input, batch, from) => {
    for (let i = from; i < batch.length; i++) {
      if (isOwn(input, batch.values[i]) && process(input, upTo(batch, i + 1), i) === i) return i;
      if (output.full) return i + 1;
    }
    return batch.length;
  };
  return operator;
}
function upTo({ values, timestamps }: Batch, length: number): Batch {
  return { length, values: values.slice(0, length), timestamps };
}

// --------------------------------------------------------------------------------------- snapshots

type Tasks = [id: string, snapshot: TaskSnapshot][];

/** The snapshots of all instances as those of `parallelism` instances. */
export function rescaledSnapshots(parts: readonly Uint8Array[], parallelism: number): Uint8Array[] {
  const byTask = Map.groupBy(
    parts.flatMap((part) => segmentValue(part) as Tasks),
    ([id]) => id,
  );
  const tasks = [...byTask].map(
    ([id, all]) =>
      [
        id,
        rescale(
          all.map(([, snapshot]) => snapshot),
          parallelism,
          id,
        ),
      ] as const,
  );
  return Array.from({ length: parallelism }, (_, instance) =>
    valueSegment(tasks.map(([id, divided]) => [id, divided[instance]!])),
  );
}
/** The snapshots of all instances as the snapshot of one instance. */
export function mergedSnapshot(parts: readonly Uint8Array[]): Uint8Array {
  return rescaledSnapshots(parts, 1)[0]!;
}
/** A snapshot without the key groups of other instances. */
export function shareOf(tasks: Tasks, share: Share): Tasks {
  return tasks.map(([id, snapshot]) => [
    id,
    { ...snapshot, groups: new Map([...snapshot.groups].filter(([group]) => share(group))) },
  ]);
}
